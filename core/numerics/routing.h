// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

/// Statistics of what a router chose. Pure functions; safe from any thread. An assignment is one
/// token sent to one expert: a token makes k of them.
namespace moescope::numerics {

/// Chosen experts of consecutive tokens at one layer.
struct Choices {
    std::span<const std::uint16_t>
        ids;  ///< [tokens, topK], by falling selection score, each < experts
    int topK = 0;
    int experts = 0;

    [[nodiscard]] std::size_t tokens() const {
        return topK == 0 ? 0 : ids.size() / static_cast<std::size_t>(topK);
    }
    [[nodiscard]] std::span<const std::uint16_t> of(std::size_t token) const {
        const auto k = static_cast<std::size_t>(topK);
        return ids.subspan(token * k, k);
    }
    [[nodiscard]] Choices part(std::size_t first, std::size_t count) const {
        const auto k = static_cast<std::size_t>(topK);
        return {ids.subspan(first * k, count * k), topK, experts};
    }
};

/// Every choice counts.
inline constexpr int kAnyChoice = -1;
/// Assignments to each expert, of one choice (0: the first) or all.
[[nodiscard]] std::vector<std::uint64_t> expertCounts(const Choices& choices,
                                                      int choice = kAnyChoice);

/// [E, E]: tokens for which both experts were chosen, over all pairs of the chosen set (OLMoE's
/// formula, arXiv 2409.02060; its script counts neighbours in rank alone). Diagonal: N(i).
[[nodiscard]] std::vector<std::uint64_t> pairCounts(const Choices& choices);

/// [E]: one row of it, in one walk over the tokens.
[[nodiscard]] std::vector<std::uint64_t> pairCountsOf(const Choices& choices, std::uint16_t expert);

/// [E, E']: tokens whose first choice is i at one layer and j at another.
[[nodiscard]] std::vector<std::uint64_t> transitionCounts(const Choices& from, const Choices& to);

/// Positions that have a token before them in the same document, and at how many the router chose
/// the same again (arXiv 2401.04088, table 5).
struct Repetition {
    std::uint64_t positions = 0;
    std::uint64_t sameFirst = 0;    ///< equal first choices
    std::uint64_t overlapping = 0;  ///< at least one expert in both chosen sets
    Repetition& operator+=(const Repetition& other);
    [[nodiscard]] double firstShare() const;    ///< NaN without positions
    [[nodiscard]] double overlapShare() const;  ///< NaN without positions
};
/// `choices` are one document's tokens.
[[nodiscard]] Repetition repetitionOf(const Choices& choices);
/// What independent uniform choices would give: 1/E, and 1 - C(E-k, k) / C(E, k).
[[nodiscard]] double expectedFirstRepetition(int experts);
[[nodiscard]] double expectedOverlap(int experts, int topK);

/// How evenly assignments spread.
struct LoadSummary {
    double maxOverMean = 0.0;  ///< 1: even
    double variation = 0.0;    ///< population deviation over mean; 0: even
    double entropy = 0.0;      ///< over ln E; 1: even
    std::uint64_t idle = 0;    ///< experts without any
};
/// NaN where there are no assignments.
[[nodiscard]] LoadSummary loadOf(std::span<const std::uint64_t> counts);
/// Cumulative share of assignments of the n least loaded experts, n = 0 ... E (Lorenz's curve).
[[nodiscard]] std::vector<double> lorenzCurve(std::span<const std::uint64_t> counts);

/// What a server that takes `batchTokens` consecutive tokens at a time meets; a last, smaller batch
/// counts if it is the only one.
struct BatchLoad {
    std::size_t batches = 0;
    double meanMaxOverMean = 0.0, worstMaxOverMean = 0.0;
    /// Share of assignments beyond capacity, ceil(factor * batch * k / E) for each expert.
    double dropped = 0.0;
};
[[nodiscard]] BatchLoad batchLoad(const Choices& choices, std::size_t batchTokens,
                                  double capacityFactor);

enum class Placement {
    Contiguous,  ///< expert e on device floor(e devices / E)
    Greedy       ///< by falling load, each to the least loaded device
};
/// Largest load of a device over the mean.
[[nodiscard]] double placementImbalance(std::span<const std::uint64_t> counts, int devices,
                                        Placement placement);

}  // namespace moescope::numerics
