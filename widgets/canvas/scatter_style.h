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
        if (x >= m_before && y >= m_before && x < m_right && y < m_bottom) {
            // Positive, so that cutting off is rounding down.
            addInside(static_cast<std::size_t>(static_cast<int>(x) - m_before),
                      static_cast<std::size_t>(static_cast<int>(y) - m_before), m_colours[group]);
        } else {
            addAtEdge(std::floor(x) - m_before, std::floor(y) - m_before, m_colours[group]);
        }
    }
    [[nodiscard]] QImage image() const;

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
    void addInside(std::size_t left, std::size_t top, const Sum& colour) {
        const auto width = static_cast<std::size_t>(m_size.width());
        Sum* row = m_sums.data() + top * width + left;
        for (int y = 0; y < m_side; ++y, row += width) {
            for (int x = 0; x < m_side; ++x) {
                row[x].add(colour);
            }
        }
    }
    void addAtEdge(double left, double top, const Sum& colour);
    [[nodiscard]] float usualMost() const;

    QSize m_size;
    int m_side;
    int m_before;              ///< of a point's pixels, left of and above its place
    double m_right, m_bottom;  ///< places from here on are too near the edge for all pixels
    std::vector<Sum> m_colours;
    std::vector<Sum> m_sums;  ///< [height * width]
};

}  // namespace moescope::widgets
