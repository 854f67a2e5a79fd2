// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/chart_layout.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace moescope::figures {
namespace {

constexpr double kLowestPlot = 24.0;
constexpr double kEnoughHeight = 60.0;
/// A logarithmic axis spans at least so much, so that it has ticks.
constexpr double kLeastLogSpan = 4.0;

/// A panel's place in the grid of rows and columns.
struct Slot {
    std::size_t row, column, group, panel;
};

bool hasPanelBelow(const std::vector<Slot>& slots, const Slot& slot) {
    return std::any_of(slots.begin(), slots.end(), [&](const Slot& other) {
        return other.column == slot.column && other.row == slot.row + 1;
    });
}

std::vector<Slot> slotsOf(const std::vector<std::size_t>& sizes, std::size_t columns) {
    std::vector<Slot> slots;
    std::size_t row = 0;
    std::size_t column = 0;
    for (std::size_t group = 0; group < sizes.size(); ++group) {
        if (column > 0 && column + sizes[group] > columns) {
            ++row;
            column = 0;
        }
        for (std::size_t panel = 0; panel < sizes[group]; ++panel) {
            if (column == columns) {
                ++row;
                column = 0;
            }
            slots.push_back({row, column++, group, panel});
        }
    }
    return slots;
}

/// Left edges and widths of plots when `columns` stand side by side. Columns whose panels need no
/// labels of their own have a narrow margin.
struct Columns {
    std::vector<double> left;  ///< of the plot
    double plot = 0.0;         ///< width of each
};

Columns columnsOf(const ChartGridInput& in, const std::vector<Slot>& slots, std::size_t columns) {
    std::vector<bool> labelled(columns, !in.groupsShareY);
    for (const Slot& slot : slots) {
        const bool first = slot.panel == 0 || slot.column == 0;
        labelled[slot.column] = labelled[slot.column] || first;
    }
    double margins = in.right * static_cast<double>(columns);
    for (std::size_t c = 0; c < columns; ++c) {
        margins += (labelled[c] ? in.left : 0.0) + (c > 0 ? in.gap : 0.0);
    }
    Columns result;
    result.plot = std::max((in.width - margins) / static_cast<double>(columns), 1.0);
    double x = 0.0;
    for (std::size_t c = 0; c < columns; ++c) {
        x += (c > 0 ? in.gap : 0.0) + (labelled[c] ? in.left : 0.0);
        result.left.push_back(x);
        x += result.plot + in.right;
    }
    return result;
}

double plotWidth(const ChartGridInput& in, std::size_t columns) {
    return columnsOf(in, slotsOf(in.groupSizes, columns), columns).plot;
}

/// About how high a plot becomes in a window.
double plotHeight(const ChartGridInput& in, std::size_t columns) {
    const auto rows = static_cast<double>(slotsOf(in.groupSizes, columns).back().row + 1);
    const double perRow = in.headingHeight + in.titleHeight + in.bottom + in.gap * 0.75;
    return (*in.height - in.top - 2.0 * in.bottomTitle) / rows - perRow;
}

/// Several groups share a row of a window where below one another they would be too low.
std::size_t columnsForGroups(const ChartGridInput& in, std::size_t least) {
    std::size_t best = least;
    for (std::size_t columns = least + 1; columns <= 3 * least; ++columns) {
        if (plotHeight(in, best) >= kEnoughHeight || plotWidth(in, columns) < in.narrowest) {
            break;
        }
        if (plotHeight(in, columns) > plotHeight(in, best)) {
            best = columns;
        }
    }
    return best;
}

std::size_t chooseColumns(const ChartGridInput& in) {
    const std::size_t count =
        std::accumulate(in.groupSizes.begin(), in.groupSizes.end(), std::size_t{0});
    std::size_t most = *std::max_element(in.groupSizes.begin(), in.groupSizes.end());
    if (in.groupSizes.size() == 1 && in.height) {
        const double labels = in.titleHeight + in.bottom;
        most = bestColumns(count, in.width, *in.height - in.top - in.headingHeight, 1.0 / in.aspect,
                           in.gap + in.left + in.right, labels + in.gap);
    } else if (in.groupSizes.size() == 1) {
        while (most > 1 && plotWidth(in, most) < in.wanted) {
            --most;
        }
    }
    while (most > 1 && plotWidth(in, most) < in.narrowest) {
        --most;
    }
    if (in.groupSizes.size() > 1 && in.height) {
        most = columnsForGroups(in, most);
    }
    return std::max<std::size_t>(most, 1);
}

}  // namespace

NumericAxis makeAxis(double low, double high, double padding, double length, double perTick,
                     bool integral) {
    if (!std::isfinite(low) || !std::isfinite(high) || low > high) {
        low = 0.0;
        high = 1.0;
    }
    if (!(high - low > 1e-12 * std::max(std::abs(low), std::abs(high))) || high == low) {
        const double half = std::max(std::abs(high) * 0.05, 1e-6);
        low -= half;
        high += half;
    }
    const double margin = padding * (high - low);
    NumericAxis axis;
    axis.low = low - margin;
    axis.high = high + margin;
    const double room = std::clamp(std::floor(length / std::max(perTick, 1.0)) + 1.0, 2.0, 7.0);
    axis.ticks = roundTicks(axis.low, axis.high, static_cast<std::size_t>(room), integral);
    return axis;
}

double NumericAxis::stepAt(double tick) const {
    return logarithmic ? std::pow(10.0, std::floor(std::log10(tick) + 1e-9)) : ticks.step;
}

NumericAxis makeLogAxis(double low, double high, double padding, double length, double perTick) {
    if (!std::isfinite(low) || !std::isfinite(high) || low > high || low <= 0.0) {
        low = 1.0;
        high = 10.0;
    }
    if (high < low * kLeastLogSpan) {
        const double middle = std::sqrt(low * high);
        low = middle / std::sqrt(kLeastLogSpan);
        high = middle * std::sqrt(kLeastLogSpan);
    }
    NumericAxis axis;
    axis.logarithmic = true;
    const double margin = std::pow(high / low, padding);
    axis.low = low / margin;
    axis.high = high * margin;
    const double perDecade = length / std::log10(axis.high / axis.low);
    // The nearest of 1, 2, 5 and 10 are 0.3 of a decade apart.
    const bool within = perDecade * 0.3 >= perTick;
    const int every = std::max(1, static_cast<int>(std::ceil(perTick / perDecade)));
    const int first = static_cast<int>(std::floor(std::log10(axis.low)));
    const int last = static_cast<int>(std::ceil(std::log10(axis.high)));
    for (int power = first; power <= last; ++power) {
        if (((power % every) + every) % every != 0) {
            continue;
        }
        for (const double factor : {1.0, 2.0, 5.0}) {
            const double value = factor * std::pow(10.0, power);
            if (value >= axis.low && value <= axis.high && (within || factor == 1.0)) {
                axis.ticks.values.push_back(value);
            }
        }
    }
    axis.ticks.step = axis.ticks.values.empty() ? 1.0 : axis.stepAt(axis.ticks.values.front());
    return axis;
}

NumericAxis makeIndexAxis(double first, double last, double length, double label) {
    NumericAxis axis;
    const double margin = std::max((last - first) * 0.02, 0.3);
    axis.low = first - margin;
    axis.high = last + margin;
    axis.ticks.step = 1.0;
    axis.ticks.values = {first};
    if (!(last > first)) {
        return axis;
    }
    const double room = std::clamp(std::floor(length / std::max(label, 1.0)), 2.0, 9.0);
    const Ticks round = roundTicks(first, last, static_cast<std::size_t>(room), true);
    const double perValue = length / (axis.high - axis.low);
    for (const double value : round.values) {
        if ((value - first) * perValue >= label && (last - value) * perValue >= label) {
            axis.ticks.values.push_back(value);
        }
    }
    if ((last - first) * perValue >= label) {
        axis.ticks.values.push_back(last);
    }
    return axis;
}

ChartGrid layoutCharts(const ChartGridInput& in) {
    ChartGrid grid;
    if (in.groupSizes.empty()) {
        return grid;
    }
    const std::size_t columns = chooseColumns(in);
    const std::vector<Slot> slots = slotsOf(in.groupSizes, columns);
    const Columns across = columnsOf(in, slots, columns);
    const std::size_t rows = slots.back().row + 1;
    // Headings only where a group begins.
    std::vector<double> above(rows, 0.0);
    for (const Slot& slot : slots) {
        if (slot.panel == 0) {
            above[slot.row] = in.headingHeight;
        }
    }
    // A panel above the last row may be the lowest of its column: its title needs room there.
    std::vector<double> below(rows, in.gap * 0.75);
    for (const Slot& slot : slots) {
        if (slot.row + 1 < rows && !hasPanelBelow(slots, slot)) {
            below[slot.row] = in.gap * 0.75 + in.bottomTitle;
        }
    }
    const double gaps = std::accumulate(below.begin(), below.end() - 1, 0.0);
    const double fixed = std::accumulate(above.begin(), above.end(), 0.0) + gaps + in.bottomTitle +
                         static_cast<double>(rows) * (in.titleHeight + in.bottom);
    double plot = std::min(across.plot * in.aspect, in.tallest);
    if (in.height) {
        plot = (*in.height - in.top - fixed) / static_cast<double>(rows);
        plot = std::max(std::min(plot, across.plot * in.steepest), kLowestPlot);
    }
    std::vector<double> top(rows, in.top);
    for (std::size_t row = 1; row < rows; ++row) {
        top[row] =
            top[row - 1] + above[row - 1] + in.titleHeight + plot + in.bottom + below[row - 1];
    }
    grid.headings.resize(in.groupSizes.size());
    for (std::size_t i = 0; i < slots.size(); ++i) {
        const Slot& slot = slots[i];
        ChartPanelPlace place;
        place.group = slot.group;
        place.panel = slot.panel;
        const double x = across.left[slot.column];
        const double y = top[slot.row] + above[slot.row];
        place.title = {x, y, across.plot, in.titleHeight};
        place.plot = {x, y + in.titleHeight, across.plot, plot};
        place.hasYLabels = !in.groupsShareY || slot.panel == 0 || slot.column == 0;
        place.hasXTitle = !hasPanelBelow(slots, slot);
        if (slot.panel == 0) {
            // Up to where the next group in this row begins.
            const auto next = std::find_if(slots.begin(), slots.end(), [&](const Slot& other) {
                return other.row == slot.row && other.group == slot.group + 1;
            });
            const double right =
                next == slots.end() ? in.width : across.left[next->column] - in.gap - in.left;
            const double left = std::max(x - in.left, 0.0);
            grid.headings[slot.group] = {left, top[slot.row], std::max(right - left, 0.0),
                                         in.headingHeight};
        }
        grid.panels.push_back(place);
    }
    grid.height = top.back() + above.back() + in.titleHeight + plot + in.bottom + in.bottomTitle;
    return grid;
}

}  // namespace moescope::figures
