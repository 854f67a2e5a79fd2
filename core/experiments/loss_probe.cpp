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
    return (branches(model).size() + 1) * NextTokenLoss::measures().size() * sizeof(double);
}

void LossProbe::begin(const engine::ModelContext& model,
                      const std::vector<engine::Intervention>& passed) {
    m_losses.begin(model.corpus, passed.size());
    prepare(model, passed, m_losses);
}

session::Part LossProbe::partOf(const engine::ModelContext& model, Progress progress) const {
    session::Part part;
    part.tokens = model.corpus.ids.size();
    part.warnings = m_losses.warnings();
    part.quantities.push_back(m_losses.intact());
    addTables(model, m_losses, progress, part);
    return part;
}

void LossProbe::recall(const model::ModelSpec& model, const engine::KeptPart& part,
                       const Recalled& recalled) const {
    std::map<std::string, std::size_t> places;
    for (const engine::Intervention& branch : branches(model)) {
        places.emplace(branch.name, places.size());
    }
    recallByName(part, [&](const std::string& name, std::vector<double> result) {
        if (const auto place = places.find(name); place != places.end()) {
            recalled(place->second, std::move(result));
        }
    });
}

void LossProbe::recallTable(
    const engine::KeptPart& part, std::string_view table, std::string_view tokens,
    const std::function<std::string(const std::vector<std::string>& labels)>& name,
    const NamedResult& found) {
    constexpr std::size_t kMeans = std::tuple_size_v<NextTokenLoss::Means>;
    const auto means = part.read(table);
    if (!means || means->axes.size() < 2 || means->values.shape().back() != kMeans) {
        return;
    }
    for (std::size_t axis = 0; axis + 1 < means->axes.size(); ++axis) {
        const auto& names = means->axes[axis].labels;
        if (!names.empty() && names.size() != means->values.shape()[axis]) {
            return;
        }
    }
    auto losses = tokens.empty() ? std::nullopt : part.read(tokens);
    if (losses && losses->values.type() != ElementType::F32) {
        losses.reset();
    }
    const std::uint64_t rows = means->values.size() / kMeans;
    const std::uint64_t width = losses && rows > 0 ? losses->values.size() / rows : 0;
    for (std::uint64_t row = 0; row < rows; ++row) {
        std::vector<std::string> labels(means->axes.size() - 1);
        std::uint64_t rest = row;
        for (std::size_t axis = labels.size(); axis-- > 0;) {
            const std::uint64_t length = means->values.shape()[axis];
            const auto& names = means->axes[axis].labels;
            labels[axis] = names.empty() ? std::to_string(rest % length) : names[rest % length];
            rest /= length;
        }
        NextTokenLoss::Means values{};
        for (std::size_t m = 0; m < kMeans; ++m) {
            values[m] = means->values.at(row * kMeans + m);
        }
        const auto all = width > 0 ? losses->values.values<float>() : std::span<const float>();
        found(name(labels),
              NextTokenLoss::resultOf(values, width > 0 ? all.subspan(row * width, width) : all));
    }
}

}  // namespace moescope::experiments
