// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace moescope::figures {

/// The value of largest magnitude of several that share a pixel, and which one it is.
struct Peak {
    float value = 0.0F;  ///< NaN where no value is finite
    std::size_t index = 0;
};

[[nodiscard]] Peak peakOf(std::span<const float> values);

/// values [first, last) in `pixels` columns, each the peak of the values it covers; where there are
/// fewer values than pixels, a value fills several. first and last are in values, fractions
/// included, 0 <= first < last <= values.size().
[[nodiscard]] std::vector<float> peaksOf(std::span<const float> values, double first, double last,
                                         std::size_t pixels);

}  // namespace moescope::figures
