// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/figure.h"
#include "widgets/canvas/chart_legend.h"
#include "widgets/canvas/figure_style.h"

#include <QImage>

#include <span>
#include <vector>

namespace moescope::widgets {

/// What flat and turned scatters share: colours and marks of groups, their legend, read-outs, and
/// the drawing of many points.

[[nodiscard]] QColor groupColour(const figures::ScatterFigure& figure, std::size_t group,
                                 const Theme& theme);
[[nodiscard]] Mark groupMark(const figures::ScatterGroup& group);
/// The groups that have points, with a heading; empty for a single one.
[[nodiscard]] std::vector<LegendEntry> scatterLegend(const figures::ScatterFigure& figure,
                                                     const Theme& theme);
/// "expert 3, neuron 120", "layer 4, experts 1 and 2", "F".
[[nodiscard]] std::string pointName(const figures::ScatterFigure& figure,
                                    const figures::ScatterPanel& panel, std::size_t point);
/// Size of a mark in pixels when there are `points` of them.
[[nodiscard]] double markSize(std::size_t points);
/// From here on points are drawn as an image.
inline constexpr std::size_t kMostVectorPoints = 20000;

/// A point to be drawn into an image, in its pixels.
struct PlacedPoint {
    float x = 0.0F, y = 0.0F;
    std::uint16_t group = 0;
};
/// An image of many points: where several fall together their colours mix by number, not by the
/// order they are drawn in, and the more there are the denser it is. `side` is the size of a point.
[[nodiscard]] QImage densityImage(std::span<const PlacedPoint> points,
                                  const std::vector<QColor>& colours, const QSize& size, int side);

}  // namespace moescope::widgets
