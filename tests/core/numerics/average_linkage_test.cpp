// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/numerics/average_linkage.h"

#include "tests/core/numerics/statistics_cases.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

using moescope::numerics::averageLinkage;
using moescope::numerics::Linkage;
using moescope::tests::statisticsCases;

namespace {

std::vector<std::size_t> sorted(std::vector<std::size_t> values) {
    std::sort(values.begin(), values.end());
    return values;
}

std::vector<std::size_t> firstNumbers(std::size_t n) {
    std::vector<std::size_t> values(n);
    std::iota(values.begin(), values.end(), std::size_t{0});
    return values;
}

}  // namespace

TEST_CASE("averageLinkage: heights are SciPy's", "[core][numerics]") {
    for (const auto& each : statisticsCases("linkage")) {
        const auto n = each.at("n").get<std::size_t>();
        const auto above = each.at("distances").get<std::vector<double>>();
        std::vector<double> distances(n * n);
        std::size_t at = 0;
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t j = i + 1; j < n; ++j) {
                distances[i * n + j] = above[at++];
            }
        }
        const Linkage found = averageLinkage(distances, n);
        const auto heights = each.at("heights").get<std::vector<double>>();
        REQUIRE(found.heights.size() == heights.size());
        for (std::size_t i = 0; i < heights.size(); ++i) {
            CHECK(found.heights[i] == Approx(heights[i]).epsilon(1e-12));
        }
        CHECK(sorted(found.order) == firstNumbers(n));
    }
}

TEST_CASE("averageLinkage: things on a line are read along it, however they are numbered",
          "[core][numerics]") {
    constexpr std::size_t kCount = 40;
    std::vector<double> places;
    for (std::size_t i = 0; i < kCount; ++i) {
        const std::size_t mixed = i * 17 % kCount;  // each number once
        places.push_back(static_cast<double>(mixed) + 0.3 * std::sin(static_cast<double>(mixed)));
    }
    std::vector<double> distances(kCount * kCount);
    for (std::size_t i = 0; i < kCount; ++i) {
        for (std::size_t j = 0; j < kCount; ++j) {
            distances[i * kCount + j] = std::abs(places[i] - places[j]);
        }
    }
    const std::vector<std::size_t> order = averageLinkage(distances, kCount).order;
    std::vector<double> read;
    for (const std::size_t leaf : order) {
        read.push_back(places[leaf]);
    }
    if (read.front() > read.back()) {
        std::reverse(read.begin(), read.end());
    }
    CHECK(std::is_sorted(read.begin(), read.end()));
}

TEST_CASE("averageLinkage: few things, and distances that are not known", "[core][numerics]") {
    CHECK(averageLinkage({}, 0).order.empty());
    const std::vector<double> one{0.0};
    CHECK(averageLinkage(one, 1).order == firstNumbers(1));
    // 0 and 2 are near, 1 is near to nobody.
    const double none = std::nan("");
    const std::vector<double> some{0.0, none, 0.1, none, 0.0, none, 0.1, none, 0.0};
    const Linkage found = averageLinkage(some, 3);
    CHECK(found.heights.front() == 0.1);
    CHECK(std::isfinite(found.heights.back()));
    CHECK(sorted(found.order) == firstNumbers(3));
    CHECK(found.order[1] != 1);
}
