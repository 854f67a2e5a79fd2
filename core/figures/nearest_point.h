// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace moescope::figures {

/// What encloses points that are finite.
struct PointBox {
    double lowX = 0.0, highX = 0.0, lowY = 0.0, highY = 0.0;
    bool isEmpty = true;  ///< no point is finite
};
/// x and y are of one length.
[[nodiscard]] PointBox boxOf(std::span<const float> x, std::span<const float> y);

/// The point nearest to (x, y) within an ellipse of the given radii, in the points' own units, of
/// those that `accept` wants. It looks at every point: a million take a millisecond or two, less
/// than a sorted grid of them would cost every figure that nobody points at.
template <typename Accept>
[[nodiscard]] std::optional<std::size_t> nearestPoint(std::span<const float> xs,
                                                      std::span<const float> ys, double x, double y,
                                                      double radiusX, double radiusY,
                                                      Accept accept) {
    std::optional<std::size_t> best;
    if (!(radiusX > 0.0) || !(radiusY > 0.0)) {
        return best;
    }
    double least = 1.0;
    for (std::size_t i = 0; i < xs.size(); ++i) {
        const double dx = (static_cast<double>(xs[i]) - x) / radiusX;
        const double dy = (static_cast<double>(ys[i]) - y) / radiusY;
        const double distance = dx * dx + dy * dy;
        if (distance <= least && accept(i)) {  // NaN is not
            least = distance;
            best = i;
        }
    }
    return best;
}

}  // namespace moescope::figures
