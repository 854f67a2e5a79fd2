// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/nearest_point.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace moescope::figures {

PointBox boxOf(std::span<const float> x, std::span<const float> y) {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    float lowX = kInfinity;
    float highX = -kInfinity;
    float lowY = kInfinity;
    float highY = -kInfinity;
    for (std::size_t i = 0; i < x.size(); ++i) {
        if (std::isfinite(x[i]) && std::isfinite(y[i])) {
            lowX = std::min(lowX, x[i]);
            highX = std::max(highX, x[i]);
            lowY = std::min(lowY, y[i]);
            highY = std::max(highY, y[i]);
        }
    }
    if (lowX > highX) {
        return {};
    }
    return {static_cast<double>(lowX), static_cast<double>(highX), static_cast<double>(lowY),
            static_cast<double>(highY), false};
}

}  // namespace moescope::figures
