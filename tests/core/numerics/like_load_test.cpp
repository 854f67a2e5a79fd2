// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/numerics/like_load.h"

#include "tests/support/catch.h"

#include <algorithm>
#include <limits>
#include <set>

using namespace moescope;
using numerics::setsOfLikeLoad;

namespace {

using Loads = std::vector<std::uint64_t>;

std::uint64_t distance(const Loads& loads, const std::vector<int>& a, const std::vector<int>& b) {
    const auto sorted = [&](const std::vector<int>& experts) {
        std::multiset<std::uint64_t> values;
        for (const int expert : experts) {
            values.insert(loads[static_cast<std::size_t>(expert)]);
        }
        return values;
    };
    const auto left = sorted(a);
    const auto right = sorted(b);
    std::uint64_t sum = 0;
    for (auto l = left.begin(), r = right.begin(); l != left.end(); ++l, ++r) {
        sum += std::max(*l, *r) - std::min(*l, *r);
    }
    return sum;
}

/// All pairs of experts that are not in `chosen`, by distance.
std::vector<std::uint64_t> distancesOfPairs(const Loads& loads, const std::vector<int>& chosen) {
    std::vector<std::uint64_t> all;
    const int experts = static_cast<int>(loads.size());
    const auto isOther = [&](int e) {
        return std::find(chosen.begin(), chosen.end(), e) == chosen.end();
    };
    for (int a = 0; a < experts; ++a) {
        for (int b = a + 1; b < experts; ++b) {
            if (isOther(a) && isOther(b)) {
                all.push_back(distance(loads, {a, b}, chosen));
            }
        }
    }
    std::sort(all.begin(), all.end());
    return all;
}

}  // namespace

TEST_CASE("setsOfLikeLoad: of one expert the others, nearest in load first", "[core][numerics]") {
    const Loads loads{100, 10, 98, 50, 103, 0, 101, 60};
    const auto sets = setsOfLikeLoad(loads, {0}, 5, 7);
    CHECK(sets == std::vector<std::vector<int>>{{6}, {2}, {4}, {7}, {3}});
    CHECK(setsOfLikeLoad(loads, {0}, 2, 7) == std::vector<std::vector<int>>{{6}, {2}});
    CHECK(setsOfLikeLoad(loads, {0}, 100, 7).size() == 7);  // there are no more
    CHECK(setsOfLikeLoad(loads, {0}, 0, 7).empty());
}

TEST_CASE("setsOfLikeLoad: as many different ones as asked for, where there are so many",
          "[core][numerics]") {
    Loads loads;
    for (std::uint64_t e = 0; e < 64; ++e) {
        loads.push_back((e * 37) % 64);  // all different
    }
    const auto sets = setsOfLikeLoad(loads, {5}, 40, 3);
    REQUIRE(sets.size() == 40);
    CHECK(std::set<std::vector<int>>(sets.begin(), sets.end()).size() == 40);
    const auto few = setsOfLikeLoad(loads, {5}, 10, 3);
    CHECK(std::equal(few.begin(), few.end(), sets.begin()));
    for (int experts = 2; experts <= 8; ++experts) {
        std::vector<int> chosen;
        while (static_cast<int>(chosen.size()) < experts - 1) {
            chosen.push_back(static_cast<int>(chosen.size()));
            const auto all =
                setsOfLikeLoad(Loads(static_cast<std::size_t>(experts)), chosen, 1000, 1);
            CAPTURE(experts, chosen.size());
            CHECK(std::set<std::vector<int>>(all.begin(), all.end()).size() == all.size());
            CHECK(numerics::countSetsOfLikeLoad(static_cast<std::size_t>(experts), chosen.size(),
                                                1000) == all.size());
            CHECK_FALSE(all.empty());
        }
    }
    CHECK(numerics::countSetsOfLikeLoad(8, 4, 5) == 1);              // the others
    CHECK(numerics::countSetsOfLikeLoad(8, 5, 100) == 55);           // 8 over 5, but itself
    CHECK(numerics::countSetsOfLikeLoad(64, 3, 100'000) == 35'990);  // 61 over 3
    CHECK(numerics::countSetsOfLikeLoad(512, 100, 7) == 7);
    CHECK(numerics::countSetsOfLikeLoad(8, 0, 7) == 0);
}

TEST_CASE(
    "setsOfLikeLoad: of two experts the best of all pairs, different ones, whatever the count",
    "[core][numerics]") {
    const Loads loads{40, 5, 33, 17, 90, 61, 12, 38, 20, 44, 71, 3};
    const std::vector<int> chosen{0, 6};
    const auto best = distancesOfPairs(loads, chosen);
    for (const std::uint64_t seed : {1U, 2U, 3U}) {
        const auto sets = setsOfLikeLoad(loads, chosen, 6, seed);
        REQUIRE(sets.size() == 6);
        CHECK(std::set<std::vector<int>>(sets.begin(), sets.end()).size() == 6);
        for (std::size_t i = 0; i < sets.size(); ++i) {
            REQUIRE(sets[i].size() == 2);
            CHECK(sets[i][0] < sets[i][1]);
            CHECK(distance(loads, sets[i], chosen) == best[i]);
        }
        const auto fewer = setsOfLikeLoad(loads, chosen, 3, seed);
        CHECK(std::equal(fewer.begin(), fewer.end(), sets.begin()));
        CHECK(setsOfLikeLoad(loads, chosen, 6, seed) == sets);
    }
}

TEST_CASE("setsOfLikeLoad: large sets are far nearer than by chance, and never the set itself",
          "[core][numerics]") {
    Loads loads;
    for (std::uint64_t e = 0; e < 64; ++e) {
        loads.push_back((e * e * 7) % 1000);
    }
    std::vector<int> chosen;
    for (int e = 0; e < 64; e += 4) {
        chosen.push_back(e);
    }
    const auto sets = setsOfLikeLoad(loads, chosen, 5, 11);
    REQUIRE(sets.size() == 5);
    std::uint64_t total = 0;
    for (const int e : chosen) {
        total += loads[static_cast<std::size_t>(e)];
    }
    for (const auto& set : sets) {
        CHECK(set.size() == chosen.size());
        CHECK(std::none_of(set.begin(), set.end(), [](int e) { return e % 4 == 0; }));
        CHECK(distance(loads, set, chosen) * 20 < total);
    }
    // More than half: its own experts have to stand in.
    const auto most = setsOfLikeLoad(Loads{5, 6, 7}, {0, 1}, 5, 1);
    REQUIRE(most.size() == 2);
    CHECK(std::none_of(most.begin(), most.end(), [](const auto& set) {
        return set == std::vector<int>{0, 1};
    }));
}
