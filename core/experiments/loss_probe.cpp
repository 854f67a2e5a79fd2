// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/loss_probe.h"

#include <map>
#include <string>
#include <tuple>
#include <utility>

namespace moescope::experiments {

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
    const engine::KeptPart& part, RecallNeeds needs, std::string_view table, std::size_t nameAxes,
    std::string_view tokens,
    const std::function<std::string(const std::vector<std::string>& labels)>& name,
    const NamedResult& found) {
    constexpr std::size_t kMeans = std::tuple_size_v<BranchMeasures::Means>;
    constexpr std::size_t kChoices = std::tuple_size_v<ChoiceScores::Accuracies>;
    const auto means = part.read(table);
    const auto choices = part.read(std::string(table) + "_choices");
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
    auto losses = tokens.empty() ? std::nullopt : part.read(tokens);
    if (losses && losses->values.type() != ElementType::F32) {
        losses.reset();
    }
    if (needs.tokens && !losses) {
        return;
    }
    const std::uint64_t rows = means->values.size() / kMeans;
    const std::uint64_t width = losses && rows > 0 ? losses->values.size() / rows : 0;
    if (losses && width * rows != losses->values.size()) {
        return;
    }
    for (std::uint64_t row = 0; row < rows; ++row) {
        std::vector<std::string> labels(means->axes.size() - 1);
        std::uint64_t rest = row;
        for (std::size_t axis = labels.size(); axis-- > 0;) {
            const std::uint64_t length = means->values.shape()[axis];
            const auto& names = means->axes[axis].labels;
            labels[axis] = names.empty() ? std::to_string(rest % length) : names[rest % length];
            rest /= length;
        }
        BranchMeasures::Means values{};
        for (std::size_t m = 0; m < kMeans; ++m) {
            values[m] = means->values.at(row * kMeans + m);
        }
        std::vector<double> answered;
        for (std::size_t m = 0; choices && m < kChoices; ++m) {
            answered.push_back(choices->values.at(row * kChoices + m));
        }
        const auto all = width > 0 ? losses->values.values<float>() : std::span<const float>();
        found(name(labels),
              BranchMeasures::resultOf(values, answered,
                                       width > 0 ? all.subspan(row * width, width) : all));
    }
}

}  // namespace moescope::experiments
