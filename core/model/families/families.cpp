// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/families/family.h"

#include <array>

namespace moescope::model {

std::span<const Family> families() {
    // Mixtral stands before Llama: its early layout calls itself "mistral" too. Grok-1 stands
    // before Mixtral, which takes configs without a model type.
    static const std::array kFamilies{
        kGrok1,     kMixtral,   kDeepSeek,  kDeepSeekV2, kDeepSeekV3, kOlmoe,
        kQwen2Moe,  kQwen3Moe,  kGlm4Moe,   kDots1,      kErnie45Moe, kHunyuanV1Moe,
        kMiniMaxM2, kPhiMoe,    kDbrx,      kGraniteMoe, kGptOss,     kGemma4,
        kLlama4,    kQwen3Next, kQwen35Moe, kBailingMoe, kLlama,
    };
    return kFamilies;
}

}  // namespace moescope::model
