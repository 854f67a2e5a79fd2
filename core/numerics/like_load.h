// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

/// Controls for a set of experts: others that are as busy. Pure functions; safe from any thread.
namespace moescope::numerics {

/// Up to `count` different sets of as many experts of a layer as `chosen` (ascending) has, from its
/// others, or from all where there are too few others; those of most like load first. How far two
/// sets are apart in load: the sum of the differences of their loads, the lowest beside the lowest.
/// Sets are drawn: for each chosen expert in random order one of the nearest in load that are left,
/// at first the nearest itself, then from a wider and wider choice; the best of the draws are kept.
/// Where those are fewer than asked for, others follow that are drawn from all experts: there are
/// `count` unless there are fewer such sets. The i-th set does not depend on `count`. Each
/// ascending.
[[nodiscard]] std::vector<std::vector<int>> setsOfLikeLoad(std::span<const std::uint64_t> loads,
                                                           const std::vector<int>& chosen,
                                                           std::size_t count, std::uint64_t seed);
/// How many sets setsOfLikeLoad() gives, whatever the loads, for `chosen` of `experts`.
[[nodiscard]] std::size_t countSetsOfLikeLoad(std::size_t experts, std::size_t chosen,
                                              std::size_t count);

}  // namespace moescope::numerics
