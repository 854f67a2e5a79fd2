// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/numerics/chosen_together.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

namespace moescope::numerics {
namespace {

/// Independent coins q, and chances that 0 ... k of them show heads. Given k heads their
/// distribution over sets is the one of largest entropy.
class Coins {
public:
    Coins(std::size_t count, std::size_t heads) : m_heads(heads), m_odds(count) {}

    std::vector<double>& logOdds() { return m_odds; }
    [[nodiscard]] double heads(std::size_t coin) const {
        return 1.0 / (1.0 + std::exp(-m_odds[coin]));
    }

    /// Of all coins but up to two.
    [[nodiscard]] std::vector<double> headsOf(std::size_t without, std::size_t andWithout) const {
        std::vector<double> chances(m_heads + 1);
        chances[0] = 1.0;
        for (std::size_t coin = 0; coin < m_odds.size(); ++coin) {
            if (coin == without || coin == andWithout) {
                continue;
            }
            const double q = heads(coin);
            for (std::size_t n = m_heads; n > 0; --n) {
                chances[n] += q * (chances[n - 1] - chances[n]);
            }
            chances[0] *= 1.0 - q;
        }
        return chances;
    }
    /// The same from those with the coin. Stable for coins that mostly show tails.
    [[nodiscard]] bool canTakeOut(std::size_t coin) const { return m_odds[coin] <= 0.0; }
    void takeOut(std::size_t coin, std::vector<double>& chances) const {
        const double q = heads(coin);
        chances[0] /= 1.0 - q;
        for (std::size_t n = 1; n <= m_heads; ++n) {
            chances[n] = (chances[n] - q * chances[n - 1]) / (1.0 - q);
        }
    }
    [[nodiscard]] std::vector<double> headsWithout(std::size_t coin,
                                                   const std::vector<double>& all) const {
        if (!canTakeOut(coin)) {
            return headsOf(coin, coin);
        }
        std::vector<double> chances = all;
        takeOut(coin, chances);
        return chances;
    }

private:
    std::size_t m_heads;
    std::vector<double> m_odds;  ///< ln q/(1-q)
};

constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

double logit(double chance) {
    return std::log(chance / (1.0 - chance));
}

/// Coins that show the given chances when k of them show heads. Half of the difference in log odds
/// is taken at a time: the slope of these in those is a normalised Laplacian, with eigenvalues up
/// to 2, so that whole steps may swing for ever.
Coins fitted(const std::vector<double>& chances, std::size_t heads) {
    constexpr int kMostRounds = 1000;
    constexpr double kEnough = 1e-13;
    Coins coins(chances.size(), heads);
    std::transform(chances.begin(), chances.end(), coins.logOdds().begin(), logit);
    double off = 1.0;
    for (int round = 0; round < kMostRounds && off > kEnough; ++round) {
        const std::vector<double> all = coins.headsOf(kNone, kNone);
        std::vector<double> next = coins.logOdds();
        off = 0.0;
        for (std::size_t i = 0; i < chances.size(); ++i) {
            const std::vector<double> others = coins.headsWithout(i, all);
            const double odds = coins.logOdds()[i] + std::log(others[heads - 1] / others[heads]);
            next[i] += 0.5 * (logit(chances[i]) - odds);
            off = std::max(off, std::abs(1.0 / (1.0 + std::exp(-odds)) - chances[i]));
        }
        coins.logOdds() = next;
    }
    return coins;
}

/// Chances of both for coins of which exactly `heads` show heads.
void addPairs(const Coins& coins, const std::vector<std::size_t>& experts, std::size_t heads,
              std::size_t width, std::vector<double>& result) {
    const std::vector<double> all = coins.headsOf(kNone, kNone);
    for (std::size_t i = 0; i < experts.size() && heads >= 2; ++i) {
        const std::vector<double> without = coins.headsWithout(i, all);
        for (std::size_t j = 0; j < i; ++j) {
            std::vector<double> others = without;
            if (coins.canTakeOut(j)) {
                coins.takeOut(j, others);
            } else {
                others = coins.headsOf(i, j);
            }
            const double both =
                coins.heads(i) * coins.heads(j) * std::max(others[heads - 2], 0.0) / all[heads];
            result[experts[i] * width + experts[j]] = both;
            result[experts[j] * width + experts[i]] = both;
        }
    }
}

/// Chance of one more token for both over the chance of so many.
double ratioAfter(double both, const Together& of, double odds) {
    const auto number = [](std::uint64_t value) { return static_cast<double>(value); };
    return odds * (number(of.first) - both) * (number(of.second) - both) /
           ((both + 1.0) * (number(of.tokens) - number(of.first) - number(of.second) + both + 1.0));
}

}  // namespace

std::vector<double> chancesOfBoth(std::span<const double> chances, int topK) {
    const std::size_t width = chances.size();
    std::vector<double> result(width * width);
    std::vector<std::size_t> open;  // neither never nor always chosen
    std::vector<double> ofOpen;
    std::size_t always = 0;
    constexpr double kCertain = 1e-12;
    for (std::size_t i = 0; i < width; ++i) {
        result[i * width + i] = chances[i];
        always += chances[i] >= 1.0 - kCertain ? 1 : 0;
        if (chances[i] > kCertain && chances[i] < 1.0 - kCertain) {
            open.push_back(i);
            ofOpen.push_back(chances[i]);
        }
        for (std::size_t j = 0; j < i; ++j) {  // right where one of them is certain
            const double both = std::max(chances[i] + chances[j] - 1.0, 0.0);
            result[i * width + j] = result[j * width + i] = both;
        }
    }
    const auto heads = static_cast<std::size_t>(std::max(topK, 0));
    if (heads > always && open.size() > heads - always) {
        addPairs(fitted(ofOpen, heads - always), open, heads - always, width, result);
    }
    return result;
}

double Tails::twoSided() const {
    return std::min(1.0, 2.0 * std::min(atMost, atLeast));
}

Tails tailsOf(const Together& counts, double chanceOfBoth) {
    const auto tokens = static_cast<double>(counts.tokens);
    const double first = static_cast<double>(counts.first) / tokens;
    const double second = static_cast<double>(counts.second) / tokens;
    const double odds = chanceOfBoth * (1.0 - first - second + chanceOfBoth) /
                        ((first - chanceOfBoth) * (second - chanceOfBoth));
    const std::uint64_t sum = counts.first + counts.second;
    const std::uint64_t least = sum > counts.tokens ? sum - counts.tokens : 0;
    const std::uint64_t most = std::min(counts.first, counts.second);
    if (least == most || !std::isfinite(odds) || !(odds > 0.0)) {
        return {};  // there is nothing to choose
    }
    std::uint64_t top = least;  // the likeliest number: ratios fall
    for (std::uint64_t end = most; top < end;) {
        const std::uint64_t middle = top + (end - top) / 2;
        if (ratioAfter(static_cast<double>(middle), counts, odds) > 1.0) {
            top = middle + 1;
        } else {
            end = middle;
        }
    }
    constexpr double kNegligible = 1e-30;
    double below = 0.0;  // than `both`
    double above = 0.0;
    double equal = 0.0;
    const auto add = [&](std::uint64_t both, double term) {
        (both < counts.both ? below : both > counts.both ? above : equal) += term;
    };
    double term = 1.0;
    for (std::uint64_t both = top; term > kNegligible; ++both) {
        add(both, term);
        term *= both == most ? 0.0 : ratioAfter(static_cast<double>(both), counts, odds);
    }
    term = 1.0;
    for (std::uint64_t both = top; both > least && term > kNegligible;) {
        --both;
        term /= ratioAfter(static_cast<double>(both), counts, odds);
        add(both, term);
    }
    const double all = below + above + equal;
    return {(below + equal) / all, (above + equal) / all};
}

}  // namespace moescope::numerics
