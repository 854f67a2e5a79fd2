// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/probe.h"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

/// Which tokens get other experts when the router's input carries noise, or when it computes in
/// bfloat16. For .cpp files of this folder and its tests.
namespace moescope::experiments {

/// Standard normal numbers [count, width] of consecutive tokens of a layer, float32: the same for a
/// token whatever the block it comes in, and with every standard library (SplitMix64, Box and
/// Muller).
[[nodiscard]] at::Tensor standardNormal(int layer, std::uint64_t firstToken, std::uint64_t count,
                                        std::int64_t width);

/// [n, sizes + 1] uint8: 1 where the set of chosen experts differs from the intact router's. Noise
/// of size s adds s times the root mean square of the token's input times `noise` [n, d]; the last
/// column is the router in bfloat16.
[[nodiscard]] at::Tensor flipsOf(const engine::RouterTrial& router, const at::Tensor& noise,
                                 const std::vector<double>& sizes);

}  // namespace moescope::experiments
