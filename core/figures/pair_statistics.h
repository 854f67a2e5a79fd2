// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/figure.h"
#include "core/figures/routed_text.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

/// Experts chosen for the same token (D2), and how far that goes beyond chance (E3). Private to the
/// builders.
namespace moescope::figures {

/// All matrices are [E, E].
struct PairStatistics {
    std::size_t experts = 0;
    std::uint64_t tokens = 0;
    std::vector<std::uint64_t> counts;  ///< tokens for both; on the diagonal of each
    std::vector<double> byChance;       ///< share of tokens for both by the loads alone
    /// 1: the pair has more or fewer tokens than by chance, at a false discovery rate of 0.05 over
    /// the pairs. Symmetric, 0 on the diagonal.
    std::vector<std::uint8_t> differs;

    [[nodiscard]] double share(std::size_t a, std::size_t b) const {
        return static_cast<double>(counts[a * experts + b]) / static_cast<double>(tokens);
    }
    /// [E, E]: HeatMapPanel::kMarked where the pair has more, kMarkedOpen where it has fewer.
    [[nodiscard]] std::vector<std::uint8_t> marks() const;
    /// "more", "fewer", or nothing where the pair does not differ from chance.
    [[nodiscard]] const char* beyondChance(std::size_t a, std::size_t b) const;
};
[[nodiscard]] PairStatistics pairStatistics(const RoutedText& text);

/// 95 % intervals over documents of the pairs' share of all tokens; of few documents or none NaN.
[[nodiscard]] numerics::Intervals shareIntervals(
    const RoutedText& text, std::span<const std::pair<std::size_t, std::size_t>> pairs);

/// The same of N(i and j) / N(i), [E, E]; empty where they would take too long. Of more than
/// kMostUnits documents that many random parts of the text are drawn in place of documents.
struct ConditionalIntervals {
    Matrix low, high;
};
inline constexpr std::size_t kMostUnits = 200;
[[nodiscard]] ConditionalIntervals conditionalIntervals(const RoutedText& text);

/// What few documents mean for intervals; nothing where there are enough.
[[nodiscard]] std::string fewDocumentsText(std::size_t documents);
/// What the intervals of conditionalIntervals() are of, where that is not every document; or why
/// there are none.
[[nodiscard]] std::string intervalsText(std::size_t documents, bool has);

}  // namespace moescope::figures
