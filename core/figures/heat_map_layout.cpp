// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/heat_map_layout.h"

#include "core/figures/bar_marks.h"

#include <algorithm>
#include <cctype>
#include <cmath>

namespace moescope::figures {
namespace {

constexpr double kPanelGap = 16.0;
constexpr double kLabelGap = 4.0;
constexpr double kBarWidth = 10.0;
constexpr double kBarArrow = 6.0;
constexpr double kLargestCell = 96.0;
constexpr double kWide = 1.5;  ///< times as wide as high
constexpr double kSmallestCellOfWide = 12.0;
constexpr double kSmallestCellBeside = 2.0;
constexpr double kNarrowestMap = 40.0;
// On paper, in pixels of 1/96 inch.
constexpr std::size_t kFewMaps = 4;        // the roles of a layer
constexpr double kNarrowestOfFew = 110.0;  // 29 mm: a map one can read
constexpr double kReadableCell = 10.0;     // whose colour is told from its neighbours'
constexpr double kNarrowestOfMany = 72.0;
constexpr double kPageHeight = 880.0;        // a page less its caption
constexpr double kTallestOfSeveral = 400.0;  // of maps below one another
constexpr double kTallestOfFewExperts = 160.0;
constexpr double kEnoughCell = 3.0;
constexpr double kWidestGap = 10.0;
// Maps of layers or domains by hundreds of experts.
constexpr double kFlat = 3.0;  ///< times as wide as high
constexpr double kTallestFlat = 440.0;

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

/// Names, which cannot be told from their neighbours' as numbers can: "arxiv", not "17", "F" or
/// "S0".
bool isWord(const std::string& label) {
    constexpr std::size_t kLongestSign = 3;
    return label.size() > kLongestSign &&
           std::any_of(label.begin(), label.end(),
                       [](unsigned char c) { return std::isalpha(c) != 0 || c >= 0x80; });
}

bool haveWords(const HeatMapFigure& figure, std::vector<std::string> HeatMapPanel::*labels) {
    return std::any_of(figure.panels.begin(), figure.panels.end(), [&](const HeatMapPanel& panel) {
        return std::any_of((panel.*labels).begin(), (panel.*labels).end(), isWord);
    });
}

double widestColumn(const HeatMapFigure& figure, const TextMetrics& text) {
    double width = 0.0;
    for (const HeatMapPanel& panel : figure.panels) {
        width = std::max(width, widest(panel.columnLabels, text));
    }
    return width;
}

double gapUnits(std::size_t before) {
    return before > 0 ? 0.4 : 0.0;
}

bool hasOwnBar(const HeatMapFigure& figure) {
    return std::any_of(figure.panels.begin(), figure.panels.end(),
                       [](const HeatMapPanel& panel) { return panel.ownScale.has_value(); });
}

bool hasSharedBar(const HeatMapFigure& figure) {
    return std::any_of(figure.panels.begin(), figure.panels.end(),
                       [](const HeatMapPanel& panel) { return !panel.ownScale; });
}

/// Of the numbers beside a colour bar.
double widestMark(const ScaleBar& bar, const TextMetrics& text) {
    double width = text.width("-0.000");
    for (const BarMark& mark : barMarks(bar, kMostBarMarks)) {
        width = std::max(width, text.width(mark.text));
    }
    return width;
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
    // The arrow head of a bar beside its map must not reach into the title.
    margins.title += titled && hasOwnBar(figure) ? kBarArrow : 0.0;
    double mark = widestMark(figure.bar, text);
    for (const HeatMapPanel& panel : figure.panels) {
        mark = panel.ownScale ? std::max(mark, widestMark(*panel.ownScale, text)) : mark;
    }
    margins.barSpace = kPanelGap + kBarWidth + 3.0 * kLabelGap + mark + text.lineHeight;
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

// What decides the grid of panels.
struct GridInput {
    std::size_t count = 0;
    double across = 0.0, down = 0.0;  // cells of the largest panel, gap included
    double inner = 0.0;               // width without the shared bar
    double panelBar = 0.0;            // width of a panel's own bar
    std::vector<bool> ownBar;         // of each panel
    bool hasNamedRows = false;
    Margins margins;

    /// Whether a column of the grid takes room for bars of its panels. Where it is the only
    /// one, the shared bar's room serves both.
    [[nodiscard]] bool barIn(std::size_t column, std::size_t columns) const {
        if (columns == 1 && std::find(ownBar.begin(), ownBar.end(), false) != ownBar.end()) {
            return false;
        }
        for (std::size_t i = column; i < count; i += columns) {
            if (ownBar[i]) {
                return true;
            }
        }
        return false;
    }
    [[nodiscard]] double mapWidth(std::size_t columns) const {
        const auto n = static_cast<double>(columns);
        double bars = 0.0;
        for (std::size_t column = 0; column < columns; ++column) {
            bars += barIn(column, columns) ? panelBar : 0.0;
        }
        return (inner - kPanelGap * (n - 1.0) - bars) / n - margins.left;
    }
    [[nodiscard]] std::size_t rows(std::size_t columns) const {
        return (count + columns - 1) / columns;
    }
    [[nodiscard]] double height(std::size_t columns) const {
        const double map = mapWidth(columns) * down / across;
        return static_cast<double>(rows(columns)) *
               (map + margins.title + margins.bottom + kPanelGap);
    }
};

struct Grid {
    std::size_t columns = 1;
    double cell = 0.0;
    double tallest = kTallestFlat;  // of a map
};

// Large enough to be read: the map, or each cell of it.
bool isReadable(const GridInput& in, std::size_t columns) {
    const double width = in.mapWidth(columns);
    const double cell = width / in.across;
    // Wide maps lie well below one another; beside each other their cells would be tiny.
    const double smallest = in.across > kWide * in.down ? kSmallestCellOfWide : kSmallestCellBeside;
    // Four in a row, as the paper prints a router beside its experts, may be smaller than three;
    // and three where the names of rows take so much that below one another most of the width
    // would be empty.
    const std::size_t inARow = in.hasNamedRows ? kFewMaps - 1 : kFewMaps;
    return cell >= smallest &&
           (width >= kNarrowestOfFew ||
            (columns >= inARow && width >= kNarrowestOfMany && cell >= kReadableCell));
}

// The roles of a layer side by side while each can be read, else below one another, no row with
// fewer than the others.
std::size_t columnsForFew(const GridInput& in) {
    std::size_t columns = in.count;
    while (columns > 1 && (in.count % columns != 0 || !isReadable(in, columns))) {
        --columns;
    }
    return columns;
}

// A landscape grid, narrower where maps would be too small, wider where it would not fit on a page.
std::size_t columnsForMany(const GridInput& in) {
    auto columns = static_cast<std::size_t>(std::ceil(std::sqrt(double(in.count) * 1.4)));
    while (columns > 1 && in.mapWidth(columns) < kNarrowestOfMany) {
        --columns;
    }
    while (columns < in.count && in.height(columns) > kPageHeight &&
           in.mapWidth(columns + 1) >= kNarrowestMap) {
        ++columns;
    }
    return columns;
}

Grid gridOnPaper(const GridInput& in) {
    Grid grid;
    grid.columns = in.count <= kFewMaps ? columnsForFew(in) : columnsForMany(in);
    grid.cell = in.mapWidth(grid.columns) / in.across;
    if (in.rows(grid.columns) > 1) {
        const double tallest =
            std::clamp(kEnoughCell * in.down, kTallestOfFewExperts, kTallestOfSeveral);
        grid.cell = std::min(grid.cell, tallest / in.down);
        grid.tallest = tallest;
    }
    return grid;
}

Grid gridOnScreen(const GridInput& in, double height) {
    Grid grid;
    const double narrowest = in.margins.left + in.panelBar + kNarrowestMap + kPanelGap;
    const auto most = static_cast<std::size_t>(std::max((in.inner + kPanelGap) / narrowest, 1.0));
    grid.columns = std::min(
        most, bestColumns(in.count, in.inner, height, in.across / in.down,
                          kPanelGap + in.margins.left, in.margins.title + in.margins.bottom));
    const auto rows = static_cast<double>(in.rows(grid.columns));
    const double slot = (height - kPanelGap * (rows - 1.0)) / rows;
    grid.tallest = slot - in.margins.title - in.margins.bottom;
    grid.cell = std::min(in.mapWidth(grid.columns) / in.across, grid.tallest / in.down);
    return grid;
}

GridInput gridInput(const HeatMapFigure& figure, double width, const Margins& margins) {
    GridInput in;
    in.count = figure.panels.size();
    in.margins = margins;
    in.inner = width - (hasSharedBar(figure) ? margins.barSpace : 0.0);
    in.panelBar = hasOwnBar(figure) ? margins.barSpace : 0.0;
    in.hasNamedRows = haveWords(figure, &HeatMapPanel::rowLabels);
    for (const HeatMapPanel& panel : figure.panels) {
        in.ownBar.push_back(panel.ownScale.has_value());
        in.across = std::max(in.across, unitsAcross(panel));
        in.down = std::max(in.down, unitsDown(panel));
    }
    return in;
}

// Rows of flat maps, and those with names, are as high as their labels, or as there is room.
double rowHeightOf(const HeatMapFigure& figure, const GridInput& in, const Grid& grid, double cell,
                   const TextMetrics& text) {
    const double lowest = std::ceil(text.lineHeight);
    const bool isFlat = in.across > kFlat * in.down;
    if (figure.isPair || cell >= lowest ||
        !(isFlat || haveWords(figure, &HeatMapPanel::rowLabels))) {
        return cell;
    }
    return std::max(cell, std::floor(std::min(lowest, grid.tallest / in.down)));
}

// The shared bar is as high as the first map it is of, or as its label is long.
void placeSharedBar(HeatMapLayout& layout, const HeatMapFigure& figure, double left,
                    const TextMetrics& text) {
    const auto first = std::find_if(figure.panels.begin(), figure.panels.end(),
                                    [](const HeatMapPanel& panel) { return !panel.ownScale; });
    const Rect& map =
        layout.panels.at(static_cast<std::size_t>(first - figure.panels.begin())).cells;
    const double height = std::max(map.height, text.width(figure.bar.label) + 2.0 * kLabelGap);
    layout.bar = {left, map.y, kBarWidth, height};
    layout.height = std::max(layout.height, layout.bar.bottom() + text.lineHeight / 2.0);
}

}  // namespace

double PanelLayout::columnLeft(const HeatMapPanel& panel, std::size_t column) const {
    const bool after = panel.columnsBeforeGap > 0 && column >= panel.columnsBeforeGap;
    return cells.x + static_cast<double>(column) * cell + (after ? gap : 0.0);
}

double PanelLayout::rowTop(const HeatMapPanel& panel, std::size_t row, bool fromBottom) const {
    const bool after = panel.rowsBeforeGap > 0 && row >= panel.rowsBeforeGap;
    const double offset = static_cast<double>(row) * rowHeight + (after ? gap : 0.0);
    return fromBottom ? cells.bottom() - offset - rowHeight : cells.y + offset;
}

HeatMapLayout layoutHeatMaps(const HeatMapFigure& figure, double width,
                             std::optional<double> height, const TextMetrics& text) {
    HeatMapLayout layout;
    if (figure.panels.empty()) {
        return layout;
    }
    Margins margins = marginsOf(figure, text);
    GridInput in = gridInput(figure, width, margins);
    Grid grid = height ? gridOnScreen(in, *height) : gridOnPaper(in);
    const double labelWidth = widestColumn(figure, text) + kLabelGap;
    const bool isUpright =
        haveWords(figure, &HeatMapPanel::columnLabels) && labelWidth > wholeCell(grid.cell);
    if (isUpright) {
        margins.bottom += labelWidth - text.lineHeight;
        in = gridInput(figure, width, margins);
        grid = height ? gridOnScreen(in, *height) : gridOnPaper(in);
    }
    const std::size_t count = in.count;
    const std::size_t columns = grid.columns;
    const std::size_t rows = in.rows(columns);
    const double cell = wholeCell(grid.cell);
    const double rowHeight = rowHeightOf(figure, in, grid, cell, text);
    double mapWidth = 0.0;
    double mapHeight = 0.0;
    for (const HeatMapPanel& panel : figure.panels) {
        mapWidth = std::max(mapWidth, cell * static_cast<double>(panel.matrix.columns) +
                                          gapWidth(panel.columnsBeforeGap, cell));
        mapHeight = std::max(mapHeight, rowHeight * static_cast<double>(panel.matrix.rows) +
                                            gapWidth(panel.rowsBeforeGap, cell));
    }
    const double slot = margins.left + mapWidth + kPanelGap;
    std::vector<double> lefts{0.0};  // of the grid's columns, and where the last one ends
    for (std::size_t column = 0; column < std::min(columns, count); ++column) {
        lefts.push_back(lefts.back() + slot + (in.barIn(column, columns) ? in.panelBar : 0.0));
    }
    const double strideY = margins.title + mapHeight + margins.bottom + kPanelGap;
    for (std::size_t i = 0; i < count; ++i) {
        const HeatMapPanel& panel = figure.panels[i];
        const std::size_t row = i / columns;
        const std::size_t column = i % columns;
        const double x = lefts[column];
        const double y = static_cast<double>(row) * strideY;
        PanelLayout place;
        place.cell = cell;
        place.rowHeight = rowHeight;
        place.gap = gapWidth(1, cell);
        // The last map's title may reach over what is beside the map.
        const double titleEnd =
            column + 1 == columns || i + 1 == count ? width : lefts[column + 1] - kPanelGap;
        place.title = {x + margins.left, y, titleEnd - x - margins.left, margins.title};
        place.cells = {x + margins.left, y + margins.title,
                       cell * static_cast<double>(panel.matrix.columns) +
                           gapWidth(panel.columnsBeforeGap, cell),
                       rowHeight * static_cast<double>(panel.matrix.rows) +
                           gapWidth(panel.rowsBeforeGap, cell)};
        place.rowThinning = thinning(panel.matrix.rows, rowHeight, text.lineHeight * 0.95);
        place.columnsUpright = isUpright;
        place.labelsBelow = isUpright ? labelWidth : text.lineHeight;
        place.columnThinning = thinning(
            panel.matrix.columns, cell,
            isUpright ? text.lineHeight * 0.95 : widest(panel.columnLabels, text) + kLabelGap);
        if (panel.ownScale) {
            place.bar = {place.cells.right() + kPanelGap * 0.75, place.cells.y, kBarWidth,
                         place.cells.height};
        }
        layout.panels.push_back(place);
    }
    layout.height = static_cast<double>(rows) * strideY - kPanelGap;
    if (hasSharedBar(figure)) {
        placeSharedBar(layout, figure, lefts.back(), text);
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
        const auto index = [&](double offset, double size, std::size_t before,
                               std::size_t count) -> std::optional<std::size_t> {
            auto n = static_cast<std::size_t>(offset / size);
            if (before > 0 && n >= before) {
                if (offset < static_cast<double>(before) * size + place.gap) {
                    return std::nullopt;
                }
                n = static_cast<std::size_t>((offset - place.gap) / size);
            }
            return n < count ? std::optional(n) : std::nullopt;
        };
        const auto column =
            index(x - place.cells.x, place.cell, panel.columnsBeforeGap, panel.matrix.columns);
        const auto row =
            index(figure.firstRowAtBottom ? place.cells.bottom() - y : y - place.cells.y,
                  place.rowHeight, panel.rowsBeforeGap, panel.matrix.rows);
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
            place.rowTop(panel, cell.row, figure.firstRowAtBottom), place.cell, place.rowHeight};
}

}  // namespace moescope::figures
