// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/model/skeleton.h"

namespace moescope::model {

/// The mixture of DeepSeek-V3 and of GLM-4.5 and dots.llm1, which follow it: float32 sigmoid
/// scores, a correction bias for the choice, limited groups, weights divided by their sum and
/// scaled, fused shared experts. Source: transformers models/deepseek_v3.
[[nodiscard]] MoeSpec readSigmoidMoe(const Config& config);

/// Its tensor names.
inline constexpr RoutedNames kSigmoidNames{.router = "mlp.gate",
                                           .expert = "mlp.experts.{}",
                                           .shared = "mlp.shared_experts",
                                           .selectionBias = "mlp.gate.e_score_correction_bias"};

}  // namespace moescope::model
