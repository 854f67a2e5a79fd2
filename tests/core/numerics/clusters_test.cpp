// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/numerics/clusters.h"

#include "tests/core/numerics/statistics_cases.h"
#include "tests/support/catch.h"

#include <limits>
#include <stdexcept>

using namespace moescope;
using numerics::dbscan;
using numerics::kNoise;
using numerics::Point2;

namespace {

using Labels = std::vector<std::int32_t>;

/// cloud() of the script.
std::vector<Point2> cloud(std::uint64_t seed, std::size_t n) {
    const auto centre = tests::uniformDoubles(seed, n);
    const auto spread = tests::uniformDoubles(seed + 1, n);
    const auto a = tests::uniformDoubles(seed + 2, n);
    const auto b = tests::uniformDoubles(seed + 3, n);
    std::vector<Point2> points(n);
    for (std::size_t i = 0; i < n; ++i) {
        const double heap = std::floor(centre[i] * 5);
        const double width = spread[i] < 0.125 ? 64.0 : 1.0 + heap;
        points[i] = {heap * 8 + a[i] * width, std::floor(heap / 2) * 16 - b[i] * width};
    }
    return points;
}

}  // namespace

TEST_CASE("dbscan: scikit-learn's labels", "[core][numerics]") {
    for (const auto& entry : tests::statisticsCases("clusters")) {
        CAPTURE(entry.at("n"), entry.at("radius"), entry.at("least"));
        const auto points = cloud(entry.at("seed"), entry.at("n"));
        CHECK(dbscan(points, entry.at("radius"), entry.at("least")) ==
              entry.at("labels").get<Labels>());
    }
}

TEST_CASE("dbscan: a point counts itself, and a neighbour at the radius counts",
          "[core][numerics]") {
    const std::vector<Point2> three{{0, 0}, {1, 0}, {2, 0}};
    CHECK(dbscan(three, 1.0, 3) == Labels{0, 0, 0});
    CHECK(dbscan(three, 1.0, 4) == Labels{kNoise, kNoise, kNoise});
    CHECK(dbscan(three, 0.999, 1) == Labels{0, 1, 2});
    CHECK(dbscan({}, 1.0, 1).empty());
}

TEST_CASE("dbscan: a border point belongs to the first cluster that reaches it",
          "[core][numerics]") {
    // Two crosses around (0, 0) and (4, 0), and (2, 0) within reach of both centres only.
    const std::vector<Point2> points{{4, 0}, {4, 1}, {4, -1}, {5, 0}, {2, 0},
                                     {0, 0}, {0, 1}, {0, -1}, {-1, 0}};
    CHECK(dbscan(points, 2.0, 5) == Labels{0, 0, 0, 0, 0, 1, 1, 1, 1});
}

TEST_CASE("dbscan: extreme and broken coordinates", "[core][numerics]") {
    constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    CHECK(dbscan(std::vector<Point2>{{kNaN, 0}, {0, 0}, {kInfinity, 1}, {0, 0}}, 1.0, 1) ==
          Labels{kNoise, 0, kNoise, 0});
    CHECK(dbscan(std::vector<Point2>{{1e300, 0}, {1e300, 0}, {-1e300, 0}}, 1e-10, 2) ==
          Labels{0, 0, kNoise});
    CHECK_THROWS_AS(dbscan({}, 0.0, 1), std::invalid_argument);
    CHECK_THROWS_AS(dbscan({}, kNaN, 1), std::invalid_argument);
}
