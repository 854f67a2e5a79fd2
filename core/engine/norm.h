// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/weights.h"

namespace moescope::engine {

/// Normalises the last dimension of x [n, d]; the result has x's dtype. Computed in float32 and
/// rounded where the reference implementation rounds (models differ in whether the weight
/// multiplies before or after the cast).
[[nodiscard]] at::Tensor normalise(const at::Tensor& x, const Norm& norm);

/// x [n, d] += scale norm(output), rounding after each step as the reference implementation does.
void addTo(at::Tensor& x, const at::Tensor& output, const ResidualJoin& join);

}  // namespace moescope::engine
