// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/figure.h"
#include "core/figures/geometry.h"

#include <optional>
#include <vector>

namespace moescope::figures {

/// Where one panel of a heat map lies.
struct PanelLayout {
    Rect title;
    Rect cells;              ///< all cells, gap included
    double cell = 0.0;       ///< width of a cell
    double rowHeight = 0.0;  ///< height of a cell: its width, but in flat maps
    double gap = 0.0;        ///< before rows and columns that are set apart
    std::size_t rowThinning = 1, columnThinning = 1;
    bool columnsUpright = false;  ///< labels of columns are written upwards: words that are wide
    double labelsBelow = 0.0;     ///< room that they take below the cells
    Rect bar;                     ///< the panel's own colour bar; empty when it has none

    [[nodiscard]] double columnLeft(const HeatMapPanel& panel, std::size_t column) const;
    [[nodiscard]] double rowTop(const HeatMapPanel& panel, std::size_t row, bool fromBottom) const;
};

/// Where the parts of a heat-map figure lie: panels in a grid, on the right the colour bar of those
/// that have none of their own. Cells are square and whole pixels where they are large enough; of
/// flat maps (few rows, many columns) that are not of pairs of experts they are higher than wide.
struct HeatMapLayout {
    std::vector<PanelLayout> panels;
    Rect bar;  ///< the shared colour bar; empty when every panel has its own
    double height = 0.0;

    struct Cell {
        std::size_t panel, row, column;
        bool operator==(const Cell&) const = default;
    };
    [[nodiscard]] std::optional<Cell> cellAt(const HeatMapFigure& figure, double x, double y) const;
    [[nodiscard]] Rect cellRect(const HeatMapFigure& figure, const Cell& cell) const;
};

/// `height` limits the panels on screen; nullopt lets them be as high as the width asks for.
[[nodiscard]] HeatMapLayout layoutHeatMaps(const HeatMapFigure& figure, double width,
                                           std::optional<double> height, const TextMetrics& text);

}  // namespace moescope::figures
