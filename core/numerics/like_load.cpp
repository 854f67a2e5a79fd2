// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/numerics/like_load.h"

#include "core/numerics/resampling.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

namespace moescope::numerics {
namespace {

constexpr std::size_t kDraws = 512;
/// Experts that one is drawn from at most, in the first draws.
constexpr std::size_t kWidest = 16;

using Loads = std::span<const std::uint64_t>;

std::uint64_t apart(std::uint64_t a, std::uint64_t b) {
    return a > b ? a - b : b - a;
}

std::vector<std::uint64_t> sortedLoads(Loads loads, const std::vector<int>& experts) {
    std::vector<std::uint64_t> sorted;
    sorted.reserve(experts.size());
    for (const int expert : experts) {
        sorted.push_back(loads[static_cast<std::size_t>(expert)]);
    }
    std::sort(sorted.begin(), sorted.end());
    return sorted;
}

std::uint64_t distance(const std::vector<std::uint64_t>& a, const std::vector<std::uint64_t>& b) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        sum += apart(a[i], b[i]);
    }
    return sum;
}

std::vector<int> candidatesFor(std::size_t experts, const std::vector<int>& chosen) {
    std::vector<int> others;
    for (int e = 0; e < static_cast<int>(experts); ++e) {
        if (!std::binary_search(chosen.begin(), chosen.end(), e)) {
            others.push_back(e);
        }
    }
    if (others.size() < chosen.size()) {
        others.insert(others.end(), chosen.begin(), chosen.end());
        std::sort(others.begin(), others.end());
    }
    return others;
}

/// One of the `width` nearest in load, taken out of `left`.
int takeNear(Loads loads, int expert, std::size_t width, std::vector<int>& left,
             RandomBits& random) {
    const std::uint64_t load = loads[static_cast<std::size_t>(expert)];
    const std::size_t most = std::min(width, left.size());
    std::partial_sort(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(most), left.end(),
                      [&](int a, int b) {
                          return std::pair(apart(loads[static_cast<std::size_t>(a)], load), a) <
                                 std::pair(apart(loads[static_cast<std::size_t>(b)], load), b);
                      });
    const auto taken = left.begin() + static_cast<std::ptrdiff_t>(random.below(most));
    const int control = *taken;
    left.erase(taken);
    return control;
}

std::vector<int> drawn(Loads loads, std::vector<int> chosen, std::size_t width,
                       std::vector<int> left, RandomBits& random) {
    std::vector<int> set;
    set.reserve(chosen.size());
    for (std::size_t i = 0; i < chosen.size(); ++i) {
        std::swap(chosen[i], chosen[i + random.below(chosen.size() - i)]);
        set.push_back(takeNear(loads, chosen[i], width, left, random));
    }
    std::sort(set.begin(), set.end());
    return set;
}

/// n over k; the largest number where that is larger.
std::size_t binomial(std::size_t n, std::size_t k) {
    constexpr std::size_t kMost = std::numeric_limits<std::size_t>::max();
    const std::size_t fewer = std::min(k, n - k);
    std::size_t ways = 1;
    for (std::size_t i = 1; i <= fewer; ++i) {
        const std::size_t factor = n - fewer + i;
        if (ways > kMost / factor) {
            return kMost;
        }
        ways = ways * factor / i;  // n - fewer + i over i: whole, and never falling
    }
    return ways;
}

/// Draws different sets, of most like load first, without those that there are.
void addRound(Loads loads, const std::vector<int>& chosen, const std::vector<int>& candidates,
              std::size_t widest, RandomBits& random, std::vector<std::vector<int>>& sets) {
    const std::vector<std::uint64_t> wanted = sortedLoads(loads, chosen);
    const std::set<std::vector<int>> known(sets.begin(), sets.end());
    std::set<std::pair<std::uint64_t, std::vector<int>>> order;  // by distance
    for (std::size_t draw = 0; draw < kDraws; ++draw) {
        auto set = drawn(loads, chosen, 1 + draw % widest, candidates, random);
        if (set != chosen && !known.contains(set)) {
            const std::uint64_t far = distance(sortedLoads(loads, set), wanted);
            order.emplace(far, std::move(set));
        }
    }
    for (const auto& [far, set] : order) {
        sets.push_back(set);
    }
}

}  // namespace

std::size_t countSetsOfLikeLoad(std::size_t experts, std::size_t chosen, std::size_t count) {
    if (chosen == 0 || chosen > experts) {
        return 0;
    }
    const std::size_t others = experts - chosen;
    return std::min(count, others >= chosen ? binomial(others, chosen)
                                            : binomial(experts, chosen) - 1);  // but the set itself
}

std::vector<std::vector<int>> setsOfLikeLoad(Loads loads, const std::vector<int>& chosen,
                                             std::size_t count, std::uint64_t seed) {
    const std::vector<int> candidates = candidatesFor(loads.size(), chosen);
    const std::size_t there = countSetsOfLikeLoad(loads.size(), chosen.size(), count);
    RandomBits random(seed);
    std::vector<std::vector<int>> sets;
    std::size_t widest = kWidest;
    while (sets.size() < there) {
        addRound(loads, chosen, candidates, widest, random, sets);
        widest = candidates.size();
    }
    sets.resize(there);
    return sets;
}

}  // namespace moescope::numerics
