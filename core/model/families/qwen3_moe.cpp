// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/families/family.h"
#include "core/model/families/qwen_moe.h"

// Qwen3-MoE. Source: transformers models/qwen3_moe.
namespace moescope::model {
namespace {

bool recognises(const Config& config) {
    return config.modelType() == "qwen3_moe";
}

MoeSpec readMoe(const Config& config) {
    MoeSpec moe;
    moe.experts = config.integer({"num_experts"}, 128, kCountRange);
    moe.topK = config.integer({"num_experts_per_tok"}, 8, kCountRange);
    moe.expert.intermediateSize = config.integer({"moe_intermediate_size"}, 768, kSizeRange);
    moe.expert.activation = readActivation(config);
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
                                           .headsQ = 32,
                                           .headsKv = 4,
                                           .maxPositions = 32768,
                                           .normEps = 1e-6});
    const bool bias = config.flag({"attention_bias"}, false);
    setAttentionBias(spec, bias, bias);
    setQkNorm(spec, QkNorm::PerHead);
    setQwenWindow(config, spec);
    setRouted(input, spec, qwenRoutedLayers(config, spec), readMoe(config),
              {.router = "mlp.gate", .expert = "mlp.experts.{}"});
    setDense(spec, {.intermediateSize = config.integer({"intermediate_size"}, 6144, kSizeRange),
                    .activation = readActivation(config)});
    return spec;
}

}  // namespace

const Family kQwen3Moe{"qwen3_moe", "Qwen3-MoE", recognises, describe};

}  // namespace moescope::model
