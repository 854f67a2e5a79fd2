// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/figure.h"
#include "widgets/canvas/chart_legend.h"
#include "widgets/canvas/figure_style.h"

#include <QImage>

#include <cmath>
#include <cstdint>
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

/// An image of many points: where several fall together their colours mix by number, not by the
/// order they are drawn in, and the more there are the denser it is. Belongs to one thread, any.
class PointDensity {
public:
    /// Colours by group; `side` is the size of a point in pixels.
    PointDensity(const std::vector<QColor>& colours, const QSize& size, int side);

    /// A point by its place in the image; beyond its edges nothing is drawn.
    void add(double x, double y, std::uint16_t group) {
        const double column = x + m_offset;
        const double row = y + m_offset;
        if (column >= 0.0 && row >= 0.0 && column < static_cast<double>(m_columns) &&
            row < static_cast<double>(m_rows)) {
            // Positive, so that cutting off is rounding down.
            m_sums[static_cast<std::size_t>(static_cast<int>(row)) * m_columns +
                   static_cast<std::size_t>(static_cast<int>(column))]
                .add(m_colours[group]);
        }
    }
    /// Once, at the end.
    [[nodiscard]] QImage image();

private:
    /// Colours of the points in a pixel, added up, and their number.
    struct Sum {
        float red = 0.0F, green = 0.0F, blue = 0.0F, count = 0.0F;
        void add(const Sum& more) {
            red += more.red;
            green += more.green;
            blue += more.blue;
            count += more.count;
        }
    };
    void widen();
    [[nodiscard]] float usualMost() const;

    QSize m_size;
    std::size_t m_side;
    double m_offset;                ///< from the image to the sums
    std::size_t m_columns, m_rows;  ///< of the sums
    std::vector<Sum> m_colours;
    /// Each point once, at the upper left of its pixels, which may lie beyond the image's edge.
    std::vector<Sum> m_sums;
};

}  // namespace moescope::widgets
