// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/numerics/resampling.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace moescope::numerics {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::uint64_t kSeed = 20240618;
/// As many rounds as make sense, fewer where each takes long.
constexpr std::size_t kMostRounds = 1000;
constexpr std::size_t kFewestRounds = 200;
constexpr double kWork = 2e8;

std::size_t roundsFor(const GroupedCounts& counts, std::size_t asked) {
    if (asked > 0) {
        return asked;
    }
    const double each =
        static_cast<double>(counts.documents() * std::max<std::size_t>(counts.width, 1));
    return static_cast<std::size_t>(
        std::clamp(kWork / std::max(each, 1.0), double{kFewestRounds}, double{kMostRounds}));
}

/// Sums of counts, and of totals behind them.
struct Sums {
    explicit Sums(std::size_t width) : values(width + 1) {}
    std::vector<double> values;

    void clear() { std::fill(values.begin(), values.end(), 0.0); }
    void add(const GroupedCounts& counts, std::size_t document) {
        for (std::size_t i = 0; i < counts.width; ++i) {
            values[i] += counts.counts[document * counts.width + i];
        }
        values.back() += counts.totals[document];
    }
    [[nodiscard]] double share(std::size_t i) const {
        return values.back() > 0.0 ? values[i] / values.back() : kNaN;
    }
};

/// The documents of each group; the last list has all.
std::vector<std::vector<std::size_t>> membersOf(const GroupedCounts& counts) {
    std::vector<std::vector<std::size_t>> members(counts.groups + 1);
    for (std::size_t d = 0; d < counts.documents(); ++d) {
        if (counts.group[d] >= 0) {
            members[static_cast<std::size_t>(counts.group[d])].push_back(d);
        }
        members.back().push_back(d);
    }
    return members;
}

double quantile(std::vector<double>& values, double at) {
    const double place = at * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(below);
    std::nth_element(values.begin(), middle, values.end());
    const double low = *middle;
    if (below + 1 >= values.size()) {
        return low;
    }
    const double high = *std::min_element(middle + 1, values.end());
    return low + (place - static_cast<double>(below)) * (high - low);
}

}  // namespace

std::uint64_t RandomBits::operator()() {
    m_state += 0x9E3779B97F4A7C15ULL;
    std::uint64_t z = m_state;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31U);
}

std::size_t RandomBits::below(std::size_t bound) {
    // 32 bits suffice for documents, and their bias is below 1e-5 of a chance.
    const std::uint64_t high = (*this)() >> 32U;
    return static_cast<std::size_t>(high * bound >> 32U);
}

std::vector<double> groupShares(const GroupedCounts& counts) {
    std::vector<double> shares;
    Sums sums(counts.width);
    for (const std::vector<std::size_t>& members : membersOf(counts)) {
        sums.clear();
        for (const std::size_t document : members) {
            sums.add(counts, document);
        }
        for (std::size_t i = 0; i < counts.width; ++i) {
            shares.push_back(sums.share(i));
        }
    }
    return shares;
}

Intervals bootstrapShares(const GroupedCounts& counts, double level, std::size_t rounds) {
    const std::size_t number = roundsFor(counts, rounds);
    Intervals intervals;
    RandomBits random(kSeed);
    Sums sums(counts.width);
    for (const std::vector<std::size_t>& members : membersOf(counts)) {
        if (members.size() < 2) {
            intervals.low.insert(intervals.low.end(), counts.width, kNaN);
            intervals.high.insert(intervals.high.end(), counts.width, kNaN);
            continue;
        }
        std::vector<std::vector<double>> drawn(counts.width);
        for (std::size_t round = 0; round < number; ++round) {
            sums.clear();
            for (std::size_t i = 0; i < members.size(); ++i) {
                sums.add(counts, members[random.below(members.size())]);
            }
            for (std::size_t i = 0; i < counts.width; ++i) {
                if (std::isfinite(sums.share(i))) {
                    drawn[i].push_back(sums.share(i));
                }
            }
        }
        for (std::vector<double>& values : drawn) {
            const double tail = (1.0 - level) / 2.0;
            intervals.low.push_back(values.empty() ? kNaN : quantile(values, tail));
            intervals.high.push_back(values.empty() ? kNaN : quantile(values, 1.0 - tail));
        }
    }
    return intervals;
}

std::vector<double> permutationChances(const GroupedCounts& counts, std::size_t rounds) {
    const std::size_t cells = counts.groups * counts.width;
    if (counts.groups < 2 || counts.documents() < 2) {
        std::vector<double> unknown(cells, kNaN);
        return unknown;
    }
    const std::size_t number = roundsFor(counts, rounds);
    const std::vector<double> measured = groupShares(counts);
    const std::span<const double> all = std::span(measured).last(counts.width);
    std::vector<std::int32_t> group(counts.group.begin(), counts.group.end());
    GroupedCounts shuffled = counts;
    shuffled.group = group;
    std::vector<std::size_t> asFar(cells);
    RandomBits random(kSeed);
    for (std::size_t round = 0; round < number; ++round) {
        for (std::size_t i = group.size(); i > 1; --i) {
            std::swap(group[i - 1], group[random.below(i)]);
        }
        const std::vector<double> shares = groupShares(shuffled);
        for (std::size_t cell = 0; cell < cells; ++cell) {
            const double centre = all[cell % counts.width];
            // Sums in another order may differ in their last digit.
            asFar[cell] +=
                std::abs(shares[cell] - centre) >= std::abs(measured[cell] - centre) * (1.0 - 1e-12)
                    ? 1
                    : 0;
        }
    }
    std::vector<double> chances(cells, kNaN);
    for (std::size_t cell = 0; cell < cells; ++cell) {
        if (std::isfinite(measured[cell])) {
            chances[cell] = static_cast<double>(asFar[cell] + 1) / static_cast<double>(number + 1);
        }
    }
    return chances;
}

std::vector<std::uint8_t> discoveries(std::span<const double> chances, double q) {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < chances.size(); ++i) {
        if (std::isfinite(chances[i])) {
            order.push_back(i);
        }
    }
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return chances[a] < chances[b]; });
    std::size_t standing = 0;
    for (std::size_t i = 0; i < order.size(); ++i) {
        const double bound = q * static_cast<double>(i + 1) / static_cast<double>(order.size());
        standing = chances[order[i]] <= bound ? i + 1 : standing;
    }
    std::vector<std::uint8_t> found(chances.size());
    for (std::size_t i = 0; i < standing; ++i) {
        found[order[i]] = 1;
    }
    return found;
}

}  // namespace moescope::numerics
