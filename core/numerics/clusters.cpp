// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/numerics/clusters.h"

#include "core/numerics/require.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <compare>

namespace moescope::numerics {
namespace {

/// Points sorted by the cell they lie in. Cell numbers stay floating-point, so that no ratio of
/// coordinate and radius overflows.
class Grid {
public:
    Grid(std::span<const Point2> points, double radius) : m_points(points), m_radius(radius) {
        for (std::size_t i = 0; i < points.size(); ++i) {
            if (std::isfinite(points[i].x) && std::isfinite(points[i].y)) {
                m_entries.push_back({cellOf(points[i].y), cellOf(points[i].x), i});
            }
        }
        std::sort(m_entries.begin(), m_entries.end());
    }

    /// Calls use(index) for every point within the radius, the point itself included.
    template <typename Use>
    void forNeighbours(std::size_t index, const Use& use) const {
        const Point2 centre = m_points[index];
        if (!std::isfinite(centre.x) || !std::isfinite(centre.y)) {
            return;
        }
        const double column = cellOf(centre.x);
        double last = std::nan("");
        for (const double step : {-1.0, 0.0, 1.0}) {
            const double row = cellOf(centre.y) + step;
            if (row == last) {
                continue;  // beyond 2^53 neighbouring cells have one number
            }
            last = row;
            // Cells of a row lie one behind the other.
            auto entry =
                std::lower_bound(m_entries.begin(), m_entries.end(), Entry{row, column - 1.0, 0});
            for (; entry != m_entries.end() && entry->row == row && entry->column <= column + 1.0;
                 ++entry) {
                const double dx = m_points[entry->index].x - centre.x;
                const double dy = m_points[entry->index].y - centre.y;
                if (dx * dx + dy * dy <= m_radius * m_radius) {
                    use(entry->index);
                }
            }
        }
    }

private:
    struct Entry {
        double row, column;
        std::size_t index;
        auto operator<=>(const Entry&) const = default;
    };
    [[nodiscard]] double cellOf(double coordinate) const {
        return std::floor(coordinate / m_radius);
    }

    std::span<const Point2> m_points;
    double m_radius;
    std::vector<Entry> m_entries;
};

}  // namespace

std::vector<std::int32_t> dbscan(std::span<const Point2> points, double radius,
                                 std::size_t leastNeighbours) {
    require(radius > 0.0, "dbscan: the radius must be positive");
    const Grid grid(points, radius);
    std::vector<char> isCore(points.size(), 0);
    for (std::size_t i = 0; i < points.size(); ++i) {
        std::size_t near = 0;
        grid.forNeighbours(i, [&](std::size_t) { ++near; });
        isCore[i] = near > 0 && near >= leastNeighbours ? 1 : 0;
    }
    std::vector<std::int32_t> labels(points.size(), kNoise);
    std::int32_t cluster = 0;
    std::vector<std::size_t> waiting;
    for (std::size_t seed = 0; seed < points.size(); ++seed) {
        if (labels[seed] != kNoise || isCore[seed] == 0) {
            continue;
        }
        labels[seed] = cluster;
        waiting.assign(1, seed);
        while (!waiting.empty()) {
            const std::size_t core = waiting.back();
            waiting.pop_back();
            grid.forNeighbours(core, [&](std::size_t near) {
                if (labels[near] != kNoise) {
                    return;
                }
                labels[near] = cluster;
                if (isCore[near] != 0) {
                    waiting.push_back(near);
                }
            });
        }
        ++cluster;
    }
    return labels;
}

}  // namespace moescope::numerics
