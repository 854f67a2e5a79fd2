// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/families/family.h"

// OLMoE. Sources: transformers models/olmoe; allenai/OLMoE.
namespace moescope::model {
namespace {

bool recognises(const Config& config) {
    return config.modelType() == "olmoe";
}

ModelSpec describe(const FamilyInput& input) {
    const Config& config = input.config;
    ModelSpec spec = llamaSkeleton(
        input,
        {.vocabSize = 50304, .hiddenSize = 2048, .layers = 16, .headsQ = 16, .maxPositions = 4096});
    const bool bias = config.flag({"attention_bias"}, false);
    setAttentionBias(spec, bias, bias);
    setQkNorm(spec, QkNorm::FullProjection);
    if (config.has("clip_qkv")) {
        for (auto& layer : spec.layers) {
            layer.attention.clipQkv = config.positive({"clip_qkv"}, 0.0);
        }
    }

    MoeSpec moe;
    moe.experts = config.integer({"num_experts"}, 64, kCountRange);
    moe.topK = config.integer({"num_experts_per_tok"}, 8, kCountRange);
    moe.expert.intermediateSize = config.integer({"intermediate_size"}, 2048, kSizeRange);
    moe.expert.activation = readActivation(config);
    if (config.flag({"norm_topk_prob"}, false)) {
        moe.router.renormalise = Renormalise::Sum;
    }
    setRouted(input, spec, allLayers(spec), moe,
              {.router = "mlp.gate", .expert = "mlp.experts.{}"});
    return spec;
}

}  // namespace

const Family kOlmoe{"olmoe", "OLMoE", recognises, describe};

}  // namespace moescope::model
