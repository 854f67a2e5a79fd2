// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <span>
#include <vector>

/// How often two experts would be chosen together if nothing but their loads linked them. A token
/// chooses exactly k experts, so that the product of two loads is too much: with 8 experts of equal
/// load and k = 2 it is 1/16, and 1/28 is right. Pure functions; safe from any thread.
namespace moescope::numerics {

/// [E, E]: chance that a token chooses both experts, under the distribution of largest entropy over
/// sets of k experts with these chances of each ([E], which sum to k): conditional Poisson sampling
/// (Hajek 1964; Chen, Dempster and Liu 1994). Its diagonal is the chances of each. To about 1e-10.
[[nodiscard]] std::vector<double> chancesOfBoth(std::span<const double> chances, int topK);

/// Tokens that chose an expert, another, and both.
struct Together {
    std::uint64_t tokens = 0, first = 0, second = 0, both = 0;
};

struct Tails {
    double atMost = 1.0, atLeast = 1.0;  ///< chance of so many or fewer, or more, tokens for both
    /// Chance of as much in either direction: twice the smaller tail, at most 1.
    [[nodiscard]] double twoSided() const;
};
/// The number of tokens for both, given the tokens of each, where every token by itself chooses
/// both with chance `both` and each with its own: Fisher's noncentral hypergeometric distribution
/// (McCullagh and Nelder 1989, section 7.3) of their odds ratio. Tails below 1e-30 of the largest
/// term are 0.
[[nodiscard]] Tails tailsOf(const Together& counts, double chanceOfBoth);

}  // namespace moescope::numerics
