// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/numerics/expert_use.h"

#include "tests/support/catch.h"

#include <cmath>
#include <limits>

using namespace moescope::numerics;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST_CASE("ExpertUse: sums by hand; an idle expert has 0", "[core][numerics]") {
    const std::vector<std::uint16_t> ids{0, 2, 2, 0, 2, 1};
    const std::vector<float> weights{0.75F, 0.25F, 0.5F, 0.5F, 1.0F, 0.0F};
    const std::vector<float> norms{2.0F, 4.0F, 8.0F, 6.0F, 3.0F, 5.0F};
    ExpertUse use(4);
    addUse({ids, 2, 4}, weights, norms, use);
    CHECK(use.tokens == std::vector<std::uint64_t>{2, 1, 3, 0});
    using Values = std::vector<double>;
    CHECK(measureOf(use, UseMeasure::Load, 3) == Values{2.0 / 3.0, 1.0 / 3.0, 1.0, 0.0});
    CHECK(measureOf(use, UseMeasure::WeightMass, 3) == Values{1.25 / 3.0, 0.0, 1.75 / 3.0, 0.0});
    CHECK(measureOf(use, UseMeasure::MeanWeight, 3) == Values{0.625, 0.0, 1.75 / 3.0, 0.0});
    CHECK(measureOf(use, UseMeasure::EanSum, 3) == Values{8.0, 5.0, 15.0, 0.0});
    CHECK(measureOf(use, UseMeasure::EanMean, 3) == Values{4.0, 5.0, 5.0, 0.0});
    CHECK(measureOf(use, UseMeasure::Reap, 3) == Values{2.25, 0.0, 8.0 / 3.0, 0.0});
}

TEST_CASE("ExpertUse: what goes first", "[core][numerics]") {
    const std::vector<double> scores{3.0, kNaN, 1.0, 1.0, 0.5};
    CHECK(lowestPlaces(scores, 3) == std::vector<std::size_t>{4, 2, 3});
    CHECK(lowestPlaces(scores, 9).size() == 4);  // NaN never goes
    CHECK(prunedCount(0.25, 8, 2) == 2);
    CHECK(prunedCount(0.3, 10, 2) == 3);  // 0.3 * 10 is a little below 3 in binary
    CHECK(prunedCount(0.99, 8, 2) == 6);
    CHECK(prunedCount(0.5, 2, 2) == 0);
    CHECK(prunedCount(0.1, 8, 2) == 0);
}

TEST_CASE("ExpertUse: quantiles between neighbours, as NumPy", "[core][numerics]") {
    CHECK(quantile({4.0, 1.0, 2.0, 3.0}, 0.5) == 2.5);
    CHECK(quantile({4.0, 1.0, kNaN, 2.0, 3.0}, 1.0) == 4.0);
    CHECK(quantile({10.0, 20.0}, 0.995) == Approx(19.95));
    CHECK(std::isnan(quantile({}, 0.5)));
}

TEST_CASE("ExpertUse: super experts stand out, in the first layers", "[core][numerics]") {
    std::vector<std::vector<double>> largest(4, std::vector<double>(100, 1.0));
    largest[1][7] = 100.0;
    largest[3][5] = 90.0;  // the last quarter of the layers does not count
    const auto flags = superExperts(largest);
    for (std::size_t l = 0; l < 4; ++l) {
        for (std::size_t e = 0; e < 100; ++e) {
            CHECK((flags[l][e] != 0) == (l == 1 && e == 7));
        }
    }
    // All alike: none is above the percentile.
    for (const auto& layer : superExperts({{1.0, 1.0}, {1.0, 1.0}})) {
        CHECK(layer == std::vector<std::uint8_t>{0, 0});
    }
}
