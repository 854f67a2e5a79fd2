// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/session/quantity.h"
#include "tests/support/catch.h"

#include <cmath>
#include <cstddef>

namespace moescope::tests {

/// Entry by entry within `margin`; NaN matches NaN only.
inline void checkClose(const NdArray& found, const NdArray& expected, double margin) {
    REQUIRE(found.shape() == expected.shape());
    for (std::uint64_t i = 0; i < found.size(); ++i) {
        const double x = found.at(i);
        const double y = expected.at(i);
        if (!(std::abs(x - y) <= margin) && !(std::isnan(x) && std::isnan(y))) {
            FAIL_CHECK("entry " << i << " is " << x << ", expected " << y);
        }
    }
}

/// A matrix of similarities is symmetric and has an exact diagonal.
inline void checkSimilarityMatrix(const session::Quantity& quantity) {
    const auto values = quantity.values.values<float>();
    const std::size_t n = quantity.values.shape().front();
    REQUIRE(values.size() == n * n);
    REQUIRE(quantity.axes.size() == 2);
    CHECK(quantity.axes[0].labels.size() == n);
    CHECK(quantity.axes[0].labels == quantity.axes[1].labels);
    for (std::size_t i = 0; i < n; ++i) {
        CHECK(values[i * n + i] == 1.0F);
        for (std::size_t j = 0; j < i; ++j) {
            CHECK(values[i * n + j] == values[j * n + i]);
        }
    }
}

}  // namespace moescope::tests
