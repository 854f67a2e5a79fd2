// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/model/model_spec.h"

#include <cstdint>
#include <vector>

namespace moescope::engine {

/// Rotary position embedding of one attention context as plain numbers.
struct RopeFrequencies {
    std::vector<double> inverse;  ///< [rotaryDim / 2], angle = position * inverse[j]
    double multiplier = 1.0;      ///< of cos and sin both
};

/// Frequencies with the spec's scaling, for a context of `length` tokens (only the dynamic and
/// longrope kinds depend on it). Formulas: transformers' modeling_rope_utils, arXiv 2309.00071
/// (YaRN), arXiv 2402.13753 (LongRoPE). Throws Error(Unsupported) when the spec contradicts itself.
[[nodiscard]] RopeFrequencies ropeFrequencies(const model::RopeSpec& spec, std::uint64_t length);

}  // namespace moescope::engine
