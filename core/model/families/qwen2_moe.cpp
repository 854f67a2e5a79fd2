// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/families/family.h"
#include "core/model/families/qwen_moe.h"

// Qwen1.5-MoE and Qwen2-MoE. Source: transformers models/qwen2_moe.
namespace moescope::model {
namespace {

bool recognises(const Config& config) {
    return config.modelType() == "qwen2_moe";
}

MoeSpec readMoe(const Config& config) {
    MoeSpec moe;
    moe.experts = config.integer({"num_experts"}, 60, kCountRange);
    moe.topK = config.integer({"num_experts_per_tok"}, 4, kCountRange);
    moe.expert.intermediateSize = config.integer({"moe_intermediate_size"}, 1408, kSizeRange);
    moe.expert.activation = readActivation(config);
    moe.shared = moe.expert;
    moe.shared->intermediateSize =
        config.integer({"shared_expert_intermediate_size"}, 5632, kSizeRange);
    moe.sharedCount = 1;
    moe.sharedGate = true;
    if (config.flag({"norm_topk_prob"}, false)) {
        moe.router.renormalise = Renormalise::Sum;
    }
    return moe;
}

ModelSpec describe(const FamilyInput& input) {
    const Config& config = input.config;
    ModelSpec spec = llamaSkeleton(input, {.vocabSize = 151936,
                                           .hiddenSize = 2048,
                                           .layers = 24,
                                           .headsQ = 16,
                                           .headsKv = 16,
                                           .maxPositions = 32768,
                                           .normEps = 1e-6});
    setAttentionBias(spec, config.flag({"qkv_bias"}, true), false);
    setQwenWindow(config, spec);
    setRouted(input, spec, qwenRoutedLayers(config, spec), readMoe(config), kQwenSharedNames);
    setDense(spec, {.intermediateSize = config.integer({"intermediate_size"}, 5632, kSizeRange),
                    .activation = readActivation(config)});
    return spec;
}

}  // namespace

const Family kQwen2Moe{"qwen2_moe", "Qwen1.5-MoE / Qwen2-MoE", recognises, describe};

}  // namespace moescope::model
