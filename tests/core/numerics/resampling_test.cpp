// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/numerics/resampling.h"

#include "core/base/file_system.h"
#include "tests/support/catch.h"
#include "tests/support/paths.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

using namespace moescope;
using namespace moescope::numerics;

namespace {

/// Documents of one thing counted, each token with the document's own chance of it.
struct Sample {
    std::vector<double> counts, totals;
    std::vector<std::int32_t> group;
    [[nodiscard]] GroupedCounts view(std::size_t groups) const {
        return {1, counts, totals, group, groups};
    }
};

double uniform(RandomBits& random) {
    return static_cast<double>(random() >> 11U) * 0x1p-53;
}

Sample draw(RandomBits& random, std::size_t documents, std::size_t groups) {
    Sample sample;
    for (std::size_t d = 0; d < documents; ++d) {
        const double chance = 0.2 + 0.4 * uniform(random);  // 0.4 on average
        constexpr int kTokens = 50;
        int count = 0;
        for (int t = 0; t < kTokens; ++t) {
            count += uniform(random) < chance ? 1 : 0;
        }
        sample.counts.push_back(count);
        sample.totals.push_back(kTokens);
        sample.group.push_back(static_cast<std::int32_t>(d % groups));
    }
    return sample;
}

}  // namespace

TEST_CASE("bootstrapShares: intervals cover the truth as often as they say", "[core][numerics]") {
    RandomBits random(1);
    constexpr int kTexts = 400;
    int covered = 0;
    for (int text = 0; text < kTexts; ++text) {
        const Sample sample = draw(random, 40, 1);
        const Intervals intervals = bootstrapShares(sample.view(1), 0.9, 300);
        CHECK(intervals.low[0] < intervals.high[0]);
        covered += intervals.low[0] <= 0.4 && 0.4 <= intervals.high[0] ? 1 : 0;
    }
    // 0.9 with a standard deviation of 0.015; the percentile method covers a little less.
    CHECK(covered >= 0.84 * kTexts);
    CHECK(covered <= 0.95 * kTexts);
}

TEST_CASE("permutationChances: uniform where groups mean nothing", "[core][numerics]") {
    RandomBits random(2);
    constexpr int kTexts = 300;
    int small = 0;
    for (int text = 0; text < kTexts; ++text) {
        const Sample sample = draw(random, 12, 3);
        small += permutationChances(sample.view(3), 200)[0] <= 0.1 ? 1 : 0;
    }
    CHECK(small >= 0.05 * kTexts);
    CHECK(small <= 0.16 * kTexts);
}

TEST_CASE("permutationChances: small where a group differs", "[core][numerics]") {
    RandomBits random(3);
    Sample sample = draw(random, 20, 2);
    for (std::size_t d = 0; d < 20; d += 2) {
        sample.counts[d] = 45.0;
    }
    const std::vector<double> chances = permutationChances(sample.view(2), 1000);
    CHECK(chances[0] < 0.01);
    CHECK(chances[1] < 0.01);
}

TEST_CASE("Resampling: what cannot be told is a gap", "[core][numerics]") {
    Sample sample;
    sample.counts = {3.0, 4.0, 0.0};
    sample.totals = {10.0, 10.0, 0.0};
    sample.group = {0, 1, 2};
    CHECK(std::isnan(bootstrapShares(sample.view(3)).low[0]));  // one document
    CHECK(std::isfinite(bootstrapShares(sample.view(3)).low[3]));
    CHECK(std::isnan(groupShares(sample.view(3))[2]));
    CHECK(std::isnan(permutationChances(sample.view(3))[2]));
    sample.group = {0, 0, 0};
    CHECK(std::isnan(permutationChances(sample.view(1))[0]));
}

TEST_CASE("Resampling: the same every time", "[core][numerics]") {
    RandomBits random(4);
    const Sample sample = draw(random, 10, 2);
    CHECK(bootstrapShares(sample.view(2)).low == bootstrapShares(sample.view(2)).low);
    CHECK(permutationChances(sample.view(2)) == permutationChances(sample.view(2)));
    // The published first values of SplitMix64 from seed 0.
    RandomBits bits(0);
    CHECK(bits() == 0xE220A8397B1DCDAFULL);
    CHECK(bits() == 0x6E789E6AA1B965F4ULL);
}

TEST_CASE("discoveries: SciPy's Benjamini and Hochberg", "[core][numerics]") {
    const auto golden =
        nlohmann::json::parse(readTextFile(tests::referenceDir() / "numerics/routing.json"));
    const std::vector<double> chances = golden.at("chances");
    const std::vector<std::uint8_t> expected = golden.at("discoveries");
    CHECK(discoveries(chances) == expected);
    CHECK(std::accumulate(expected.begin(), expected.end(), 0) > 2);
    CHECK(discoveries(std::vector{std::nan(""), 0.001}) == std::vector<std::uint8_t>{0, 1});
}
