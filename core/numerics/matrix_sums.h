// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

/// What several large matrices of one shape add up to, in one pass over their values: the step that
/// experiments on weights spend their time in. Pure functions; safe from any thread.
namespace moescope::numerics {

/// Row-major without gaps, each somewhere in memory: float32 values, or the bit patterns of
/// bfloat16, whichever list is not empty. [count()] matrices of [rows, columns].
struct Matrices {
    std::span<const float* const> floats;
    std::span<const std::uint16_t* const> bfloat16;
    std::size_t rows = 0, columns = 0;
    [[nodiscard]] std::size_t count() const { return floats.size() + bfloat16.size(); }
};

/// Which axis of each matrix is added up.
enum class SumAlong { Nothing, Rows, Columns };

/// y . z below: the sum of the products of all elements of two matrices.
struct MatrixSumsOptions {
    bool products = false;  ///< x_i . x_j of all pairs
    /// The same of the first so many matrices, each less the matrix `reference` of all, or less the
    /// mean of those so many; 0: not asked for.
    std::size_t compared = 0;
    std::optional<std::size_t> reference{};
    /// The same of the first so many matrices, each element less its mean over them and, if
    /// `standardised`, divided by its unbiased deviation over them; one that is the same in all of
    /// them becomes 0.
    std::size_t points = 0;
    bool standardised = true;
    SumAlong along = SumAlong::Nothing;
    unsigned threads = 1;
};

/// Added to, call after call; what is empty and asked for begins at 0.
struct MatrixSums {
    std::vector<double> products;         ///< [count, count]
    std::vector<double> relative;         ///< [compared, compared]
    std::vector<double> columnwise;       ///< [points, points]
    std::vector<double> along;            ///< [count, columns] along rows, [count, rows] else
    std::vector<std::uint8_t> nonFinite;  ///< [count]: 1 where a value is NaN or infinite
};

/// Differences, means and deviations of elements are in float32 around one of the matrices, so that
/// matrices that are nearly alike keep their digits. Products are summed in float32 over at most
/// 2,048 elements in parallel sums, from there on in float64: an error of about 2e-7 of the largest
/// result. bfloat16 is multiplied exactly by processors that can (AVX512-BF16, which takes numbers
/// below 1.2e-38 for 0). Sums along an axis are float64. The same to the bit for any number of
/// threads, not for any cut into calls.
void addMatrixSums(const Matrices& x, const MatrixSumsOptions& options, MatrixSums& sums);

/// Memory that addMatrixSums() takes beside its arguments for `count` matrices [rows, columns].
[[nodiscard]] std::uint64_t matrixSumsBytes(std::size_t count, std::size_t rows,
                                            std::size_t columns, const MatrixSumsOptions& options);

}  // namespace moescope::numerics
