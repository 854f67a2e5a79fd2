// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/columns.h"

#include <cstddef>

namespace moescope::engine {

std::vector<Column> columnsOf(const model::ModelSpec& model, int layer,
                              std::span<const model::ModelSpec* const> baselines) {
    const auto index = static_cast<std::size_t>(layer);
    const model::MoeSpec& moe = model.layers.at(index).moe.value();
    std::vector<Column> columns;
    columns.reserve(static_cast<std::size_t>(moe.experts) + baselines.size() + 1);
    for (int e = 0; e < moe.experts; ++e) {
        columns.push_back({Column::Kind::Routed, std::to_string(e), moe.expert.intermediateSize});
    }
    for (std::size_t b = 0; b < baselines.size(); ++b) {
        const std::string label = baselines.size() == 1 ? "F" : "F" + std::to_string(b + 1);
        const int width = baselines[b]->layers.at(index).dense.value().intermediateSize;
        columns.push_back({Column::Kind::Baseline, label, width});
    }
    if (moe.shared) {
        columns.push_back({Column::Kind::Shared, "S", moe.shared->intermediateSize});
    }
    return columns;
}

int sharedColumn(std::span<const Column> columns) {
    const bool present = !columns.empty() && columns.back().kind == Column::Kind::Shared;
    return present ? static_cast<int>(columns.size()) - 1 : -1;
}

}  // namespace moescope::engine
