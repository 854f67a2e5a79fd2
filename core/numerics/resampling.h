// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

/// How far a number measured on a text would differ on another one. Documents are what is drawn
/// anew, since tokens of one document depend on each other. Deterministic: a fixed seed, and random
/// numbers that are the same with every standard library. Pure functions; safe from any thread.
namespace moescope::numerics {

/// Counts of documents that belong to groups (domains).
struct GroupedCounts {
    std::size_t width = 0;                ///< counted things, E
    std::span<const double> counts;       ///< [documents, width]
    std::span<const double> totals;       ///< [documents]: what a share divides by
    std::span<const std::int32_t> group;  ///< [documents], -1: in none, but in "all"
    std::size_t groups = 0;
    [[nodiscard]] std::size_t documents() const { return totals.size(); }
};

/// [groups + 1, width]; the last row is of all documents. NaN for a group without tokens.
[[nodiscard]] std::vector<double> groupShares(const GroupedCounts& counts);

struct Intervals {
    std::vector<double> low,
        high;  ///< as groupShares(); NaN for groups of fewer than two documents
};
/// Percentile bootstrap over the documents of each group (Efron and Tibshirani 1993, chapter 13).
[[nodiscard]] Intervals bootstrapShares(const GroupedCounts& counts, double level = 0.95,
                                        std::size_t rounds = 0);

/// [groups, width]: chance of a share at least as far from that of all documents if groups meant
/// nothing, by permuting the documents' groups; NaN with fewer than two groups or documents.
[[nodiscard]] std::vector<double> permutationChances(const GroupedCounts& counts,
                                                     std::size_t rounds = 0);

/// Which of the chances stand at a false discovery rate of q (Benjamini and Hochberg 1995). NaN
/// does not.
[[nodiscard]] std::vector<std::uint8_t> discoveries(std::span<const double> chances,
                                                    double q = 0.05);

/// 64 random bits after another (SplitMix64, Steele, Lea and Flood 2014).
class RandomBits {
public:
    explicit RandomBits(std::uint64_t seed) : m_state(seed) {}
    std::uint64_t operator()();
    /// [0, bound), bound > 0.
    std::size_t below(std::size_t bound);

private:
    std::uint64_t m_state;
};

}  // namespace moescope::numerics
