// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/build_context.h"

#include <functional>
#include <optional>
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
    [[nodiscard]] std::vector<double> relativeEntropies() const;
};

/// From the experiment router_margin, or the margin alone from chosen_experts. Empty when the
/// session has neither for the layer.
[[nodiscard]] std::optional<LayerMargins> marginsOf(const BuildContext& context, LayerId layer);

/// The layer asked for, or all, as far as they have margins; ascending.
[[nodiscard]] std::vector<LayerId> layersWithMargins(const BuildContext& context);
/// All of those have logits, entropy and flips beside the margin of the selection score.
[[nodiscard]] bool hasWholeMargins(const BuildContext& context);

/// Of the layer asked for, or of all that have margins, one after the other: those of a long text
/// at all layers would not fit into memory.
void forEachMargins(const BuildContext& context,
                    const std::function<void(const LayerMargins&)>& take);

/// In place of a figure of a session that has no margins.
[[nodiscard]] Figure withoutMargins(const BuildContext& context, const std::string& what);
/// What is missing where only some layers, or none, have more than the margin of the selection
/// score; empty: nothing.
[[nodiscard]] std::string onlyMarginText(bool isWhole);

}  // namespace moescope::figures
