// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace moescope::numerics {

/// Pearson's r in [-1, 1]. NaN with fewer than two values, when one side is constant, and when a
/// value is NaN or infinite.
[[nodiscard]] double pearson(std::span<const double> x, std::span<const double> y);

/// Ranks ascending from 1; equal values share the mean of their ranks. No value may be NaN.
[[nodiscard]] std::vector<double> averageRanks(std::span<const double> values);

/// Spearman's rho: Pearson's r of the average ranks. NaN as pearson().
[[nodiscard]] double spearman(std::span<const double> x, std::span<const double> y);

/// Kendall's tau-b (M. G. Kendall, Biometrika 33, 1945) in O(n log n) (W. R. Knight, JASA 61,
/// 1966): concordant less discordant pairs over sqrt((P - ties of x)(P - ties of y)), P all pairs.
/// NaN with fewer than two values, when one side is constant, and when a value is NaN.
[[nodiscard]] double kendallTauB(std::span<const double> x, std::span<const double> y);

/// Kendall's tau between a permutation of 0 .. n-1 and the identity; without ties tau-b is
/// 1 - 4 inversions / (n (n - 1)). 1 for n < 2, where nothing is out of order.
[[nodiscard]] double kendallTau(std::span<const std::uint32_t> permutation);

}  // namespace moescope::numerics
