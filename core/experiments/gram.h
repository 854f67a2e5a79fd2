// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <ATen/ATen.h>

#include <vector>

/// Gram matrices in float64 on the run's device. For .cpp files of this folder only.
namespace moescope::experiments {

/// Columns of float64 temporaries made at once; bounds the memory of addGram().
inline constexpr std::int64_t kGramSlab = 1 << 16;

/// gram [C, C] float64 += x x^T for x [C, D] in any floating type.
void addGram(at::Tensor& gram, const at::Tensor& x);

/// The same for x minus a reference, over the first `count` rows alone. reference: row index, or
/// -1 for the mean of those rows.
void addRelativeGram(at::Tensor& gram, const at::Tensor& x, std::int64_t count,
                     std::int64_t reference);

/// The same for x with each column's mean over the C rows taken off and, if `standardised`, divided
/// by its unbiased deviation; a constant column becomes 0.
void addColumnwiseGram(at::Tensor& gram, const at::Tensor& x, bool standardised);

/// In main memory, row-major.
[[nodiscard]] std::vector<double> toVector(const at::Tensor& gram);

}  // namespace moescope::experiments
