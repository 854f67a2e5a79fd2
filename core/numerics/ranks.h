// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace moescope::numerics {

/// Ranks ascending: 1 = smallest, n = largest, ties by index (the lower index gets the lower rank),
/// so that every rank occurs once. NaN ranks below every number. O(n^2) without branches, which
/// beats sorting for the few hundred experts a layer has.
void ranksAscending(std::span<const float> values, std::span<std::uint32_t> ranks);

/// For each token: count[score rank - 1, norm rank - 1] += 1 over the experts. scores and norms are
/// [tokens, experts], counts [experts, experts]. Every row and column grows by the number of
/// tokens.
void addRankCounts(std::span<const float> scores, std::span<const float> norms, std::size_t experts,
                   std::span<std::uint64_t> counts);

/// What a table of rank counts says as a whole.
struct RankAgreement {
    double diagonalShare = 0.0;  ///< share of the counts on the diagonal; 1/E at random
    /// Spearman's rho over all (token, expert) pairs. Each token holds every rank once, so this is
    /// also the mean over tokens of the tokens' own rho. 0 at random; NaN with fewer than two
    /// experts or without tokens.
    double spearman = 0.0;
    /// Norm ranks whose most frequent score rank is the same (ties to the lower rank).
    std::size_t agreeingRanks = 0;
};

[[nodiscard]] RankAgreement rankAgreement(std::span<const std::uint64_t> counts,
                                          std::size_t experts);

/// Indices of the k largest values, largest first, ties to the lower index; NaN counts as smallest.
/// Writes chosen.size() = k indices, k <= n.
void topK(std::span<const float> values, std::span<std::uint32_t> chosen);

}  // namespace moescope::numerics
