// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/nd_array.h"

#include <cstdint>
#include <limits>
#include <string_view>

/// Ids and counts of session arrays, which may be of any element type. Private to the builders.
namespace moescope::figures {

/// 2^53: a double holds every whole number up to here.
constexpr std::uint64_t kMostWhole = std::uint64_t{1} << std::numeric_limits<double>::digits;

/// An element as a whole number from 0 to `most`. `where` names the array for people
/// ("expert_removal/predicted"). Throws Error(BadSession) for any other number, NaN included.
[[nodiscard]] std::uint64_t wholeNumberAt(const NdArray& array, std::uint64_t index,
                                          std::string_view where, std::uint64_t most = kMostWhole);

}  // namespace moescope::figures
