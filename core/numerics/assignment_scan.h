// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>

/// Internal to the assignment solver: passes over a row of n entries at the widest instruction set
/// of the processor.
namespace moescope::numerics::scan {

/// Bit b of masks[w] stands for entry 64 w + b.
using Mask = std::uint64_t;
inline constexpr std::size_t kMaskBits = 64;
[[nodiscard]] constexpr std::size_t maskWords(std::size_t n) {
    return (n + kMaskBits - 1) / kMaskBits;
}

/// Marks the entries with values[j] - subtract[j] > bound.
void markAbove(const float* values, const float* subtract, std::size_t n, float bound, Mask* masks);

/// distances[j] = min(distances[j], base + prices[j] - values[j]), and from[j] = row where it got
/// smaller. Returns the smallest distance.
[[nodiscard]] double relax(const float* values, const double* prices, std::size_t n, double base,
                           std::uint32_t row, double* distances, std::uint32_t* from);

/// The two smallest of prices[j] - values[j] and where they are (the lower index first among equal
/// ones); infinity and `none` where there are fewer. The second's place is told only if both are
/// equal.
struct TwoSmallest {
    double first, second;
    std::uint32_t firstIndex, secondIndex;
};
[[nodiscard]] TwoSmallest twoSmallest(const float* values, const double* prices, std::size_t n,
                                      std::uint32_t none);

/// largest[j] = max(largest[j], values[j]), and from[j] = row where it got larger.
void raise(const float* values, std::size_t n, std::uint32_t row, float* largest,
           std::uint32_t* from);

/// Instruction sets, each including those before it.
enum class Level { Portable, Avx2, Avx512 };
[[nodiscard]] bool isSupported(Level level);

/// The passes above with the instructions of one level at most; they give the same to the bit. For
/// the level's test: the functions above take the highest one supported.
struct Passes {
    decltype(&scan::markAbove) markAbove;
    decltype(&scan::relax) relax;
    decltype(&scan::twoSmallest) twoSmallest;
    decltype(&scan::raise) raise;
};
[[nodiscard]] const Passes& passesOf(Level level);

/// Calls use(j) for each marked entry, ascending.
template <typename Use>
void forEachMarked(const Mask* masks, std::size_t n, const Use& use) {
    for (std::size_t word = 0; word < maskWords(n); ++word) {
        for (Mask rest = masks[word]; rest != 0; rest &= rest - 1) {
            use(word * kMaskBits + static_cast<std::size_t>(__builtin_ctzll(rest)));
        }
    }
}

}  // namespace moescope::numerics::scan
