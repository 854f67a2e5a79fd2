// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/families/family.h"
#include "core/model/families/qwen_hybrid.h"

// Qwen3.5-MoE and Qwen3.6, the language model, alone or inside the multimodal wrapper. Its rotary
// embedding has three streams of positions, which are equal for text. Source: transformers
// models/qwen3_5_moe.
namespace moescope::model {
namespace {

bool recognises(const Config& config) {
    return config.modelType() == "qwen3_5_moe" || config.modelType() == "qwen3_5_moe_text";
}

ModelSpec describe(const FamilyInput& input) {
    const Config& config = input.config;
    ModelSpec spec = llamaSkeleton(
        input, {.vocabSize = 248320,
                .hiddenSize = 2048,
                .layers = 40,
                .headsQ = 16,
                .headsKv = 2,
                .maxPositions = 32768,
                .normEps = 1e-6,
                .rotatedShare = 0.25,
                .headDim = config.integer({"head_dim"}, 256, kCountRange),
                .prefix = existingPrefix(input, {"model.language_model.", "model."})});
    setQwenHybrid(input, spec, DeltaLayout::Separate);
    setRouted(
        input, spec, allLayers(spec), readQwenHybridMoe(config, {.experts = 256, .topK = 8}),
        {.router = "mlp.gate",
         .expert = "mlp.experts.{}",
         .fused = FusedNames{.gateUp = "mlp.experts.gate_up_proj", .down = "mlp.experts.down_proj"},
         .shared = "mlp.shared_expert",
         .sharedGate = "mlp.shared_expert_gate.weight"});
    return spec;
}

}  // namespace

const Family kQwen35Moe{"qwen3_5_moe", "Qwen3.5-MoE", recognises, describe};

}  // namespace moescope::model
