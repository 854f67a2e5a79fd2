// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/build_context.h"

#include <array>
#include <string>
#include <vector>

/// E2 as numbers: how close each token's choice is. Private to the builders.
namespace moescope::figures {

/// Of one layer and the tokens asked for, in their order.
struct LayerMargins {
    static constexpr std::size_t kMeasures = 3;
    LayerId layer;
    int experts = 0;
    std::vector<double> selection;       ///< k-th less next selection score
    std::vector<double> logit, entropy;  ///< empty: not kept
    std::vector<int> next;               ///< expert that would come next; empty: not kept
    std::vector<std::string> changes;    ///< "0.01" ... "bfloat16"; empty: not kept
    std::vector<std::uint8_t> flips;     ///< [tokens, changes]
    [[nodiscard]] bool isWhole() const { return !changes.empty(); }
    [[nodiscard]] bool flipped(std::size_t row, std::size_t change) const {
        return flips[row * changes.size() + change] != 0;
    }
    /// Entropy over its largest, ln E.
    [[nodiscard]] double relativeEntropy(std::size_t row) const;
};

/// From the experiment router_margin, or the margin alone from chosen_experts. Empty when the
/// session has neither for the layer.
[[nodiscard]] std::optional<LayerMargins> marginsOf(const BuildContext& context, LayerId layer);

/// Of the layer asked for, or of all that have margins.
[[nodiscard]] std::vector<LayerMargins> marginsOfLayers(const BuildContext& context);

}  // namespace moescope::figures
