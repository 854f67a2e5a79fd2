// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/numerics/correlation.h"

#include "core/numerics/require.h"
#include "core/numerics/summary.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace moescope::numerics {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

double pairs(std::uint64_t n) noexcept {
    return static_cast<double>(n) * (static_cast<double>(n) - 1.0) / 2.0;
}

bool isConstant(std::span<const double> values) {
    return std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) == values.end();
}

bool hasNaN(std::span<const double> values) {
    return std::any_of(values.begin(), values.end(),
                       [](double value) { return std::isnan(value); });
}

/// Sorts and returns the number of pairs that were in the wrong order, equal ones not counted.
template <typename T>
std::uint64_t sortCounting(std::span<T> values, std::span<T> scratch) {
    if (values.size() < 2) {
        return 0;
    }
    const std::size_t half = values.size() / 2;
    const std::span<T> left = values.first(half);
    const std::span<T> right = values.subspan(half);
    std::uint64_t inversions =
        sortCounting(left, scratch.first(half)) + sortCounting(right, scratch.subspan(half));
    std::size_t i = 0;
    std::size_t j = 0;
    for (T& next : scratch) {
        const bool takeLeft = j == right.size() || (i < left.size() && !(right[j] < left[i]));
        inversions += takeLeft ? 0 : left.size() - i;
        next = takeLeft ? left[i++] : right[j++];
    }
    std::copy(scratch.begin(), scratch.end(), values.begin());
    return inversions;
}

/// Pairs of equal neighbours in a sorted sequence, by runs.
template <typename Same>
double tiedPairs(std::size_t n, const Same& same) {
    double tied = 0.0;
    std::uint64_t run = 1;
    for (std::size_t i = 1; i <= n; ++i) {
        if (i < n && same(i - 1, i)) {
            ++run;
        } else {
            tied += pairs(run);
            run = 1;
        }
    }
    return tied;
}

}  // namespace

double pearson(std::span<const double> x, std::span<const double> y) {
    require(x.size() == y.size(), "pearson: sizes differ");
    // Rounding of the mean would give a constant side a spread of its own.
    if (x.size() < 2 || isConstant(x) || isConstant(y)) {
        return kNaN;
    }
    const double meanX = mean(x);
    const double meanY = mean(y);
    double xx = 0.0;
    double xy = 0.0;
    double yy = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        xx += (x[i] - meanX) * (x[i] - meanX);
        xy += (x[i] - meanX) * (y[i] - meanY);
        yy += (y[i] - meanY) * (y[i] - meanY);
    }
    const double r = xy / (std::sqrt(xx) * std::sqrt(yy));
    return std::isnan(r) ? kNaN : std::clamp(r, -1.0, 1.0);
}

std::vector<double> averageRanks(std::span<const double> values) {
    std::vector<std::size_t> order(values.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
    std::vector<double> ranks(values.size());
    for (std::size_t first = 0; first < order.size();) {
        std::size_t end = first + 1;
        while (end < order.size() && values[order[end]] == values[order[first]]) {
            ++end;
        }
        const double shared = (static_cast<double>(first + end) + 1.0) / 2.0;
        for (; first < end; ++first) {
            ranks[order[first]] = shared;
        }
    }
    return ranks;
}

double spearman(std::span<const double> x, std::span<const double> y) {
    require(x.size() == y.size(), "spearman: sizes differ");
    return hasNaN(x) || hasNaN(y) ? kNaN : pearson(averageRanks(x), averageRanks(y));
}

double kendallTauB(std::span<const double> x, std::span<const double> y) {
    require(x.size() == y.size(), "kendallTauB: sizes differ");
    const std::size_t n = x.size();
    if (n < 2 || hasNaN(x) || hasNaN(y)) {
        return kNaN;
    }
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return x[a] < x[b] || (x[a] == x[b] && y[a] < y[b]);
    });
    const double tiedX =
        tiedPairs(n, [&](std::size_t a, std::size_t b) { return x[order[a]] == x[order[b]]; });
    const double tiedBoth = tiedPairs(n, [&](std::size_t a, std::size_t b) {
        return x[order[a]] == x[order[b]] && y[order[a]] == y[order[b]];
    });
    std::vector<double> sorted(n);
    std::transform(order.begin(), order.end(), sorted.begin(), [&](std::size_t i) { return y[i]; });
    std::vector<double> scratch(n);
    const auto discordant =
        static_cast<double>(sortCounting(std::span(sorted), std::span(scratch)));
    const double tiedY =
        tiedPairs(n, [&](std::size_t a, std::size_t b) { return sorted[a] == sorted[b]; });
    const double all = pairs(n);
    if (all == tiedX || all == tiedY) {
        return kNaN;
    }
    const double difference = all - tiedX - tiedY + tiedBoth - 2.0 * discordant;
    const double tau = difference / std::sqrt(all - tiedX) / std::sqrt(all - tiedY);
    return std::clamp(tau, -1.0, 1.0);
}

double kendallTau(std::span<const std::uint32_t> permutation) {
    if (permutation.size() < 2) {
        return 1.0;
    }
    std::vector<std::uint32_t> values(permutation.begin(), permutation.end());
    std::vector<std::uint32_t> scratch(values.size());
    const auto inversions =
        static_cast<double>(sortCounting(std::span(values), std::span(scratch)));
    return 1.0 - 2.0 * inversions / pairs(values.size());
}

}  // namespace moescope::numerics
