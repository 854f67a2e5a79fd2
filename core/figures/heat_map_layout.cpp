// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/heat_map_layout.h"

#include <algorithm>
#include <cmath>

namespace moescope::figures {
namespace {

constexpr double kPanelGap = 16.0;
constexpr double kLabelGap = 4.0;
constexpr double kBarWidth = 10.0;
constexpr double kLargestCell = 96.0;
constexpr double kSmallestCellBeside = 2.0;
constexpr double kTallestOfSeveral = 400.0;  // on paper, of maps below one another
constexpr double kNarrowestMap = 40.0;
constexpr double kWidestGap = 10.0;

// How much room the labels around the cells take.
struct Margins {
    double left = 0.0, bottom = 0.0, title = 0.0, barSpace = 0.0;
};

double widest(const std::vector<std::string>& labels, const TextMetrics& text) {
    double width = 0.0;
    for (const std::string& label : labels) {
        width = std::max(width, text.width(label));
    }
    return width;
}

double gapUnits(std::size_t before) {
    return before > 0 ? 0.4 : 0.0;
}

Margins marginsOf(const HeatMapFigure& figure, const TextMetrics& text) {
    Margins margins;
    bool titled = false;
    for (const HeatMapPanel& panel : figure.panels) {
        margins.left = std::max(margins.left, widest(panel.rowLabels, text));
        titled = titled || !panel.title.empty();
    }
    margins.left += kLabelGap;
    margins.bottom = text.lineHeight + kLabelGap;
    if (!figure.rowTitle.empty()) {
        margins.left += text.lineHeight + kLabelGap;
    }
    if (!figure.columnTitle.empty()) {
        margins.bottom += text.lineHeight;
    }
    margins.title = titled ? text.lineHeight + kLabelGap : 0.0;
    margins.barSpace =
        kPanelGap + kBarWidth + 3.0 * kLabelGap + text.width("-0.000") + text.lineHeight;
    return margins;
}

// The gap is narrower than 0.4 cells where cells are large.
double gapWidth(std::size_t before, double cell) {
    return before > 0 ? std::min(gapUnits(before) * cell, kWidestGap) : 0.0;
}

double unitsAcross(const HeatMapPanel& panel) {
    return static_cast<double>(panel.matrix.columns) + gapUnits(panel.columnsBeforeGap);
}

double unitsDown(const HeatMapPanel& panel) {
    return static_cast<double>(panel.matrix.rows) + gapUnits(panel.rowsBeforeGap);
}

// Whole pixels from 3 up, so that cells are equal and gaps crisp; below that they share pixels.
double wholeCell(double cell) {
    const double limited = std::clamp(cell, 0.05, kLargestCell);
    return limited >= 3.0 ? std::floor(limited) : limited;
}

// A row for the roles of a layer; a landscape grid for many panels.
std::size_t columnsOnPaper(std::size_t count) {
    return count <= 4 ? count : static_cast<std::size_t>(std::ceil(std::sqrt(double(count) * 1.4)));
}

}  // namespace

double PanelLayout::columnLeft(const HeatMapPanel& panel, std::size_t column) const {
    const bool after = panel.columnsBeforeGap > 0 && column >= panel.columnsBeforeGap;
    return cells.x + static_cast<double>(column) * cell + (after ? gap : 0.0);
}

double PanelLayout::rowTop(const HeatMapPanel& panel, std::size_t row, bool fromBottom) const {
    const bool after = panel.rowsBeforeGap > 0 && row >= panel.rowsBeforeGap;
    const double offset = static_cast<double>(row) * cell + (after ? gap : 0.0);
    return fromBottom ? cells.bottom() - offset - cell : cells.y + offset;
}

HeatMapLayout layoutHeatMaps(const HeatMapFigure& figure, double width,
                             std::optional<double> height, const TextMetrics& text) {
    HeatMapLayout layout;
    if (figure.panels.empty()) {
        return layout;
    }
    const Margins margins = marginsOf(figure, text);
    const bool ownBars = figure.panels.front().ownScale.has_value();
    const double sharedBar = ownBars ? 0.0 : margins.barSpace;
    const double panelBar = ownBars ? margins.barSpace : 0.0;
    double across = 0.0;
    double down = 0.0;
    for (const HeatMapPanel& panel : figure.panels) {
        across = std::max(across, unitsAcross(panel));
        down = std::max(down, unitsDown(panel));
    }
    const std::size_t count = figure.panels.size();
    const double inner = width - sharedBar;
    const double aspect = across / down;
    std::size_t columns = height
                              ? bestColumns(count, inner, *height, aspect, kPanelGap + margins.left,
                                            margins.title + margins.bottom)
                              : columnsOnPaper(count);
    const double narrowest = margins.left + panelBar + kNarrowestMap + kPanelGap;
    columns = std::clamp<std::size_t>(static_cast<std::size_t>((inner + kPanelGap) / narrowest), 1,
                                      columns);
    // On paper a few maps of many experts go below one another rather than below 2 pixels a cell.
    while (!height && count <= 4 && columns > 1 &&
           (inner / static_cast<double>(columns) - margins.left - panelBar - kPanelGap) / across <
               kSmallestCellBeside) {
        --columns;
    }
    const std::size_t rows = (count + columns - 1) / columns;
    const double slotWidth =
        (inner - kPanelGap * static_cast<double>(columns - 1)) / static_cast<double>(columns);
    double cell = (slotWidth - margins.left - panelBar) / across;
    if (height) {
        const double slotHeight =
            (*height - kPanelGap * static_cast<double>(rows - 1)) / static_cast<double>(rows);
        cell = std::min(cell, (slotHeight - margins.title - margins.bottom) / down);
    }
    if (!height && rows > 1) {
        cell = std::min(cell, kTallestOfSeveral / down);
    }
    cell = wholeCell(cell);
    double mapWidth = 0.0;
    double mapHeight = 0.0;
    for (const HeatMapPanel& panel : figure.panels) {
        mapWidth = std::max(mapWidth, cell * static_cast<double>(panel.matrix.columns) +
                                          gapWidth(panel.columnsBeforeGap, cell));
        mapHeight = std::max(mapHeight, cell * static_cast<double>(panel.matrix.rows) +
                                            gapWidth(panel.rowsBeforeGap, cell));
    }
    const double strideX = margins.left + mapWidth + panelBar + kPanelGap;
    const double strideY = margins.title + mapHeight + margins.bottom + kPanelGap;
    for (std::size_t i = 0; i < count; ++i) {
        const HeatMapPanel& panel = figure.panels[i];
        const double x = static_cast<double>(i % columns) * strideX;
        const double y = static_cast<double>(i / columns) * strideY;
        PanelLayout place;
        place.cell = cell;
        place.gap = gapWidth(1, cell);
        place.title = {x + margins.left, y, strideX - margins.left - kPanelGap, margins.title};
        place.cells = {
            x + margins.left, y + margins.title,
            cell * static_cast<double>(panel.matrix.columns) +
                gapWidth(panel.columnsBeforeGap, cell),
            cell * static_cast<double>(panel.matrix.rows) + gapWidth(panel.rowsBeforeGap, cell)};
        place.rowThinning = thinning(panel.matrix.rows, cell, text.lineHeight * 0.95);
        place.columnThinning =
            thinning(panel.matrix.columns, cell, widest(panel.columnLabels, text) + kLabelGap);
        if (panel.ownScale) {
            place.bar = {place.cells.right() + kPanelGap * 0.75, place.cells.y, kBarWidth,
                         place.cells.height};
        }
        layout.panels.push_back(place);
    }
    layout.height = static_cast<double>(rows) * strideY - kPanelGap;
    if (!ownBars) {
        const PanelLayout& first = layout.panels.front();
        const double right = static_cast<double>(std::min(columns, count)) * strideX - kPanelGap;
        layout.bar = {right + kPanelGap, first.cells.y, kBarWidth, first.cells.height};
    }
    return layout;
}

std::optional<HeatMapLayout::Cell> HeatMapLayout::cellAt(const HeatMapFigure& figure, double x,
                                                         double y) const {
    for (std::size_t i = 0; i < panels.size(); ++i) {
        const PanelLayout& place = panels[i];
        if (!place.cells.contains(x, y)) {
            continue;
        }
        const HeatMapPanel& panel = figure.panels[i];
        const auto index = [&](double offset, std::size_t before,
                               std::size_t count) -> std::optional<std::size_t> {
            auto n = static_cast<std::size_t>(offset / place.cell);
            if (before > 0 && n >= before) {
                if (offset < static_cast<double>(before) * place.cell + place.gap) {
                    return std::nullopt;
                }
                n = static_cast<std::size_t>((offset - place.gap) / place.cell);
            }
            return n < count ? std::optional(n) : std::nullopt;
        };
        const auto column = index(x - place.cells.x, panel.columnsBeforeGap, panel.matrix.columns);
        const auto row =
            index(figure.firstRowAtBottom ? place.cells.bottom() - y : y - place.cells.y,
                  panel.rowsBeforeGap, panel.matrix.rows);
        if (row && column) {
            return Cell{i, *row, *column};
        }
    }
    return std::nullopt;
}

Rect HeatMapLayout::cellRect(const HeatMapFigure& figure, const Cell& cell) const {
    const PanelLayout& place = panels.at(cell.panel);
    const HeatMapPanel& panel = figure.panels.at(cell.panel);
    return {place.columnLeft(panel, cell.column),
            place.rowTop(panel, cell.row, figure.firstRowAtBottom), place.cell, place.cell};
}

}  // namespace moescope::figures
