// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/families/family.h"
#include "core/model/families/latent.h"

#include <limits>

// Ling and Ring (Bailing MoE). The first generation scores by softmax; the second by sigmoid, with
// a selection bias and groups, per-head norms and partial rotation. Sources: inclusionAI/Ling
// modeling_bailing_moe.py, modeling_bailing_moe_v2.py of Ling 2.0.
namespace moescope::model {
namespace {

bool isSecond(const Config& config) {
    return config.modelType() == "bailing_moe_v2" ||
           config.architecture() == "BailingMoeV2ForCausalLM";
}

bool recognises(const Config& config) {
    return config.modelType() == "bailing_moe" || isSecond(config);
}

MoeSpec readMoe(const Config& config) {
    if (!config.has("moe_intermediate_size")) {
        config.refuse("moe_intermediate_size", "the width of an expert");
    }
    MoeSpec moe;
    moe.experts = config.integer({"num_experts"}, 16, kCountRange);
    moe.topK = config.integer({"num_experts_per_tok"}, 2, kCountRange);
    moe.expert.intermediateSize = config.integer({"moe_intermediate_size"}, 1, kSizeRange);
    moe.expert.activation = readActivation(config);
    moe.sharedCount = config.integer({"num_shared_experts"}, 0, {.least = 0, .most = 64});
    const int sharedWidth = config.integer({"moe_shared_expert_intermediate_size"},
                                           moe.expert.intermediateSize, kSizeRange);
    if (moe.sharedCount > 0) {
        moe.shared = moe.expert;
        moe.shared->intermediateSize = sharedWidth * moe.sharedCount;
    }
    moe.router.castWeightsToModelDtype = false;
    if (config.flag({"norm_topk_prob"}, true)) {
        moe.router.renormalise = Renormalise::SumEps;
    }
    return moe;
}

/// What the second generation adds to the router.
void readSecondRouter(const Config& config, MoeSpec& moe) {
    if (config.text({"score_function"}, "sigmoid") != "sigmoid") {
        config.refuse("score_function", "\"sigmoid\"");
    }
    if (config.text({"router_dtype"}, "fp32") != "fp32") {
        config.refuse("router_dtype", "\"fp32\"");
    }
    if (!config.flag({"norm_topk_prob"}, true)) {
        config.refuse("norm_topk_prob", "true, as the published code does it always");
    }
    moe.router.score = RouterScore::Sigmoid;
    moe.router.fp32Matmul = true;
    moe.router.selectionBias = config.flag({"moe_router_enable_expert_bias"}, true);
    moe.router.scale = config.positive({"routed_scaling_factor"}, 2.5);
    readGroups(config, moe, {.groups = 8, .kept = 4});
    moe.router.groupScore = GroupScore::TopTwoSum;
    moe.router.excludedScore = -std::numeric_limits<double>::infinity();
}

/// Query, key and value are in one tensor; GGUF models of the first generation have them apart.
void setQueryKeyValue(const FamilyInput& input, ModelSpec& spec) {
    const bool bias = input.config.flag({"use_qkv_bias"}, false);
    if (!input.checkpoint.find(layerPrefix(spec, 0) + "self_attn.q_proj.weight")) {
        setFusedQkv(spec, "attention.query_key_value", bias);
        return;
    }
    setAttentionBias(spec, bias, false);
}

/// Other names than the Llama skeleton's.
void setNames(const FamilyInput& input, ModelSpec& spec, bool second) {
    const Config& config = input.config;
    spec.embeddingName = "model.word_embeddings.weight";
    if (spec.tiedHead) {
        spec.head.weight = spec.embeddingName;
    }
    setQueryKeyValue(input, spec);
    const bool bias = config.flag({"use_bias"}, true);
    for (int i = 0; i < spec.layerCount(); ++i) {
        auto& layer = spec.layers[static_cast<std::size_t>(i)];
        const std::string dense = layerPrefix(spec, i) + "attention.dense.";
        layer.attention.outputBias = bias;
        layer.names.o = {dense + "weight", bias ? dense + "bias" : ""};
    }
    constexpr std::string_view kQueryNorm = "attention.query_layernorm.weight";
    static_cast<void>(config.flag({"use_qk_norm"}, second));  // the tensors say it too
    if (input.checkpoint.find(layerPrefix(spec, 0).append(kQueryNorm))) {
        setQkNorm(spec, QkNorm::PerHead, kQueryNorm, "attention.key_layernorm.weight");
    }
}

/// Keys whose other values nothing published uses.
void refuseUnknown(const Config& config, const ModelSpec& spec) {
    if (config.flag({"use_sliding_window"}, false)) {
        config.refuse("use_sliding_window", "false");
    }
    static_cast<void>(config.maybeInteger({"sliding_window"}));
    if (!config.flag({"use_rmsnorm"}, true)) {
        config.refuse("use_rmsnorm", "true");
    }
    if (spec.normalisedHead && spec.tiedHead) {
        config.refuse("norm_head", "false where \"tie_word_embeddings\" is true");
    }
}

ModelSpec describe(const FamilyInput& input) {
    const Config& config = input.config;
    const bool second = isSecond(config);
    ModelSpec spec =
        llamaSkeleton(input, {.vocabSize = 30592,
                              .hiddenSize = 1024,
                              .layers = 24,
                              .headsQ = 16,
                              .maxPositions = 16384,
                              .rotatedShare = second ? std::optional(1.0) : std::nullopt});
    spec.normalisedHead = config.flag({"norm_head"}, false);
    refuseUnknown(config, spec);
    setNames(input, spec, second);
    MoeSpec moe = readMoe(config);
    if (second) {
        readSecondRouter(config, moe);
    }
    const int dense = config.integer({"first_k_dense_replace"}, 0, {.least = 0});
    setRouted(input, spec, layersWhere(spec, [&](int layer) { return layer >= dense; }), moe,
              {.router = "mlp.gate",
               .expert = "mlp.experts.{}",
               .shared = "mlp.shared_experts",
               .selectionBias = "mlp.gate.expert_bias"});
    setDense(spec, {.intermediateSize = config.integer({"intermediate_size"}, 4096, kSizeRange),
                    .activation = readActivation(config)});
    return spec;
}

}  // namespace

const Family kBailingMoe{"bailing_moe", "Ling / Ring (Bailing MoE)", recognises, describe};

}  // namespace moescope::model
