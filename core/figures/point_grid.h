// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace moescope::figures {

/// Finds the nearest of up to millions of points without looking at all of them: points sorted into
/// the cells of a grid. Points that are not finite are left out. Keeps no coordinates: they are
/// given again, the same, with every question. Immutable; Thread-safe.
class PointGrid {
public:
    PointGrid() = default;
    /// x and y are of one length.
    PointGrid(std::span<const float> x, std::span<const float> y);

    /// The point nearest to (x, y) within an ellipse of the given radii, in the points' own units;
    /// only points that `accept` wants.
    template <typename Accept>
    [[nodiscard]] std::optional<std::size_t> nearest(std::span<const float> xs,
                                                     std::span<const float> ys, double x, double y,
                                                     double radiusX, double radiusY,
                                                     Accept accept) const;
    /// Of the finite points; all 0 when there are none.
    struct Box {
        double lowX = 0.0, highX = 0.0, lowY = 0.0, highY = 0.0;
    };
    [[nodiscard]] Box box() const noexcept { return {m_lowX, m_highX, m_lowY, m_highY}; }
    [[nodiscard]] bool empty() const noexcept { return m_points.empty(); }
    [[nodiscard]] std::size_t bytes() const noexcept {
        return (m_begin.size() + m_points.size()) * sizeof(std::uint32_t);
    }

private:
    /// Of a cell along one axis, clamped to the grid.
    [[nodiscard]] std::size_t cellOf(double value, double low, double high) const;

    double m_lowX = 0.0, m_highX = 0.0, m_lowY = 0.0, m_highY = 0.0;
    std::size_t m_side = 0;              // cells along each axis
    std::vector<std::uint32_t> m_begin;  // [side * side + 1] into m_points
    std::vector<std::uint32_t> m_points;
};

template <typename Accept>
std::optional<std::size_t> PointGrid::nearest(std::span<const float> xs, std::span<const float> ys,
                                              double x, double y, double radiusX, double radiusY,
                                              Accept accept) const {
    std::optional<std::size_t> best;
    if (m_side == 0 || !(radiusX > 0.0) || !(radiusY > 0.0)) {
        return best;
    }
    double least = 1.0;
    const std::size_t right = cellOf(x + radiusX, m_lowX, m_highX);
    const std::size_t top = cellOf(y + radiusY, m_lowY, m_highY);
    for (std::size_t row = cellOf(y - radiusY, m_lowY, m_highY); row <= top; ++row) {
        for (std::size_t column = cellOf(x - radiusX, m_lowX, m_highX); column <= right; ++column) {
            const std::size_t cell = row * m_side + column;
            for (std::uint32_t i = m_begin[cell]; i < m_begin[cell + 1]; ++i) {
                const std::size_t point = m_points[i];
                const double dx = (static_cast<double>(xs[point]) - x) / radiusX;
                const double dy = (static_cast<double>(ys[point]) - y) / radiusY;
                const double distance = dx * dx + dy * dy;
                if (distance <= least && accept(point)) {
                    least = distance;
                    best = point;
                }
            }
        }
    }
    return best;
}

}  // namespace moescope::figures
