// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/nd_array.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace moescope::tests {

/// Scores [N, C] of two projections of the same rows agree within `share` of the largest score, or,
/// where components explain nearly the same variance, span the same space.
inline void checkSameProjection(const NdArray& found, const NdArray& expected,
                                const std::vector<double>& explained, double share) {
    REQUIRE(found.shape() == expected.shape());
    const std::uint64_t rows = found.shape()[0];
    const std::uint64_t columns = found.shape()[1];
    double largest = 0.0;
    for (std::uint64_t i = 0; i < expected.size(); ++i) {
        largest = std::max(largest, std::abs(expected.at(i)));
    }
    constexpr double kNearlyEqual = 1e-3;
    for (std::uint64_t first = 0; first < columns;) {
        std::uint64_t end = first + 1;
        while (end < columns &&
               explained[end - 1] - explained[end] < kNearlyEqual * explained[end - 1]) {
            ++end;
        }
        for (std::uint64_t a = 0; a < rows; ++a) {
            for (std::uint64_t b = 0; b < (end - first > 1 ? rows : 1); ++b) {
                double x = 0.0;
                double y = 0.0;
                if (end - first == 1) {
                    x = found.at(a * columns + first);
                    y = expected.at(a * columns + first);
                } else {  // inner products do not depend on the basis of the space
                    for (std::uint64_t c = first; c < end; ++c) {
                        x += found.at(a * columns + c) * found.at(b * columns + c) / largest;
                        y += expected.at(a * columns + c) * expected.at(b * columns + c) / largest;
                    }
                }
                if (!(std::abs(x - y) <= share * largest)) {
                    FAIL_CHECK("row " << a << " component " << first << ": " << x << ", expected "
                                      << y);
                }
            }
        }
        first = end;
    }
}

}  // namespace moescope::tests
