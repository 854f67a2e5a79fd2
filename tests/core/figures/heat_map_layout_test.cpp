// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/heat_map_layout.h"

#include "tests/support/catch.h"

using namespace moescope::figures;

namespace {

HeatMapFigure maps(std::size_t count, std::size_t n, bool baseline) {
    HeatMapFigure figure;
    for (std::size_t p = 0; p < count; ++p) {
        HeatMapPanel panel;
        panel.title = "gate";
        for (std::size_t i = 0; i < n; ++i) {
            panel.rowLabels.push_back(std::to_string(i));
        }
        if (baseline) {
            panel.rowLabels.emplace_back("F");
            panel.rowsBeforeGap = panel.columnsBeforeGap = n;
        }
        panel.columnLabels = panel.rowLabels;
        const std::size_t side = panel.rowLabels.size();
        panel.matrix = {side, side, std::vector<float>(side * side)};
        figure.panels.push_back(panel);
    }
    return figure;
}

const TextMetrics kText{12.0, [](std::string_view text) { return 6.0 * double(text.size()); }};

}  // namespace

TEST_CASE("layoutHeatMaps: every cell is found where it is drawn", "[core][figures]") {
    for (const std::size_t n : {1U, 8U, 64U, 200U}) {
        for (const bool upwards : {false, true}) {
            HeatMapFigure figure = maps(3, n, true);
            figure.firstRowAtBottom = upwards;
            const HeatMapLayout layout = layoutHeatMaps(figure, 1000, 500.0, kText);
            for (std::size_t p = 0; p < 3; ++p) {
                for (std::size_t i = 0; i <= n; i += 3) {
                    const HeatMapLayout::Cell cell{p, i, n - i};
                    const Rect rect = layout.cellRect(figure, cell);
                    const auto found =
                        layout.cellAt(figure, rect.x + rect.width / 2, rect.y + rect.height / 2);
                    REQUIRE(found);
                    CHECK(*found == cell);
                }
            }
        }
    }
}

TEST_CASE("layoutHeatMaps: cells are square, panels apart and inside", "[core][figures]") {
    for (const double width : {321.0, 657.0, 1280.0, 2560.0}) {
        for (const std::size_t n : {8U, 64U, 256U}) {
            for (const std::size_t count : {1U, 3U, 32U}) {
                const HeatMapFigure figure = maps(count, n, true);
                const HeatMapLayout layout = layoutHeatMaps(figure, width, std::nullopt, kText);
                INFO(width << " wide, " << n << " experts, " << count << " panels");
                for (std::size_t p = 0; p < count; ++p) {
                    const PanelLayout& panel = layout.panels[p];
                    CHECK(panel.cells.width == Approx(panel.cells.height));
                    CHECK(panel.cells.right() <= width + 0.01);
                    CHECK(panel.cells.bottom() <= layout.height + 0.01);
                    if (p > 0 && panel.cells.y == layout.panels[p - 1].cells.y) {
                        CHECK(panel.cells.x > layout.panels[p - 1].cells.right());
                    }
                }
                CHECK(layout.bar.right() <= width);
            }
        }
    }
}

TEST_CASE("layoutHeatMaps: nothing lies in the gap before F", "[core][figures]") {
    const HeatMapFigure figure = maps(1, 8, true);
    const HeatMapLayout layout = layoutHeatMaps(figure, 400, std::nullopt, kText);
    const Rect last = layout.cellRect(figure, {0, 0, 7});
    const Rect baseline = layout.cellRect(figure, {0, 0, 8});
    CHECK(baseline.x - last.right() == Approx(layout.panels[0].gap));
    CHECK_FALSE(layout.cellAt(figure, last.right() + layout.panels[0].gap / 2, last.y + 1));
    CHECK_FALSE(layout.cellAt(figure, -5, -5));
}

TEST_CASE("layoutHeatMaps: rows of flat maps are high enough for their labels", "[core][figures]") {
    for (const std::size_t layers : {4U, 16U, 61U}) {
        HeatMapFigure figure = maps(1, layers, false);
        HeatMapPanel& panel = figure.panels.front();
        constexpr std::size_t kExperts = 256;
        panel.matrix.columns = kExperts;
        panel.matrix.values.assign(layers * kExperts, 0.0F);
        panel.columnLabels.assign(kExperts, "7");
        figure.isPair = true;
        const auto square = layoutHeatMaps(figure, 642, std::nullopt, kText);
        CHECK(square.panels[0].rowHeight == square.panels[0].cell);
        figure.isPair = false;
        for (const std::optional<double> height :
             {std::optional<double>(), std::optional(500.0), std::optional(140.0)}) {
            CAPTURE(layers, height.value_or(0.0));
            const auto flat = layoutHeatMaps(figure, 642, height, kText);
            const PanelLayout& place = flat.panels[0];
            CHECK(place.rowHeight >= place.cell);
            CHECK((height == 140.0 || place.rowHeight >= 6.0));
            CHECK(place.cells.width <= 642.0);
            CHECK((!height || place.cells.bottom() <= *height));
            for (const std::size_t row : {std::size_t{0}, layers / 2, layers - 1}) {
                const HeatMapLayout::Cell cell{0, row, 100};
                const Rect rect = flat.cellRect(figure, cell);
                CHECK(rect.height == place.rowHeight);
                CHECK(flat.cellAt(figure, rect.x + rect.width / 2, rect.y + rect.height / 2) ==
                      cell);
            }
        }
    }
}

TEST_CASE("layoutHeatMaps: no panels, no layout", "[core][figures]") {
    CHECK(layoutHeatMaps({}, 100, std::nullopt, kText).panels.empty());
}

TEST_CASE("layoutHeatMaps: on paper maps stay large enough to read", "[core][figures]") {
    // Body widths of figures of 85, 120 and 174 mm.
    for (const double width : {305.0, 438.0, 642.0}) {
        for (const std::size_t n : {8U, 32U, 64U}) {
            INFO(width << " wide, " << n << " experts");
            const HeatMapLayout roles =
                layoutHeatMaps(maps(3, n, true), width, std::nullopt, kText);
            CHECK(roles.panels[0].cells.width >= 100.0);
            CHECK(roles.panels[0].cell >= 2.0);
            const HeatMapLayout layers =
                layoutHeatMaps(maps(27, n, false), width, std::nullopt, kText);
            CHECK(layers.panels[0].cells.width >= 38.0);
            CHECK(layers.height <= 1100.0);
        }
    }
    const auto stacked = layoutHeatMaps(maps(3, 8, true), 305, std::nullopt, kText);
    CHECK(stacked.panels[1].cells.y > stacked.panels[0].cells.bottom());
    const auto beside = layoutHeatMaps(maps(3, 8, true), 642, std::nullopt, kText);
    CHECK(beside.panels[1].cells.y == beside.panels[0].cells.y);
    // Domains by eight experts: names take much of the width, three go beside each other still.
    HeatMapFigure domains = maps(3, 8, true);
    for (HeatMapPanel& panel : domains.panels) {
        panel.rowLabels.front() = "mathematics";
    }
    const auto named = layoutHeatMaps(domains, 642, std::nullopt, kText);
    CHECK(named.panels[2].cells.y == named.panels[0].cells.y);
    CHECK(named.panels[0].cell >= 10.0);
    const auto narrow = layoutHeatMaps(domains, 305, std::nullopt, kText);
    CHECK(narrow.panels[1].cells.y > narrow.panels[0].cells.bottom());
}

TEST_CASE("layoutHeatMaps: maps that share a bar beside one with its own", "[core][figures]") {
    for (const double width : {321.0, 657.0, 1280.0}) {
        for (const std::size_t n : {8U, 64U}) {
            HeatMapFigure figure = maps(4, n, false);
            figure.panels.front().ownScale = ScaleBar{};
            const HeatMapLayout layout = layoutHeatMaps(figure, width, std::nullopt, kText);
            INFO(width << " wide, " << n << " experts");
            const Rect& own = layout.panels.front().bar;
            CHECK(own.x > layout.panels.front().cells.right());
            CHECK(layout.bar.right() <= width);
            CHECK(layout.bar.y >= layout.panels[1].cells.y - 0.01);  // beside one it is of
            for (std::size_t p = 1; p < 4; ++p) {
                const PanelLayout& panel = layout.panels[p];
                CHECK(panel.bar.width == 0.0);
                CHECK(panel.cells.right() < layout.bar.x);
                if (panel.cells.y == layout.panels.front().cells.y) {
                    CHECK(panel.cells.x > own.right());
                }
            }
            // As the paper prints them where that can be read, and never three and one.
            const bool isRow = layout.panels[3].cells.y == layout.panels[0].cells.y;
            CHECK(isRow == (n == 8 ? width > 600.0 : width > 1000.0));
            CHECK((isRow || layout.panels[2].cells.y > layout.panels[0].cells.y));
        }
    }
}

TEST_CASE("layoutHeatMaps: the colour bar has room for its label", "[core][figures]") {
    HeatMapFigure figure = maps(3, 2, false);
    figure.bar.label = "angular similarity, relative";
    const HeatMapLayout layout = layoutHeatMaps(figure, 305, std::nullopt, kText);
    CHECK(layout.bar.height >= kText.width(figure.bar.label));
    CHECK(layout.bar.bottom() <= layout.height);
}

TEST_CASE("layoutHeatMaps: names stand upright where they have no room, and rows have theirs",
          "[core][figures]") {
    HeatMapFigure figure = maps(1, 12, false);
    figure.isPair = false;
    for (std::size_t i = 0; i < 12; ++i) {
        figure.panels[0].columnLabels[i] = "mean weight";
        figure.panels[0].rowLabels[i] = "mean weight";
    }
    const PanelLayout narrow = layoutHeatMaps(figure, 321, std::nullopt, kText).panels[0];
    CHECK(narrow.columnsUpright);
    CHECK(narrow.columnThinning == 1);
    CHECK(narrow.rowThinning == 1);
    CHECK(narrow.labelsBelow >= 66.0);
    const PanelLayout wide = layoutHeatMaps(figure, 1600, std::nullopt, kText).panels[0];
    CHECK_FALSE(wide.columnsUpright);
    CHECK(wide.labelsBelow == 12.0);
    // Numbers thin out instead.
    CHECK_FALSE(
        layoutHeatMaps(maps(1, 64, true), 321, std::nullopt, kText).panels[0].columnsUpright);
    // Six domains by 64 experts in a column of print: each row has its label.
    HeatMapFigure domains = maps(1, 64, false);
    domains.isPair = false;
    HeatMapPanel& panel = domains.panels[0];
    panel.rowLabels = {"arxiv", "github", "wikipedia", "stackexchange", "books", "pubmed"};
    panel.matrix = {6, 64, std::vector<float>(6 * 64)};
    const PanelLayout place = layoutHeatMaps(domains, 321, std::nullopt, kText).panels[0];
    CHECK(place.rowThinning == 1);
    CHECK(place.rowHeight >= 12.0);
}
