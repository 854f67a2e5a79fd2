// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/families/family.h"

// MiniMax-M2. Source: transformers models/minimax_m2; the name of the correction bias on disk from
// published loaders.
namespace moescope::model {
namespace {

bool recognises(const Config& config) {
    return config.modelType() == "minimax_m2" || config.architecture() == "MiniMaxM2ForCausalLM";
}

MoeSpec readMoe(const Config& config) {
    MoeSpec moe;
    moe.experts = config.integer({"num_local_experts"}, 256, kCountRange);
    moe.topK = config.integer({"num_experts_per_tok"}, 8, kCountRange);
    moe.expert.intermediateSize = config.integer({"intermediate_size"}, 1536, kSizeRange);
    moe.expert.activation = readActivation(config);
    moe.router.score = RouterScore::Sigmoid;
    moe.router.selectionBias = config.flag({"use_routing_bias"}, true);
    moe.router.renormalise = Renormalise::Sum;
    if (config.text({"scoring_func"}, "sigmoid") != "sigmoid") {
        config.refuse("scoring_func", "\"sigmoid\"");
    }
    return moe;
}

ModelSpec describe(const FamilyInput& input) {
    const Config& config = input.config;
    ModelSpec spec = llamaSkeleton(input, {.vocabSize = 200064,
                                           .hiddenSize = 3072,
                                           .layers = 62,
                                           .headsQ = 48,
                                           .headsKv = 8,
                                           .maxPositions = 196608,
                                           .normEps = 1e-6,
                                           .ropeTheta = 5e6,
                                           .rotatedShare = 1.0});
    const bool bias = config.flag({"attention_bias"}, false);
    setAttentionBias(spec, bias, bias);
    if (config.text({"qk_norm_type"}, "per_layer") != "per_layer") {
        config.refuse("qk_norm_type", "\"per_layer\"");
    }
    if (config.flag({"use_qk_norm"}, true)) {
        setQkNorm(spec, QkNorm::FullProjection);
    }
    const std::string inGateName = "block_sparse_moe.gate.e_score_correction_bias";
    const bool inGate = input.checkpoint.find(layerPrefix(spec, 0) + inGateName).has_value();
    setRouted(input, spec, allLayers(spec), readMoe(config),
              {.router = "block_sparse_moe.gate",
               .expert = "block_sparse_moe.experts.{}",
               .gated = {"w1", "w3", "w2"},
               .selectionBias = inGate ? std::string_view(inGateName)
                                       : "block_sparse_moe.e_score_correction_bias"});
    return spec;
}

}  // namespace

const Family kMiniMaxM2{"minimax_m2", "MiniMax-M2", recognises, describe};

}  // namespace moescope::model
