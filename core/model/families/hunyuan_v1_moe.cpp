// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/families/family.h"

// Hunyuan-A13B. Source: transformers models/hunyuan_v1_moe.
namespace moescope::model {
namespace {

bool recognises(const Config& config) {
    return config.modelType() == "hunyuan_v1_moe";
}

MoeSpec readMoe(const Config& config) {
    const int width = config.integer({"intermediate_size"}, 11008, kSizeRange);
    MoeSpec moe;
    moe.experts = config.uniformInteger({"num_experts"}, 1, kCountRange);
    moe.topK = config.uniformInteger({"moe_topk"}, 1, kCountRange);
    moe.expert.intermediateSize =
        config.uniformInteger({"moe_intermediate_size"}, width, kSizeRange);
    moe.expert.activation = readActivation(config);
    moe.sharedCount = config.uniformInteger({"num_shared_expert"}, 1, {.least = 1, .most = 64});
    moe.shared = moe.expert;
    moe.shared->intermediateSize *= moe.sharedCount;
    moe.router.fp32Matmul = true;
    moe.router.renormalise = Renormalise::Sum;
    moe.router.renormaliseFloor = 1.1920929e-7;  // the smallest step of float32 at 1
    return moe;
}

ModelSpec describe(const FamilyInput& input) {
    const Config& config = input.config;
    ModelSpec spec = llamaSkeleton(input, {.vocabSize = 290943,
                                           .hiddenSize = 4096,
                                           .layers = 32,
                                           .headsQ = 32,
                                           .maxPositions = 2048});
    const bool bias = config.flag({"attention_bias"}, false);
    setAttentionBias(spec, bias, bias);
    if (config.flag({"use_qk_norm"}, true)) {
        setQkNorm(spec, QkNorm::PerHead, "self_attn.query_layernorm.weight",
                  "self_attn.key_layernorm.weight");
        for (auto& layer : spec.layers) {
            layer.attention.qkNormAfterRope = true;
        }
    }
    setRouted(input, spec, allLayers(spec), readMoe(config),
              {.router = "mlp.gate.wg", .expert = "mlp.experts.{}", .shared = "mlp.shared_mlp"});
    return spec;
}

}  // namespace

const Family kHunyuanV1Moe{"hunyuan_v1_moe", "Hunyuan-A13B", recognises, describe};

}  // namespace moescope::model
