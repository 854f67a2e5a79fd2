// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/numerics/correlation.h"

#include "tests/core/numerics/statistics_cases.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <random>
#include <stdexcept>

using namespace moescope;

namespace {

using Series = std::vector<double>;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// By counting every pair.
double slowTauB(const Series& x, const Series& y) {
    double sum = 0.0;
    double untiedX = 0.0;
    double untiedY = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            const double dx = x[i] - x[j];
            const double dy = y[i] - y[j];
            sum += dx * dy > 0.0 ? 1.0 : (dx * dy < 0.0 ? -1.0 : 0.0);
            untiedX += dx == 0.0 ? 0.0 : 1.0;
            untiedY += dy == 0.0 ? 0.0 : 1.0;
        }
    }
    return sum / std::sqrt(untiedX * untiedY);
}

}  // namespace

TEST_CASE("correlations: SciPy's values", "[core][numerics]") {
    for (const auto& pair : tests::statisticsCases("pairs")) {
        CAPTURE(pair.at("kind"), pair.at("n"));
        const auto [x, y] = tests::seriesOf(pair);
        CHECK(numerics::pearson(x, y) == Approx(pair.at("pearson").get<double>()).margin(1e-12));
        CHECK(numerics::spearman(x, y) == Approx(pair.at("spearman").get<double>()).margin(1e-12));
        CHECK(numerics::kendallTauB(x, y) ==
              Approx(pair.at("kendall").get<double>()).margin(1e-13));
        const Series ranks = numerics::averageRanks(x);
        CHECK(std::inner_product(ranks.begin(), ranks.end(), ranks.begin(), 0.0) ==
              pair.at("rank_sum_of_squares").get<double>());
    }
}

TEST_CASE("kendallTau: SciPy's values for permutations", "[core][numerics]") {
    for (const auto& entry : tests::statisticsCases("permutations")) {
        const std::size_t n = entry.at("n");
        const auto values = tests::splitmixUniform(entry.at("seed"), n);
        std::vector<std::uint32_t> order(n);
        std::iota(order.begin(), order.end(), 0U);
        std::stable_sort(order.begin(), order.end(),
                         [&](std::uint32_t a, std::uint32_t b) { return values[a] < values[b]; });
        CHECK(numerics::kendallTau(order) ==
              Approx(entry.at("kendall").get<double>()).margin(1e-14));
    }
}

TEST_CASE("kendallTauB: equals the count of all pairs, with and without ties", "[core][numerics]") {
    std::mt19937 random(5);
    for (int round = 0; round < 200; ++round) {
        const std::size_t n = 2 + random() % 40;
        std::uniform_int_distribution<int> ofX(0, round % 12);
        std::uniform_int_distribution<int> ofY(0, 6);
        Series x(n);
        Series y(n);
        for (std::size_t i = 0; i < n; ++i) {
            x[i] = ofX(random);
            y[i] = ofY(random);
        }
        const double expected = slowTauB(x, y);
        const double found = numerics::kendallTauB(x, y);
        if (std::isnan(expected)) {
            CHECK(std::isnan(found));
        } else {
            CHECK(found == Approx(expected).margin(1e-14));
        }
    }
}

TEST_CASE("kendallTau: identity, reversal and the general formula agree", "[core][numerics]") {
    std::vector<std::uint32_t> order(101);
    std::iota(order.begin(), order.end(), 0U);
    const Series identity(order.begin(), order.end());
    CHECK(numerics::kendallTau(order) == 1.0);
    std::mt19937 random(3);
    std::shuffle(order.begin(), order.end(), random);
    CHECK(numerics::kendallTau(order) ==
          Approx(numerics::kendallTauB(Series(order.begin(), order.end()), identity)));
    std::sort(order.rbegin(), order.rend());
    CHECK(numerics::kendallTau(order) == -1.0);
    CHECK(numerics::kendallTau({}) == 1.0);
    CHECK(numerics::kendallTau(std::vector<std::uint32_t>{0}) == 1.0);
}

TEST_CASE("correlations: nothing to correlate gives NaN", "[core][numerics]") {
    using Function = double (*)(std::span<const double>, std::span<const double>);
    for (const Function f : {Function(numerics::pearson), Function(numerics::spearman),
                             Function(numerics::kendallTauB)}) {
        CHECK(std::isnan(f({}, {})));
        CHECK(std::isnan(f(Series{1}, Series{2})));
        CHECK(std::isnan(f(Series{0.1, 0.1, 0.1}, Series{1, 2, 3})));
        CHECK(std::isnan(f(Series{1, 2, 3}, Series{0.1, 0.1, 0.1})));
        CHECK(std::isnan(f(Series{1, kNaN, 3}, Series{1, 2, 3})));
        CHECK(std::isnan(f(Series{1, 2, 3}, Series{1, 2, kNaN})));
        CHECK_THROWS_AS(f(Series{1}, Series{}), std::invalid_argument);
    }
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    CHECK(std::isnan(numerics::pearson(Series{1, kInfinity, 3}, Series{1, 2, 3})));
    CHECK(numerics::spearman(Series{1, kInfinity, 3}, Series{1, 3, 2}) == Approx(1.0));
}

TEST_CASE("correlations: unchanged by scale and shift, turned by a sign", "[core][numerics]") {
    const Series x = tests::uniformDoubles(1, 50);
    const Series y = tests::uniformDoubles(2, 50);
    Series scaled(x);
    Series turned(x);
    for (std::size_t i = 0; i < x.size(); ++i) {
        scaled[i] = 8.0 * x[i] + 3.0;
        turned[i] = -x[i];
    }
    CHECK(numerics::pearson(scaled, y) == Approx(numerics::pearson(x, y)));
    CHECK(numerics::pearson(turned, y) == Approx(-numerics::pearson(x, y)));
    CHECK(numerics::spearman(turned, y) == Approx(-numerics::spearman(x, y)));
    CHECK(numerics::kendallTauB(turned, y) == Approx(-numerics::kendallTauB(x, y)));
    CHECK(numerics::kendallTauB(y, x) == Approx(numerics::kendallTauB(x, y)));
    CHECK(numerics::pearson(x, scaled) == Approx(1.0));
}
