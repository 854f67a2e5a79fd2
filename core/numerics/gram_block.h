// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/instruction_sets.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

/// Products of all pairs of rows of a buffer that stays in the cache: the innermost step of Gram
/// matrices. Internal to core/numerics; inlined into functions compiled for each instruction set.
namespace moescope::numerics {

/// Buffers have room for whole groups of so many rows.
constexpr std::size_t kGramRowGroup = 4;

constexpr std::size_t roundUp(std::size_t value, std::size_t unit) {
    return (value + unit - 1) / unit * unit;
}

/// Rows that are multiplied by all others in one pass take so much, which stays in the second-level
/// cache.
constexpr std::size_t kGramPanelBytes = std::size_t{1} << 18U;

/// Rows of a panel, whole groups.
constexpr std::size_t gramPanelRows(std::size_t rowBytes) {
    return std::max(kGramPanelBytes / rowBytes / kGramRowGroup, std::size_t{1}) * kGramRowGroup;
}

/// Calls between(i) for each group of `rows` rows of `count`, and block(i, j) for each such group
/// by each group of `columns` rows that is not wholly before it; panel after panel.
template <typename Between, typename Block>
[[gnu::always_inline]] inline void forEachGramPair(std::size_t count, std::size_t rows,
                                                   std::size_t columns, std::size_t rowBytes,
                                                   const Between& between, const Block& block) {
    const std::size_t panel = gramPanelRows(rowBytes);
    for (std::size_t first = 0; first < count; first += panel) {
        const std::size_t end = std::min(first + panel, count);
        for (std::size_t i = 0; i < end; i += rows) {
            if (end == count) {
                between(i);
            }
            for (std::size_t j = std::max(first, i / columns * columns); j < end; j += columns) {
                block(i, j);
            }
        }
    }
}

/// kRows by kColumns rows at a time, in vectors of kBytes.
template <typename Scalar, std::size_t kBytes, std::size_t kRows, std::size_t kColumns>
struct GramBlock {
    using Vector [[gnu::vector_size(kBytes)]] = Scalar;
    static constexpr std::size_t kLanes = kBytes / sizeof(Scalar);

    /// Not returned: a vector's way out of a function depends on the instruction set.
    [[gnu::always_inline]] static void load(const Scalar* from, Vector& value) {
        std::memcpy(&value, from, sizeof value);
    }

    /// sums [count, count], its upper triangle += products of the rows of y, which begin `stride`
    /// elements apart and are `width` long, both whole numbers of vectors. between(i) is called
    /// every few rows, for what can be done beside products.
    template <typename Between>
    [[gnu::always_inline]] static void add(const Scalar* y, std::size_t stride, std::size_t width,
                                           std::size_t count, double* sums,
                                           const Between& between) {
        forEachGramPair(
            count, kRows, kColumns, width * sizeof(Scalar),
            between, [&](std::size_t i, std::size_t j) __attribute__((always_inline)) {
                addBlock(y, stride, width, count, i, j, sums);
            });
    }

private:
    /// Rows i ... by rows j ...
    [[gnu::always_inline]] static void addBlock(const Scalar* y, std::size_t stride,
                                                std::size_t width, std::size_t count, std::size_t i,
                                                std::size_t j, double* sums) {
        Vector products[kRows][kColumns] = {};
        for (std::size_t k = 0; k < width; k += kLanes) {
            Vector right[kColumns];
            for (std::size_t c = 0; c < kColumns; ++c) {
                load(y + (j + c) * stride + k, right[c]);
            }
            for (std::size_t r = 0; r < kRows; ++r) {
                Vector left;
                load(y + (i + r) * stride + k, left);
                for (std::size_t c = 0; c < kColumns; ++c) {
                    products[r][c] += left * right[c];
                }
            }
        }
        for (std::size_t r = 0; r < std::min(kRows, count - i); ++r) {
            for (std::size_t c = 0; c < std::min(kColumns, count - j); ++c) {
                double sum = 0.0;
                for (std::size_t lane = 0; lane < kLanes; ++lane) {
                    sum += static_cast<double>(products[r][c][lane]);
                }
                sums[(i + r) * count + j + c] += sum;
            }
        }
    }
};

}  // namespace moescope::numerics
