// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/effort.h"

#include <ATen/ATen.h>

#include <vector>

/// Gram matrices in float64 on the run's device (on the CPU as numerics/gram.h says). For .cpp
/// files of this folder only.
namespace moescope::experiments {

/// gram [C, C] float64 += x x^T for x [C, D] in any floating type.
void addGram(at::Tensor& gram, const at::Tensor& x);

/// The same for x minus a reference, over the first `count` rows alone. reference: row index, or
/// -1 for the mean of those rows.
void addRelativeGram(at::Tensor& gram, const at::Tensor& x, std::int64_t count,
                     std::int64_t reference);

/// The same for x with each column's mean over the C rows taken off and, if `standardised`, divided
/// by its unbiased deviation; a constant column becomes 0.
void addColumnwiseGram(at::Tensor& gram, const at::Tensor& x, bool standardised);

/// Memory of one Gram matrix of rows of `columns` values, and of making it.
[[nodiscard]] std::uint64_t gramStateBytes(std::uint64_t rows, std::uint64_t columns);
/// The work of making it.
[[nodiscard]] engine::Effort gramEffort(std::uint64_t rows, std::uint64_t columns);

/// In main memory, row-major.
[[nodiscard]] std::vector<double> toVector(const at::Tensor& gram);

}  // namespace moescope::experiments
