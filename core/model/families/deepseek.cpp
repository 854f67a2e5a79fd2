// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/families/family.h"

// DeepSeekMoE 16B. Source: modeling_deepseek.py and configuration_deepseek.py of the checkpoint.
namespace moescope::model {
namespace {

bool recognises(const Config& config) {
    return config.modelType() == "deepseek" ||
           (config.modelType().empty() && config.architecture() == "DeepseekForCausalLM");
}

MoeSpec readMoe(const Config& config) {
    MoeSpec moe;
    moe.experts = config.integer({"n_routed_experts"}, 0, kCountRange);
    if (!config.has("num_experts_per_tok")) {
        config.refuse("num_experts_per_tok", "the number of experts per token");
    }
    moe.topK = config.integer({"num_experts_per_tok"}, 0, kCountRange);
    moe.expert.intermediateSize = config.integer({"moe_intermediate_size"}, 1407, kSizeRange);
    moe.expert.activation = readActivation(config);
    moe.sharedCount = config.integer({"n_shared_experts"}, 0, {.least = 0, .most = 64});
    if (moe.sharedCount > 0) {
        // One fused MLP of so many times the width.
        moe.shared = moe.expert;
        moe.shared->intermediateSize *= moe.sharedCount;
    }
    if (config.text({"scoring_func"}, "softmax") != "softmax") {
        config.refuse("scoring_func", "\"softmax\"");
    }
    if (config.flag({"norm_topk_prob"}, false) && moe.topK > 1) {
        moe.router.renormalise = Renormalise::SumEps;
    }
    return moe;
}

ModelSpec describe(const FamilyInput& input) {
    const Config& config = input.config;
    ModelSpec spec = llamaSkeleton(input, {.vocabSize = 102400,
                                           .hiddenSize = 4096,
                                           .layers = 30,
                                           .headsQ = 32,
                                           .headsKv = 32,
                                           .maxPositions = 2048,
                                           .normEps = 1e-6});
    const bool bias = config.flag({"attention_bias"}, false);
    setAttentionBias(spec, bias, bias);

    const int dense = config.integer({"first_k_dense_replace"}, 0, {.least = 0});
    const int every = config.integer({"moe_layer_freq"}, 1);
    if (config.has("n_routed_experts")) {
        const auto routed =
            layersWhere(spec, [&](int layer) { return layer >= dense && layer % every == 0; });
        setRouted(
            input, spec, routed, readMoe(config),
            {.router = "mlp.gate", .expert = "mlp.experts.{}", .shared = "mlp.shared_experts"});
    }
    setDense(spec, {.intermediateSize = config.integer({"intermediate_size"}, 11008, kSizeRange),
                    .activation = readActivation(config)});
    return spec;
}

}  // namespace

const Family kDeepSeek{"deepseek", "DeepSeekMoE", recognises, describe};

}  // namespace moescope::model
