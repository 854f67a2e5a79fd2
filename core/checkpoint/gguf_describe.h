// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/checkpoint/gguf_config.h"

#include <cstdint>
#include <string_view>

/// How the metadata of llama.cpp's architectures become config.json, one function for each.
/// Settings that llama.cpp has no key for are what its own graph of the architecture does
/// (src/models): say, that Qwen2-MoE's weights are not divided by their sum. Where that graph only
/// comes near to the model as published (Phi-3.5-MoE's router, Grok-1's weights, gpt-oss's YaRN),
/// the model as published is meant. All throw Error(BadCheckpoint) naming the setting that does not
/// fit.
namespace moescope::checkpoint {

/// Values of "expert_gating_func".
enum class GgufGating : std::int64_t { Softmax = 1, Sigmoid = 2, SoftmaxOfChosen = 3 };

/// "model_type" and "architectures".
void setFamily(GgufConfig& config, std::string_view modelType, std::string_view architecture);
/// Whether query, key and value projections have biases.
[[nodiscard]] bool hasBias(const GgufConfig& config);
void setExperts(GgufConfig& config, std::string_view countKey, std::string_view chosenKey);
/// The router's rule, where the file says it, must be the one that the family has.
void requireGating(GgufConfig& config, GgufGating expected);
void requireWeightsScale(GgufConfig& config);
/// What the DeepSeek families share.
void setDeepSeekExperts(GgufConfig& config);

void describeBailing(GgufConfig& config);
void describeBailing2(GgufConfig& config);
void describeDbrx(GgufConfig& config);
void describeDeepSeek(GgufConfig& config);
void describeDeepSeek2(GgufConfig& config);
void describeDots1(GgufConfig& config);
void describeErnie(GgufConfig& config);
void describeGemma4(GgufConfig& config);
void describeGlm4Moe(GgufConfig& config);
void describeGptOss(GgufConfig& config);
void describeGraniteMoe(GgufConfig& config);
void describeGrok(GgufConfig& config);
void describeHunyuan(GgufConfig& config);
void describeLlama(GgufConfig& config);
void describeLlama4(GgufConfig& config);
void describeMiniMax(GgufConfig& config);
void describeOlmoe(GgufConfig& config);
void describePhiMoe(GgufConfig& config);
void describeQwen2Moe(GgufConfig& config);
void describeQwen35Moe(GgufConfig& config);
void describeQwen3Moe(GgufConfig& config);
void describeQwen3Next(GgufConfig& config);

}  // namespace moescope::checkpoint
