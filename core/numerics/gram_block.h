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
        for (std::size_t i = 0; i < count; i += kRows) {
            between(i);
            for (std::size_t j = i / kColumns * kColumns; j < count; j += kColumns) {
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
        }
    }
};

}  // namespace moescope::numerics
