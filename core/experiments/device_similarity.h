// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/bounded_bytes.h"

#include <ATen/ATen.h>

#include <cstdint>

/// Similarities of expert outputs where the tensors lie, by LibTorch's operations: what
/// numerics::addTokenSimilarities() does on the CPU. For .cpp files of this folder only.
namespace moescope::experiments {

/// Tokens whose Gram matrices, and what follows from them, are worth making at once.
[[nodiscard]] std::int64_t tokensAtOnce(const at::Tensor& outputs);

/// What all of this takes of a device for N columns of d elements, whatever their type: outputs in
/// float64, also without their mean, and Gram matrices, of which two are scaled while both wait; or
/// Gram matrices of more tokens in float32, and beside them such outputs of those tokens that want
/// them.
[[nodiscard]] engine::BoundedBytes similarityBytes(std::uint64_t columns, std::uint64_t hiddenSize);

/// Gram matrices [n, N, N] of outputs [N, n, d], in float64; of bfloat16 on a device in float32,
/// where LibTorch multiplies them without rounding and adds in float32 (from 2.8 on).
[[nodiscard]] at::Tensor gramPerToken(const at::Tensor& outputs);

/// Those of the first E columns [E, n, d] less their mean over these. They follow from `grams`
/// where enough is left of each vector; for the other tokens they are made anew in float64.
[[nodiscard]] at::Tensor relativeGrams(const at::Tensor& grams, const at::Tensor& experts);

/// Sums over tokens of angular similarities, numerics::addAngularSimilarities() of each one's Gram
/// matrix: float64 [N, N].
[[nodiscard]] at::Tensor angularSums(const at::Tensor& grams);

/// Cosines of all pairs, numerics::cosinesFromGram() of each Gram matrix: float32 [n, N, N].
[[nodiscard]] at::Tensor cosinesOf(const at::Tensor& grams);

/// How many tokens have NaN or infinity: float64 [1].
[[nodiscard]] at::Tensor countNonFinite(const at::Tensor& grams);

}  // namespace moescope::experiments
