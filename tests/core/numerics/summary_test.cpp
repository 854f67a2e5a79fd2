// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/numerics/summary.h"

#include "tests/support/catch.h"

#include <cmath>
#include <vector>

using namespace moescope;

TEST_CASE("mean and variance: known values and empty input", "[core][numerics]") {
    const std::vector<double> values{2, 4, 4, 4, 5, 5, 7, 9};
    CHECK(numerics::mean(values) == Approx(5.0));
    CHECK(numerics::sampleVariance(values) == Approx(32.0 / 7.0));
    CHECK(std::isnan(numerics::mean({})));
    CHECK(std::isnan(numerics::sampleVariance(std::vector<double>{1.0})));
    // The two-pass form keeps its digits far from zero.
    CHECK(numerics::sampleVariance(std::vector<double>{1e9 + 1, 1e9 + 2, 1e9 + 3}) == Approx(1.0));
}

TEST_CASE("normalisedEntropy: from one expert for all to all equal", "[core][numerics]") {
    using Counts = std::vector<std::uint64_t>;
    CHECK(numerics::normalisedEntropy(Counts{5, 5, 5, 5}) == Approx(1.0));
    CHECK(numerics::normalisedEntropy(Counts{7, 0, 0}) == 0.0);
    // SciPy: scipy.stats.entropy([1, 2, 5]) / log(3)
    CHECK(numerics::normalisedEntropy(Counts{1, 2, 5}) == Approx(0.8194484).epsilon(1e-6));
    CHECK(numerics::normalisedEntropy(Counts{3}) == 0.0);
    CHECK(std::isnan(numerics::normalisedEntropy(Counts{0, 0})));
    CHECK(std::isnan(numerics::normalisedEntropy(Counts{})));
}
