// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace moescope::numerics {

struct Point2 {
    double x = 0.0, y = 0.0;
};

inline constexpr std::int32_t kNoise = -1;

/// DBSCAN in the plane (Ester et al., KDD 1996) as scikit-learn defines it: a core point has at
/// least `leastNeighbours` points, itself among them, within `radius` (that distance included);
/// clusters are numbered by their first core point; a border point belongs to the first cluster
/// that reaches it; what no cluster reaches is kNoise, and so is a point with NaN or infinity. On a
/// grid of cells as wide as the radius: O(n log n) as long as the cells hold few points each.
/// Returns one label per point. radius > 0.
[[nodiscard]] std::vector<std::int32_t> dbscan(std::span<const Point2> points, double radius,
                                               std::size_t leastNeighbours);

}  // namespace moescope::numerics
