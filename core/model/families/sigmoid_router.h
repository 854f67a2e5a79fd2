// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/model/skeleton.h"

namespace moescope::model {

/// The mixture of GLM-4.5 and dots.llm1, which follow DeepSeek-V3: float32 sigmoid scores, a
/// correction bias for the choice, weights divided by their sum and scaled, fused shared experts.
/// Limited groups are refused: no published checkpoint of these families has more than one.
[[nodiscard]] MoeSpec readSigmoidMoe(const Config& config);

/// Its tensor names.
inline constexpr RoutedNames kSigmoidNames{.router = "mlp.gate",
                                           .expert = "mlp.experts.{}",
                                           .shared = "mlp.shared_experts",
                                           .selectionBias = "mlp.gate.e_score_correction_bias"};

}  // namespace moescope::model
