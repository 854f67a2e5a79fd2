// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/model/config.h"
#include "core/model/model_spec.h"
#include "core/model/skeleton.h"

#include <span>
#include <string_view>

namespace moescope::model {

/// One row of the table of families: how to recognise a config.json and how to describe the model.
struct Family {
    std::string_view id;     ///< "mixtral"
    std::string_view title;  ///< for people
    bool (*recognises)(const Config& config);
    /// Fills in everything but `family` and `familyTitle`.
    ModelSpec (*describe)(const FamilyInput& input);
};

/// All families; the first that recognises a config describes it.
[[nodiscard]] std::span<const Family> families();

extern const Family kBailingMoe;
extern const Family kDbrx;
extern const Family kDeepSeek;
extern const Family kDeepSeekV2;
extern const Family kDeepSeekV3;
extern const Family kDots1;
extern const Family kErnie45Moe;
extern const Family kGemma4;
extern const Family kGlm4Moe;
extern const Family kGptOss;
extern const Family kGraniteMoe;
extern const Family kGrok1;
extern const Family kHunyuanV1Moe;
extern const Family kLlama;
extern const Family kLlama4;
extern const Family kMiniMaxM2;
extern const Family kMixtral;
extern const Family kOlmoe;
extern const Family kPhiMoe;
extern const Family kQwen2Moe;
extern const Family kQwen3Moe;
extern const Family kQwen3Next;
extern const Family kQwen35Moe;

}  // namespace moescope::model
