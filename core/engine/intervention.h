// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/strong_id.h"

#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace moescope::engine {

/// What is changed at one layer's router and experts. Values per expert are empty (nothing) or one
/// per routed expert.
struct LayerIntervention {
    /// Added to the logits before scores are taken; -infinity removes an expert.
    std::vector<float> logitBias;
    /// Added to the selection scores alone: forces or bars an expert without changing its score.
    std::vector<float> selectionBias;
    std::optional<int> topK;
    std::vector<float> weightFactor;  ///< multiplies the routing weights
    std::vector<float> outputFactor;  ///< multiplies the experts' outputs

    [[nodiscard]] static LayerIntervention without(int experts, const std::vector<int>& removed) {
        LayerIntervention result;
        result.logitBias.assign(static_cast<std::size_t>(experts), 0.0F);
        for (const int expert : removed) {
            result.logitBias.at(static_cast<std::size_t>(expert)) =
                -std::numeric_limits<float>::infinity();
        }
        return result;
    }
};

/// A branch of a run: the intact model with changes at some layers. Branch 0 has none.
struct Intervention {
    BranchId branch;
    std::string name;
    std::vector<std::pair<LayerId, LayerIntervention>> layers;

    /// nullptr where the layer is left as it is.
    [[nodiscard]] const LayerIntervention* at(LayerId layer) const noexcept {
        for (const auto& [id, change] : layers) {
            if (id == layer) {
                return &change;
            }
        }
        return nullptr;
    }
};

}  // namespace moescope::engine
