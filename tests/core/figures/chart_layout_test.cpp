// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/chart_layout.h"

#include "core/figures/view_window.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace moescope::figures;

namespace {

ChartGridInput input(std::vector<std::size_t> groups, double width) {
    ChartGridInput in;
    in.width = width;
    in.groupSizes = std::move(groups);
    in.top = 20.0;
    in.headingHeight = 16.0;
    in.titleHeight = 14.0;
    in.left = 34.0;
    in.bottom = 18.0;
    in.bottomTitle = 14.0;
    return in;
}

bool overlap(const Rect& a, const Rect& b) {
    return a.x < b.right() && b.x < a.right() && a.y < b.bottom() && b.y < a.bottom();
}

}  // namespace

TEST_CASE("makeLogAxis: values lie in proportion to their logarithm, ticks are round",
          "[core][figures]") {
    const NumericAxis axis = makeLogAxis(0.3, 4000.0, 0.0, 300.0, 20.0);
    CHECK(axis.position(0.3, 300.0) == Approx(0.0).margin(1e-9));
    CHECK(axis.position(4000.0, 300.0) == Approx(300.0));
    CHECK(axis.position(std::sqrt(0.3 * 4000.0), 300.0) == Approx(150.0));
    CHECK(axis.value(axis.position(17.0, 300.0), 300.0) == Approx(17.0));
    const std::vector<double> all{0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000};
    REQUIRE(axis.ticks.values.size() == all.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
        CHECK(axis.ticks.values[i] == Approx(all[i]));
    }
    CHECK(axis.stepAt(0.5) == Approx(0.1));
    CHECK(axis.stepAt(200.0) == Approx(100.0));
    // Less room: powers only; still less: not all of them.
    CHECK(makeLogAxis(0.3, 4000.0, 0.0, 150.0, 30.0).ticks.values.size() == 4);
    const std::vector<double> few = makeLogAxis(1e-6, 1e6, 0.0, 100.0, 20.0).ticks.values;
    REQUIRE(few.size() >= 2);
    for (std::size_t i = 1; i < few.size(); ++i) {
        CHECK(std::log10(few[i] / few[i - 1]) * 100.0 / 12.0 >= 20.0);
    }
    // What cannot be shown is widened.
    for (const auto& [low, high] : {std::pair{5.0, 5.0}, {0.0, 0.0}, {-1.0, 3.0}, {3.0, 1.0}}) {
        const NumericAxis wide = makeLogAxis(low, high, 0.05, 100.0, 20.0);
        CHECK(wide.low > 0.0);
        CHECK(wide.high > wide.low);
        CHECK(!wide.ticks.values.empty());
    }
}

TEST_CASE("layoutCharts: plots are equal, apart and inside", "[core][figures]") {
    for (const double width : {305.0, 641.0, 1200.0}) {
        for (const auto& groups :
             {std::vector<std::size_t>{3, 3, 1}, std::vector<std::size_t>{1},
              std::vector<std::size_t>{3, 3, 3, 1, 1}, std::vector<std::size_t>{17}}) {
            for (const std::optional<double> height :
                 {std::optional<double>(), std::optional<double>(700.0)}) {
                ChartGridInput in = input(groups, width);
                in.height = height;
                const ChartGrid grid = layoutCharts(in);
                INFO(width << " wide, " << groups.size() << " groups");
                REQUIRE(grid.headings.size() == groups.size());
                const Rect& first = grid.panels.front().plot;
                for (std::size_t i = 0; i < grid.panels.size(); ++i) {
                    const ChartPanelPlace& place = grid.panels[i];
                    CHECK(place.plot.width == Approx(first.width));
                    CHECK(place.plot.height == Approx(first.height));
                    CHECK(place.plot.x >= 0.0);
                    CHECK(place.plot.right() <= width + 1e-6);
                    CHECK(place.plot.bottom() + in.bottom <= grid.height + 1e-6);
                    CHECK(place.title.bottom() <= place.plot.y + 1e-6);
                    CHECK((!place.hasYLabels || place.plot.x >= in.left - 1e-6));
                    for (std::size_t j = i + 1; j < grid.panels.size(); ++j) {
                        CHECK_FALSE(overlap(place.plot, grid.panels[j].plot));
                    }
                }
                if (height) {
                    CHECK(grid.height == Approx(*height).margin(1e-6));
                }
            }
        }
    }
}

TEST_CASE("layoutCharts: a group shares its axis, the bottom row has the title",
          "[core][figures]") {
    const ChartGrid grid = layoutCharts(input({3, 3, 1}, 641.0));
    REQUIRE(grid.panels.size() == 7);
    CHECK(grid.panels[0].hasYLabels);
    CHECK_FALSE(grid.panels[1].hasYLabels);
    CHECK(grid.panels[3].hasYLabels);
    CHECK_FALSE(grid.panels[0].hasXTitle);
    CHECK(grid.panels[6].hasXTitle);
    CHECK(grid.panels[4].hasXTitle);  // nothing below it
    CHECK(grid.panels[1].plot.y == grid.panels[0].plot.y);
    CHECK(grid.panels[3].plot.y > grid.panels[0].plot.bottom());
    // Too narrow for three: below one another.
    const ChartGrid narrow = layoutCharts(input({3}, 150.0));
    CHECK(narrow.panels[1].plot.y > narrow.panels[0].plot.bottom());
}

TEST_CASE("layoutCharts: groups share a row of a low window", "[core][figures]") {
    ChartGridInput in = input({3, 3, 3, 1, 1}, 636.0);
    in.height = 320.0;
    const ChartGrid low = layoutCharts(in);
    CHECK(low.height <= 320.0 + 1e-6);
    CHECK(low.panels[3].plot.y == low.panels[0].plot.y);
    CHECK(low.panels[0].plot.height >= 60.0);
    CHECK(low.panels[3].hasYLabels);
    in.height = 900.0;
    const ChartGrid high = layoutCharts(in);
    CHECK(high.panels[3].plot.y > high.panels[0].plot.bottom());
}

TEST_CASE("makeAxis: can always be drawn", "[core][figures]") {
    constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
    for (const auto& [low, high] :
         {std::pair(0.2, 0.9), std::pair(0.5, 0.5), std::pair(0.0, 0.0), std::pair(1.0, -1.0),
          std::pair(kNaN, 1.0), std::pair(-1e-9, 1e-9), std::pair(-3e7, 8e7)}) {
        const NumericAxis axis = makeAxis(low, high, 0.05, 120.0, 24.0);
        INFO(low << " to " << high);
        CHECK(axis.high > axis.low);
        CHECK(axis.ticks.values.size() >= 1);
        for (const double tick : axis.ticks.values) {
            CHECK(axis.position(tick, 120.0) >= -1e-6);
            CHECK(axis.position(tick, 120.0) <= 120.0 + 1e-6);
            CHECK(axis.value(axis.position(tick, 120.0), 120.0) ==
                  Approx(tick).margin(1e-9 * (axis.high - axis.low)));
        }
    }
}

TEST_CASE("makeIndexAxis: both ends are labelled and no label touches another", "[core][figures]") {
    for (const double last : {0.0, 1.0, 3.0, 15.0, 31.0, 60.0, 92.0}) {
        for (const double length : {78.0, 200.0, 600.0}) {
            const NumericAxis axis = makeIndexAxis(0.0, last, length, 22.0);
            INFO("0 to " << last << " in " << length);
            CHECK(axis.ticks.values.front() == 0.0);
            if (last > 1.0) {
                CHECK(axis.ticks.values.back() == last);
            }
            CHECK(std::is_sorted(axis.ticks.values.begin(), axis.ticks.values.end()));
            for (std::size_t i = 1; i < axis.ticks.values.size(); ++i) {
                CHECK(axis.ticks.values[i] == std::floor(axis.ticks.values[i]));
                CHECK(axis.position(axis.ticks.values[i], length) -
                          axis.position(axis.ticks.values[i - 1], length) >=
                      21.9);
            }
        }
    }
}

TEST_CASE("ViewWindow: zooms about a point and stays within the whole", "[core][figures]") {
    ViewWindow window;
    CHECK(window.isWhole());
    window.zoom(4.0, 0.75, 0.25);
    CHECK(window.right - window.left == Approx(0.25));
    // The point stays where it is on the screen.
    CHECK((0.75 - window.left) / (window.right - window.left) == Approx(0.75));
    CHECK((0.25 - window.bottom) / (window.top - window.bottom) == Approx(0.25));
    window.move(100.0, -100.0);
    CHECK(window.right == Approx(1.0));
    CHECK(window.bottom == Approx(0.0).margin(1e-12));
    CHECK(window.right - window.left == Approx(0.25));
    window.zoom(1e-9, 0.9, 0.1);
    CHECK(window.left == Approx(0.0).margin(1e-12));
    CHECK(window.right == Approx(1.0));
    window = {};
    window.zoom(1e9, 0.5, 0.5, true, 0.01);
    CHECK(window.right - window.left == Approx(0.01));
    CHECK(window.top == 1.0);
    window.zoom(std::numeric_limits<double>::quiet_NaN(), 0.5, 0.5);
    CHECK(window.right - window.left == Approx(0.01));
}
