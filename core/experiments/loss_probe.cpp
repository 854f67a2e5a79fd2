// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/loss_probe.h"

#include <map>
#include <string>
#include <tuple>
#include <utility>

namespace moescope::experiments {
namespace {

/// What a part holds of single tokens of a table's branches, one after the other.
struct KeptTokens {
    NdArray loss, predicted;
    std::size_t width = 0;  ///< tokens of a branch

    [[nodiscard]] BranchMeasures::TokenRows of(std::uint64_t row) const {
        return {loss.values<float>().subspan(row * width, width),
                predicted.values<text::TokenId>().subspan(row * width, width)};
    }
};

/// nullopt where it holds nothing, or what experiments do not write.
std::optional<KeptTokens> tokensOf(const engine::KeptPart& part, const std::string& table,
                                   std::uint64_t rows) {
    auto loss = part.read(table + "_token_loss");
    auto predicted = part.read(table + "_predicted");
    if (!loss || !predicted || rows == 0 || loss->values.type() != ElementType::F32 ||
        predicted->values.type() != ElementType::U32 || loss->values.size() % rows != 0 ||
        loss->values.size() != predicted->values.size()) {
        return std::nullopt;
    }
    const auto width = static_cast<std::size_t>(loss->values.size() / rows);
    return KeptTokens{std::move(loss->values), std::move(predicted->values), width};
}

/// The names along a row's axes but the last one, which is that of the measures.
std::vector<std::string> labelsOf(const session::Quantity& table, std::uint64_t row) {
    std::vector<std::string> labels(table.axes.size() - 1);
    for (std::size_t axis = labels.size(); axis-- > 0;) {
        const std::uint64_t length = table.values.shape()[axis];
        const auto& names = table.axes[axis].labels;
        labels[axis] = names.empty() ? std::to_string(row % length) : names[row % length];
        row /= length;
    }
    return labels;
}

}  // namespace

std::uint64_t LossProbe::partBytes(const model::ModelSpec& model, std::uint64_t tokens) const {
    static_cast<void>(tokens);
    const std::size_t measures =
        BranchMeasures::measures().size() + ChoiceScores::measures().size();
    return (branches(model).size() + 1) * measures * sizeof(double);
}

void LossProbe::begin(const engine::ModelContext& model,
                      const std::vector<engine::Intervention>& passed) {
    m_losses.begin(model, passed.size());
    prepare(model, passed, m_losses);
}

session::Part LossProbe::partOf(const engine::ModelContext& model, Progress progress) const {
    session::Part part;
    part.tokens = model.corpus.ids.size();
    part.warnings = m_losses.warnings();
    m_losses.addIntact(part);
    addTables(model, m_losses, progress, part);
    return part;
}

void LossProbe::recall(const model::ModelSpec& model, const engine::KeptPart& part,
                       const Recalled& recalled) const {
    std::map<std::string, std::size_t> places;
    for (const engine::Intervention& branch : branches(model)) {
        places.emplace(branch.name, places.size());
    }
    recallByName(model, part, [&](const std::string& name, std::vector<double> result) {
        if (const auto place = places.find(name); place != places.end()) {
            recalled(place->second, std::move(result));
        }
    });
}

void LossProbe::recallTable(
    const engine::KeptPart& part, RecallNeeds needs, const std::string& table, std::size_t nameAxes,
    const std::function<std::string(const std::vector<std::string>& labels)>& name,
    const NamedResult& found) {
    constexpr std::size_t kMeans = std::tuple_size_v<BranchMeasures::Means>;
    constexpr std::size_t kChoices = std::tuple_size_v<ChoiceScores::Accuracies>;
    const auto means = part.read(table);
    const auto choices = part.read(table + "_choices");
    if (!means || means->axes.size() != nameAxes + 1 || means->values.shape().back() != kMeans) {
        return;
    }
    for (std::size_t axis = 0; axis + 1 < means->axes.size(); ++axis) {
        const auto& names = means->axes[axis].labels;
        if (!names.empty() && names.size() != means->values.shape()[axis]) {
            return;
        }
    }
    if (needs.choices != choices.has_value() ||
        (choices && choices->values.size() / kChoices != means->values.size() / kMeans)) {
        return;
    }
    const std::uint64_t rows = means->values.size() / kMeans;
    const auto tokens = tokensOf(part, table, rows);
    if (needs.tokens && !tokens) {
        return;
    }
    for (std::uint64_t row = 0; row < rows; ++row) {
        BranchMeasures::Means values{};
        for (std::size_t m = 0; m < kMeans; ++m) {
            values[m] = means->values.at(row * kMeans + m);
        }
        std::vector<double> answered;
        for (std::size_t m = 0; choices && m < kChoices; ++m) {
            answered.push_back(choices->values.at(row * kChoices + m));
        }
        found(name(labelsOf(*means, row)),
              BranchMeasures::resultOf(values, answered,
                                       tokens ? tokens->of(row) : BranchMeasures::TokenRows()));
    }
}

}  // namespace moescope::experiments
