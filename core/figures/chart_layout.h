// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/geometry.h"

#include <cmath>
#include <cstddef>
#include <optional>
#include <vector>

/// Small multiples with numeric axes: where they lie, and what their axes show.
namespace moescope::figures {

/// A numeric axis, along a length of pixels that starts at its low end.
struct NumericAxis {
    double low = 0.0, high = 1.0;
    Ticks ticks;
    bool logarithmic = false;  ///< low, and all that is shown, is above 0
    [[nodiscard]] double position(double value, double length) const {
        return logarithmic ? std::log(value / low) / std::log(high / low) * length
                           : (value - low) / (high - low) * length;
    }
    [[nodiscard]] double value(double position, double length) const {
        return logarithmic ? low * std::pow(high / low, position / length)
                           : low + position / length * (high - low);
    }
    /// What a tick's text tells apart: the decimals that it needs.
    [[nodiscard]] double stepAt(double tick) const;
};

/// The axis for values from low to high: a margin of `padding` times the span at both ends, round
/// ticks as `length` pixels have room for at `perTick` pixels each. Equal or unusable limits are
/// widened, so that it can always be drawn.
[[nodiscard]] NumericAxis makeAxis(double low, double high, double padding, double length,
                                   double perTick, bool integral = false);

/// The same, logarithmic, for values above 0: ticks at powers of ten, at twice and five times them
/// where there is room for all of these, else at every second, third ... power.
[[nodiscard]] NumericAxis makeLogAxis(double low, double high, double padding, double length,
                                      double perTick);

/// For whole numbers such as layers: round ticks, and both ends in any case; round ticks nearer
/// than `label` pixels to an end give way.
[[nodiscard]] NumericAxis makeIndexAxis(double first, double last, double length, double label);

/// Where one panel lies.
struct ChartPanelPlace {
    std::size_t group = 0, panel = 0;
    Rect title;
    Rect plot;  ///< within the axes
    bool hasYLabels = true;
    bool hasXTitle = true;  ///< no panel below it
};

struct ChartGrid {
    std::vector<ChartPanelPlace> panels;
    std::vector<Rect> headings;  ///< one line above each group
    double height = 0.0;
};

struct ChartGridInput {
    double width = 0.0;
    std::optional<double> height;         ///< nullopt: as high as the width asks for
    std::vector<std::size_t> groupSizes;  ///< panels of each group
    double top = 0.0;                     ///< taken by the legend
    double headingHeight = 0.0;           ///< 0: none
    double titleHeight = 0.0;             ///< 0: none
    double left = 0.0;                    ///< y tick labels and title
    double right = 0.0;                   ///< a second y axis
    double bottom = 0.0;                  ///< x tick labels
    double bottomTitle = 0.0;             ///< x title
    bool groupsShareY = true;             ///< only the first panel of a group in a row has labels
    double gap = 14.0;                    ///< between panels
    double narrowest = 64.0, wanted = 180.0;  ///< width of a plot
    double aspect = 0.75;                     ///< height / width on paper
    double tallest = 240.0;                   ///< on paper
    double steepest = 1e9;                    ///< most height / width in a window
};

/// Groups follow one another; one that does not fit into the rest of a row begins the next one.
[[nodiscard]] ChartGrid layoutCharts(const ChartGridInput& input);

}  // namespace moescope::figures
