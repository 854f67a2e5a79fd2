// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/families/family.h"

#include <array>

namespace moescope::model {

std::span<const Family> families() {
    // Mixtral stands before Llama: its early layout calls itself "mistral" too.
    static const std::array kFamilies{
        kMixtral, kDeepSeek, kDeepSeekV2, kDeepSeekV3,   kOlmoe,     kQwen2Moe, kQwen3Moe,
        kGlm4Moe, kDots1,    kErnie45Moe, kHunyuanV1Moe, kMiniMaxM2, kDbrx,     kLlama};
    return kFamilies;
}

}  // namespace moescope::model
