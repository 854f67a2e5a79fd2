// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <span>

/// Pure functions on plain numbers, one topic per file, used by the engine's experiments and by the
/// window alike: no LibTorch, no Qt. Sums run in float64; matrices are row-major. A size that does
/// not fit throws std::invalid_argument: that is a programmer's mistake, never a user's.
/// Thread-safe, as everything here.
namespace moescope::numerics {

/// cos(a, b) = a.b / (max(|a|, 1e-8) * max(|b|, 1e-8)), from the three dot products; in [-1, 1]. A
/// zero vector gives 0; NaN in gives NaN out.
[[nodiscard]] double cosineFromDots(double ab, double aa, double bb) noexcept;

[[nodiscard]] double cosine(std::span<const float> a, std::span<const float> b);

/// a.b in float64.
[[nodiscard]] double dot(std::span<const float> a, std::span<const float> b);

/// Cosines of all pairs of n vectors from their Gram matrix [n, n]: symmetric, the diagonal exactly
/// 1 where the vector is not zero (0 there, as the definition says) and not NaN.
void cosinesFromGram(std::span<const double> gram, std::size_t n, std::span<double> cosines);

/// 1 - acos(clamp(cos, -1, 1)) / pi: 1 for the same direction, 0.5 at right angles, 0 for opposite.
[[nodiscard]] double angularSimilarity(double cosine) noexcept;

/// angularSimilarity() of each value, in place, to 1e-15.
void toAngularSimilarities(std::span<double> cosines) noexcept;

/// Adds the angular similarities of one token's experts, from their Gram matrix [n, n], to
/// sums [n, n]. The diagonal counts as exactly 1, zero vectors included, unless it is NaN.
void addAngularSimilarities(std::span<const double> gram, std::size_t n, std::span<double> sums);

}  // namespace moescope::numerics
