// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <ATen/ATen.h>

/// Ranks where the tensors lie, by LibTorch's operations: on a device a table leaves it and not the
/// numbers of all tokens. For .cpp files of this folder only.
namespace moescope::experiments {

/// What numerics::addRankCounts() adds for the rows of scores and norms [n, E]: how many entries
/// have each pair of ranks, int64 [E * E], on their device. NaN ranks as smallest, equals by index.
[[nodiscard]] at::Tensor rankCountsOf(const at::Tensor& scores, const at::Tensor& norms);

/// How many rows of them have NaN or infinity, int64 [1].
[[nodiscard]] at::Tensor nonFiniteRows(const at::Tensor& scores, const at::Tensor& norms);

}  // namespace moescope::experiments
