// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/model/model_spec.h"

#include <string>
#include <string_view>

/// References into tensors that hold several matrices: all experts of a layer, gate and up, or
/// query, key and value. E experts, I width, H hidden size.
namespace moescope::model {

/// How gate and up, and the experts, lie in one tensor. Biases are [E, 2I] and [E, H] in the same
/// order.
enum class FusedLayout {
    Rows,                ///< [E, 2I, H], I rows gate before I rows up; down [E, H, I]
    Columns,             ///< the same transposed: [E, H, 2I] and [E, I, H]
    InterleavedRows,     ///< as Rows, but gate and up take turns, gate first
    InterleavedColumns,  ///< as Columns, but gate and up take turns
    Flat,                ///< gate, up and down apart, each [E I, H], down transposed
};

struct FusedNames {
    std::string_view gateUp, down;                    ///< whole names below the layer's prefix
    std::string_view up = "";                         ///< FusedLayout::Flat; gateUp is gate then
    std::string_view gateUpBias = "", downBias = "";  ///< empty: none
    FusedLayout layout = FusedLayout::Rows;
};

/// Sizes of one layer's experts.
struct FusedSizes {
    int experts = 0;
    int hidden = 0;
    int width = 0;
};

/// The matrices of one expert.
[[nodiscard]] FeedForwardNames fusedExpert(const std::string& prefix, const FusedNames& names,
                                           const FusedSizes& sizes, int expert);

/// One gated feed-forward whose gate and up are the rows of one tensor [2I, H]; down [H, I] is
/// whole.
[[nodiscard]] FeedForwardNames fusedMlp(const std::string& prefix, const FusedNames& names,
                                        int hidden, int width);

/// In every layer query, key and value from `name` + ".weight" [(q + 2 kv heads) * head dim, H],
/// rows in this order, and their biases from `name` + ".bias" where asked for.
void setFusedQkv(ModelSpec& spec, std::string_view name, bool bias);

}  // namespace moescope::model
