// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/element_math.h"

#include <cstddef>

/// Passes over bfloat16 values in main memory, for which LibTorch takes several. Plain loops in the
/// widest vectors that the processor has; callers share rows out among threads. Rounding is to
/// nearest, ties to even, after each step as the models' reference code rounds. Internal to the
/// engine.
namespace moescope::engine {

/// gate = round(silu(gate)) * up.
void siluTimes(Bfloat16Bits* gate, const Bfloat16Bits* up, std::size_t count);

/// The L2 norm of a row.
[[nodiscard]] float rowNorm(const Bfloat16Bits* row, std::size_t count);

/// sum += round(weight * row).
void addWeightedRow(Bfloat16Bits* sum, const Bfloat16Bits* row, float weight, std::size_t count);

/// What a normalised row is multiplied by.
struct RmsWeight {
    const Bfloat16Bits* values = nullptr;  ///< none: nothing
    bool afterRounding = true;             ///< the normalised row rounds before it is multiplied
    float plus = 0.0F;                     ///< added to each, where nothing rounds in between
};

/// row = weight * row / sqrt(mean of its squares + eps).
void rmsNorm(Bfloat16Bits* row, std::size_t count, float eps, const RmsWeight& weight);

}  // namespace moescope::engine
