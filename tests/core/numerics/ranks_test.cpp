// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/numerics/ranks.h"

#include "tests/support/catch.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <stdexcept>
#include <vector>

using namespace moescope;

namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

/// Few distinct values, so that ties are common.
std::vector<float> valuesWithTies(std::size_t count, unsigned seed) {
    std::mt19937 generator(seed);
    std::uniform_int_distribution<int> die(-3, 3);
    std::vector<float> values(count);
    std::generate(values.begin(), values.end(),
                  [&] { return static_cast<float>(die(generator)) * 0.5F; });
    return values;
}

std::vector<float> randomValues(std::size_t count, unsigned seed) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal;
    std::vector<float> values(count);
    std::generate(values.begin(), values.end(), [&] { return normal(generator); });
    return values;
}

std::vector<std::uint32_t> slowRanks(const std::vector<float>& values) {
    std::vector<std::size_t> order(values.size());
    std::iota(order.begin(), order.end(), 0U);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
    std::vector<std::uint32_t> ranks(values.size());
    for (std::size_t place = 0; place < order.size(); ++place) {
        ranks[order[place]] = static_cast<std::uint32_t>(place + 1);
    }
    return ranks;
}

std::vector<std::uint32_t> fastRanks(const std::vector<float>& values) {
    std::vector<std::uint32_t> ranks(values.size());
    numerics::ranksAscending(values, ranks);
    return ranks;
}

/// Pearson's correlation of all rank pairs: the definition of Spearman's rho.
double slowSpearman(const std::vector<double>& x, const std::vector<double>& y) {
    const auto n = static_cast<double>(x.size());
    const double meanX = std::accumulate(x.begin(), x.end(), 0.0) / n;
    const double meanY = std::accumulate(y.begin(), y.end(), 0.0) / n;
    double xy = 0.0;
    double xx = 0.0;
    double yy = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        xy += (x[i] - meanX) * (y[i] - meanY);
        xx += (x[i] - meanX) * (x[i] - meanX);
        yy += (y[i] - meanY) * (y[i] - meanY);
    }
    return xy / std::sqrt(xx * yy);
}

}  // namespace

TEST_CASE("ranksAscending: equals a stable sort, ties by index", "[core][numerics]") {
    for (unsigned seed = 0; seed < 50; ++seed) {
        const auto tied = valuesWithTies(seed % 17, seed);
        CHECK(fastRanks(tied) == slowRanks(tied));
        const auto distinct = randomValues(1 + seed * 5, seed);
        CHECK(fastRanks(distinct) == slowRanks(distinct));
    }
    CHECK(fastRanks({2.0F, 1.0F, 2.0F}) == std::vector<std::uint32_t>{2, 1, 3});
}

TEST_CASE("ranksAscending: NaN ranks below every number and keeps ranks unique",
          "[core][numerics]") {
    CHECK(fastRanks({1.0F, kNaN, -5.0F}) == std::vector<std::uint32_t>{3, 1, 2});
    CHECK(fastRanks({kNaN, kNaN}) == std::vector<std::uint32_t>{1, 2});
    std::vector<std::uint32_t> two(2);
    CHECK_THROWS_AS(numerics::ranksAscending(std::vector<float>(3), two), std::invalid_argument);
}

TEST_CASE("addRankCounts: equals counting by hand; rows and columns sum to the tokens",
          "[core][numerics]") {
    for (const std::size_t experts : {1U, 2U, 7U, 40U}) {
        constexpr std::size_t kTokens = 23;
        const auto scores = valuesWithTies(kTokens * experts, 5);
        const auto norms = randomValues(kTokens * experts, 6);
        std::vector<std::uint64_t> counts(experts * experts);
        std::vector<std::uint64_t> slow(experts * experts);
        numerics::addRankCounts(scores, norms, experts, counts);
        for (std::size_t t = 0; t < kTokens; ++t) {
            const auto at = static_cast<std::ptrdiff_t>(t * experts);
            const auto n = static_cast<std::ptrdiff_t>(experts);
            const auto s = slowRanks({scores.begin() + at, scores.begin() + at + n});
            const auto r = slowRanks({norms.begin() + at, norms.begin() + at + n});
            for (std::size_t e = 0; e < experts; ++e) {
                ++slow[(s[e] - 1) * experts + r[e] - 1];
            }
        }
        CHECK(counts == slow);
        for (std::size_t i = 0; i < experts; ++i) {
            std::uint64_t row = 0;
            std::uint64_t column = 0;
            for (std::size_t j = 0; j < experts; ++j) {
                row += counts[i * experts + j];
                column += counts[j * experts + i];
            }
            CHECK(row == kTokens);
            CHECK(column == kTokens);
        }
    }
    std::vector<std::uint64_t> counts(4);
    CHECK_THROWS_AS(
        numerics::addRankCounts(std::vector<float>(3), std::vector<float>(3), 2, counts),
        std::invalid_argument);
}

TEST_CASE("rankAgreement: rho equals Pearson's correlation of the pooled ranks",
          "[core][numerics]") {
    constexpr std::size_t kExperts = 6;
    constexpr std::size_t kTokens = 31;
    const auto scores = randomValues(kTokens * kExperts, 1);
    auto norms = randomValues(kTokens * kExperts, 2);
    for (std::size_t i = 0; i < norms.size(); ++i) {
        norms[i] += scores[i];
    }
    std::vector<std::uint64_t> counts(kExperts * kExperts);
    numerics::addRankCounts(scores, norms, kExperts, counts);

    std::vector<double> x;
    std::vector<double> y;
    double perToken = 0.0;
    for (std::size_t t = 0; t < kTokens; ++t) {
        const auto at = static_cast<std::ptrdiff_t>(t * kExperts);
        const auto s = slowRanks({scores.begin() + at, scores.begin() + at + 6});
        const auto n = slowRanks({norms.begin() + at, norms.begin() + at + 6});
        x.insert(x.end(), s.begin(), s.end());
        y.insert(y.end(), n.begin(), n.end());
        perToken += slowSpearman({s.begin(), s.end()}, {n.begin(), n.end()});
    }
    const auto agreement = numerics::rankAgreement(counts, kExperts);
    CHECK(agreement.spearman == Approx(slowSpearman(x, y)).margin(1e-12));
    CHECK(agreement.spearman == Approx(perToken / kTokens).margin(1e-12));
    CHECK(agreement.spearman > 0.4);
}

TEST_CASE("rankAgreement: extremes", "[core][numerics]") {
    const std::vector<std::uint64_t> same{3, 0, 0, 0, 3, 0, 0, 0, 3};
    CHECK(numerics::rankAgreement(same, 3).spearman == Approx(1.0));
    CHECK(numerics::rankAgreement(same, 3).diagonalShare == 1.0);
    CHECK(numerics::rankAgreement(same, 3).agreeingRanks == 3);
    const std::vector<std::uint64_t> reversed{0, 0, 3, 0, 3, 0, 3, 0, 0};
    CHECK(numerics::rankAgreement(reversed, 3).spearman == Approx(-1.0));
    CHECK(numerics::rankAgreement(reversed, 3).diagonalShare == Approx(1.0 / 3.0));
    CHECK(numerics::rankAgreement(reversed, 3).agreeingRanks == 1);
    // A tie between score ranks goes to the lower one: column 0 agrees, column 1 does not.
    const std::vector<std::uint64_t> even{2, 2, 2, 2};
    CHECK(numerics::rankAgreement(even, 2).agreeingRanks == 1);
    const auto none = numerics::rankAgreement(std::vector<std::uint64_t>(4), 2);
    CHECK(std::isnan(none.spearman));
    CHECK(std::isnan(none.diagonalShare));
    CHECK(none.agreeingRanks == 0);
    CHECK(std::isnan(numerics::rankAgreement(std::vector<std::uint64_t>{9}, 1).spearman));
}

TEST_CASE("topK: largest first, ties to the lower index", "[core][numerics]") {
    const auto chosen = [](const std::vector<float>& values, std::size_t k) {
        std::vector<std::uint32_t> result(k);
        numerics::topK(values, result);
        return result;
    };
    CHECK(chosen({0.5F, 0.9F, 0.9F, 0.1F}, 3) == std::vector<std::uint32_t>{1, 2, 0});
    CHECK(chosen({kNaN, -1.0F}, 1) == std::vector<std::uint32_t>{1});
    CHECK(chosen({1.0F}, 0).empty());
    for (unsigned seed = 0; seed < 20; ++seed) {
        const auto values = valuesWithTies(12, seed);
        std::vector<std::uint32_t> slow(values.size());
        std::iota(slow.begin(), slow.end(), 0U);
        std::stable_sort(slow.begin(), slow.end(),
                         [&](std::uint32_t a, std::uint32_t b) { return values[a] > values[b]; });
        slow.resize(5);
        CHECK(chosen(values, 5) == slow);
    }
    std::vector<std::uint32_t> tooMany(3);
    CHECK_THROWS_AS(numerics::topK(std::vector<float>(2), tooMany), std::invalid_argument);
}
