// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <span>

namespace moescope::numerics {

/// NaN when empty.
[[nodiscard]] double mean(std::span<const double> values);

/// Of those that are numbers; NaN when none is.
[[nodiscard]] double finiteMean(std::span<const double> values);

/// Unbiased (divided by n - 1); NaN with fewer than two values.
[[nodiscard]] double sampleVariance(std::span<const double> values);

/// Entropy of the shares counts[i] / sum, divided by log n: 1 when all are equal, 0 when one has
/// all. NaN without counts; 0 for n = 1.
[[nodiscard]] double normalisedEntropy(std::span<const std::uint64_t> counts);

}  // namespace moescope::numerics
