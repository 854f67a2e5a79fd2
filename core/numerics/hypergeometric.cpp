// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/numerics/hypergeometric.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace moescope::numerics {
namespace {

/// ln n!: a table, and from there on Stirling's series. (std::lgamma writes to a global.)
double logFactorial(std::uint64_t n) {
    constexpr std::size_t kTable = 64;
    static const std::array<double, kTable> kValues = [] {
        std::array<double, kTable> values{};
        for (std::size_t i = 1; i < kTable; ++i) {
            values[i] = values[i - 1] + std::log(static_cast<double>(i));
        }
        return values;
    }();
    if (n < kTable) {
        return kValues[n];
    }
    constexpr double kHalfLogTwoPi = 0.91893853320467274178;
    const auto x = static_cast<double>(n);
    const double inverse = 1.0 / x;
    const double square = inverse * inverse;
    // 1/12x - 1/360x^3 + 1/1260x^5: the next term is below 1e-15 from 64 on.
    const double series = inverse * (1.0 / 12.0 - square * (1.0 / 360.0 - square / 1260.0));
    return (x + 0.5) * std::log(x) - x + kHalfLogTwoPi + series;
}

double logChoose(std::uint64_t n, std::uint64_t k) {
    return logFactorial(n) - logFactorial(k) - logFactorial(n - k);
}

/// Sums of terms that fall by known ratios stop here.
constexpr double kNegligible = 1e-17;

}  // namespace

double chanceOfAtLeast(std::uint64_t found, const Draw& draw) {
    const auto& [total, marked, drawn] = draw;
    const std::uint64_t unmarked = total - marked;
    const std::uint64_t least = drawn > unmarked ? drawn - unmarked : 0;
    const std::uint64_t most = std::min(marked, drawn);
    if (found <= least) {
        return 1.0;
    }
    if (found > most) {
        return 0.0;
    }
    const auto chanceOf = [&](std::uint64_t k) {
        return std::exp(logChoose(marked, k) + logChoose(unmarked, drawn - k) -
                        logChoose(total, drawn));
    };
    const auto number = [](std::uint64_t value) { return static_cast<double>(value); };
    const double mean = number(drawn) * number(marked) / number(total);
    double term = 0.0;
    double sum = 0.0;
    if (number(found) > mean) {  // terms fall from here on
        term = chanceOf(found);
        for (std::uint64_t k = found; term > kNegligible * sum; ++k) {
            sum += term;
            term *= k == most ? 0.0
                              : number(marked - k) * number(drawn - k) /
                                    (number(k + 1) * number(unmarked + k + 1 - drawn));
        }
        return std::min(sum, 1.0);
    }
    term = chanceOf(found - 1);  // less what is below
    for (std::uint64_t k = found - 1; term > kNegligible * sum; --k) {
        sum += term;
        term *= k == least ? 0.0
                           : number(k) * number(unmarked + k - drawn) /
                                 (number(marked - k + 1) * number(drawn - k + 1));
    }
    return std::max(1.0 - sum, 0.0);
}

}  // namespace moescope::numerics
