// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/peaks.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace moescope::figures {

Peak peakOf(std::span<const float> values) {
    Peak peak{std::numeric_limits<float>::quiet_NaN(), 0};
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (std::isfinite(values[i]) &&
            (std::isnan(peak.value) || std::abs(values[i]) > std::abs(peak.value))) {
            peak = {values[i], i};
        }
    }
    return peak;
}

std::vector<float> peaksOf(std::span<const float> values, double first, double last,
                           std::size_t pixels) {
    std::vector<float> peaks(pixels, std::numeric_limits<float>::quiet_NaN());
    const double perPixel = (last - first) / static_cast<double>(pixels);
    for (std::size_t pixel = 0; pixel < pixels && !values.empty(); ++pixel) {
        const double from = first + static_cast<double>(pixel) * perPixel;
        const auto begin =
            std::min(static_cast<std::size_t>(std::max(from, 0.0)), values.size() - 1);
        // A value belongs to the pixel in which it begins, so that each is seen once.
        const auto end = std::clamp(static_cast<std::size_t>(std::max(from + perPixel, 0.0)),
                                    begin + 1, values.size());
        peaks[pixel] = peakOf(values.subspan(begin, end - begin)).value;
    }
    return peaks;
}

}  // namespace moescope::figures
