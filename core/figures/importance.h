// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/build_context.h"
#include "core/figures/prune_list.h"

#include <string>
#include <string_view>
#include <vector>

/// E1 as numbers: what a session knows of how much each expert matters. Private to the builders.
namespace moescope::figures {

/// One measure over all rows.
struct ImportanceColumn {
    const ImportanceCriterion* criterion = nullptr;
    std::string missing;         ///< what would bring it; empty: it is there
    std::vector<double> values;  ///< [rows]; NaN where there is no value
    [[nodiscard]] bool isThere() const { return missing.empty(); }
};

/// A layer's rows.
struct ImportanceLayer {
    LayerId layer;
    int experts = 0, topK = 0;
    std::size_t firstRow = 0;
};

/// Rows are experts, layer after layer, by index.
struct ImportanceTable {
    std::vector<ImportanceLayer> layers;
    std::vector<ImportanceColumn> columns;  ///< as importanceCriteria()
    std::vector<std::uint8_t> super;        ///< [rows]; empty: not known
    std::uint64_t tokens = 0;
    [[nodiscard]] std::size_t rows() const {
        return layers.empty()
                   ? 0
                   : layers.back().firstRow + static_cast<std::size_t>(layers.back().experts);
    }
    /// nullptr for an unknown id.
    [[nodiscard]] const ImportanceColumn* find(std::string_view criterion) const;
};

/// Of all routed layers and the tokens asked for; kept for the next figure of the same tokens.
/// Columns whose experiment the session does not hold say so. Throws Error(Cancelled | BadSession).
[[nodiscard]] std::shared_ptr<const ImportanceTable> importanceTable(const BuildContext& context);

/// The criterion's, or by default the best that there is. Throws Error(Usage) for an unknown one.
[[nodiscard]] const ImportanceColumn& columnOf(const ImportanceTable& table,
                                               std::string_view criterion);

/// Which experts of the figure's layers would go. Throws Error(Usage) for a criterion that is not
/// known, or that the session lacks, saying what brings it.
[[nodiscard]] PruneList pruneList(const BuildContext& context, const ImportanceTable& table,
                                  const PruneChoice& choice);

/// Those of the figure's layer, or all.
[[nodiscard]] std::vector<ImportanceLayer> shownLayers(const BuildContext& context,
                                                       const ImportanceTable& table);
/// " Missing: REAP (needs importance); ...", or nothing.
[[nodiscard]] std::string missingText(const ImportanceTable& table);
/// Puts the list that was asked for into the figure, and into words below it.
void addPrunes(const BuildContext& context, const ImportanceTable& table, Figure& figure);
[[nodiscard]] bool isRemoved(const PruneList& list, LayerId layer, int expert);

}  // namespace moescope::figures
