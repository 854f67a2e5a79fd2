// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/numerics/chosen_together.h"

#include "core/numerics/hypergeometric.h"
#include "core/numerics/resampling.h"
#include "tests/core/numerics/statistics_cases.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <numeric>
#include <vector>

using namespace moescope::numerics;
using moescope::tests::statisticsCases;

TEST_CASE("chancesOfBoth: all sets of experts counted", "[core][numerics]") {
    for (const auto& each : statisticsCases("both")) {
        const auto chances = each.at("chances").get<std::vector<double>>();
        const auto expected = each.at("both").get<std::vector<double>>();
        const std::vector<double> found = chancesOfBoth(chances, each.at("k").get<int>());
        const std::size_t experts = chances.size();
        std::size_t at = 0;
        for (std::size_t i = 0; i < experts; ++i) {
            CHECK(found[i * experts + i] == chances[i]);
            for (std::size_t j = 0; j < i; ++j, ++at) {
                CAPTURE(experts, i, j);
                CHECK(found[i * experts + j] == Approx(expected[at]).epsilon(1e-9).margin(1e-13));
                CHECK(found[j * experts + i] == found[i * experts + j]);
            }
        }
    }
}

TEST_CASE("chancesOfBoth: every token chooses k, many experts and uneven loads",
          "[core][numerics]") {
    struct Case {
        std::size_t experts;
        int topK;
    };
    for (const auto& [experts, topK] : {Case{8, 2}, {64, 8}, {256, 8}, {512, 10}}) {
        CAPTURE(experts, topK);
        RandomBits random(experts);
        std::vector<double> chances(experts);
        for (double& chance : chances) {
            chance = 0.01 + static_cast<double>(random.below(1000)) / 1000.0;
        }
        const double scale = topK / std::accumulate(chances.begin(), chances.end(), 0.0);
        for (double& chance : chances) {
            chance *= scale;
        }
        const std::vector<double> both = chancesOfBoth(chances, topK);
        for (std::size_t i = 0; i < experts; ++i) {
            const double sum =
                std::accumulate(both.begin() + static_cast<std::ptrdiff_t>(i * experts),
                                both.begin() + static_cast<std::ptrdiff_t>((i + 1) * experts), 0.0);
            CHECK(sum == Approx(topK * chances[i]).epsilon(1e-9));  // itself and k - 1 others
        }
    }
}

TEST_CASE("chancesOfBoth: experts that are always or never chosen", "[core][numerics]") {
    const std::vector<double> both = chancesOfBoth(std::vector{1.0, 0.0, 0.5, 0.25, 0.25}, 2);
    CHECK(both[0 * 5 + 2] == Approx(0.5));  // beside the one that is always there
    CHECK(both[0 * 5 + 1] == 0.0);
    CHECK(both[2 * 5 + 3] == Approx(0.0).margin(1e-12));  // one place is left for the others
    CHECK(chancesOfBoth(std::vector{0.5, 0.5}, 1)[1] == Approx(0.0).margin(1e-12));
    CHECK(chancesOfBoth(std::vector{1.0, 1.0}, 2)[1] == 1.0);
    CHECK(chancesOfBoth({}, 2).empty());
}

TEST_CASE("tailsOf: SciPy's noncentral hypergeometric distribution", "[core][numerics]") {
    for (const auto& each : statisticsCases("tails")) {
        const auto counts = each.at("counts").get<std::vector<std::uint64_t>>();
        CAPTURE(counts);
        const Tails tails =
            tailsOf({counts[0], counts[1], counts[2], counts[3]}, each.at("chance").get<double>());
        CHECK(tails.atMost == Approx(each.at("at_most").get<double>()).epsilon(1e-8));
        CHECK(tails.atLeast == Approx(each.at("at_least").get<double>()).epsilon(1e-8));
    }
    // Independent: Fisher's exact test.
    const Tails tails = tailsOf({100000, 2000, 30000, 700}, 0.02 * 0.3);
    CHECK(tails.atLeast == Approx(chanceOfAtLeast(700, {100000, 2000, 30000})).epsilon(1e-7));
    CHECK(tails.twoSided() == Approx(2.0 * tails.atLeast));
}

TEST_CASE("tailsOf: what leaves no choice is no surprise", "[core][numerics]") {
    CHECK(tailsOf({10, 10, 4, 4}, 0.4).twoSided() == 1.0);
    CHECK(tailsOf({10, 0, 4, 0}, 0.0).twoSided() == 1.0);
    CHECK(tailsOf({10, 5, 5, 0}, 0.0).twoSided() == 1.0);
}

TEST_CASE("tailsOf: under chance so few pairs surprise as they should", "[core][numerics]") {
    // Tokens that choose 2 of 6 experts by weights alone, by trial and error.
    constexpr std::size_t kExperts = 6;
    constexpr std::uint64_t kTokens = 400;
    const std::array<double, kExperts> weights{0.5, 0.15, 0.2, 0.3, 0.12, 0.25};
    RandomBits random(5);
    const auto draws = [&](double chance) {
        return static_cast<double>(random() >> 11U) * 0x1p-53 < chance;
    };
    std::size_t surprising = 0;
    std::size_t pairs = 0;
    for (int text = 0; text < 200; ++text) {
        std::array<std::array<std::uint64_t, kExperts>, kExperts> counts{};
        for (std::uint64_t token = 0; token < kTokens;) {
            unsigned chosen = 0;
            for (std::size_t e = 0; e < kExperts; ++e) {
                chosen |= draws(weights[e]) ? 1U << e : 0U;
            }
            if (std::popcount(chosen) != 2) {
                continue;
            }
            ++token;
            for (std::size_t i = 0; i < kExperts; ++i) {
                for (std::size_t j = 0; j < kExperts; ++j) {
                    counts[i][j] += (chosen >> i & chosen >> j & 1U);
                }
            }
        }
        std::vector<double> chances(kExperts);
        for (std::size_t e = 0; e < kExperts; ++e) {
            chances[e] = static_cast<double>(counts[e][e]) / double{kTokens};
        }
        const std::vector<double> both = chancesOfBoth(chances, 2);
        for (std::size_t i = 0; i < kExperts; ++i) {
            for (std::size_t j = 0; j < i; ++j, ++pairs) {
                const Tails tails = tailsOf({kTokens, counts[i][i], counts[j][j], counts[i][j]},
                                            both[i * kExperts + j]);
                surprising += tails.twoSided() <= 0.05 ? 1 : 0;
            }
        }
    }
    const double share = static_cast<double>(surprising) / static_cast<double>(pairs);
    CHECK(share < 0.05);   // counts are whole: never more often than said
    CHECK(share > 0.015);  // the loads of the other experts bind it a little more
}
