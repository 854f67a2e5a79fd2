// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/families/family.h"

// Phi-3.5-MoE. Sources: transformers models/phimoe; microsoft/Phi-3.5-MoE-instruct.
namespace moescope::model {
namespace {

bool recognises(const Config& config) {
    return config.modelType() == "phimoe";
}

TensorRef biasBeside(const TensorRef& weight) {
    constexpr std::string_view kWeight = "weight";
    std::string name = weight.name;
    return name.replace(name.size() - kWeight.size(), kWeight.size(), "bias");
}

void setLayerNorms(ModelSpec& spec) {
    spec.normKind = NormKind::LayerNorm;
    spec.finalNormBias = biasBeside(spec.finalNormName);
    for (auto& layer : spec.layers) {
        layer.names.attentionNormBias = biasBeside(layer.names.attentionNorm);
        layer.names.feedForwardNormBias = biasBeside(layer.names.feedForwardNorm);
    }
}

MoeSpec readMoe(const Config& config) {
    MoeSpec moe;
    moe.experts = config.integer({"num_local_experts"}, 16, kCountRange);
    moe.topK = config.integer({"num_experts_per_tok"}, 2, kCountRange);
    moe.expert.intermediateSize = config.integer({"intermediate_size"}, 6400, kSizeRange);
    moe.expert.activation = readActivation(config);
    moe.router.selectOnLogits = true;
    moe.router.sparseMixerJitter = config.number({"router_jitter_noise"}, 0.01);
    if (moe.topK != 2) {
        config.refuse("num_experts_per_tok", "2, which the sparsemixer is made for");
    }
    if (*moe.router.sparseMixerJitter < 0.0) {
        config.refuse("router_jitter_noise", "a number from 0");
    }
    return moe;
}

ModelSpec describe(const FamilyInput& input) {
    const Config& config = input.config;
    ModelSpec spec = llamaSkeleton(input, {.vocabSize = 32064,
                                           .hiddenSize = 4096,
                                           .layers = 32,
                                           .headsQ = 32,
                                           .headsKv = 8,
                                           .maxPositions = 131072,
                                           .ropeTheta = 1e6});
    const bool bias = config.flag({"attention_bias"}, false);
    setAttentionBias(spec, bias, bias);
    setSlidingWindow(config, spec);
    setLayerNorms(spec);
    if (config.flag({"lm_head_bias"}, false)) {
        spec.head.bias = "lm_head.bias";
    }
    setRouted(input, spec, allLayers(spec), readMoe(config),
              {.router = "block_sparse_moe.gate",
               .expert = "block_sparse_moe.experts.{}",
               .gated = {"w1", "w3", "w2"}});
    return spec;
}

}  // namespace

const Family kPhiMoe{"phimoe", "Phi-3.5-MoE", recognises, describe};

}  // namespace moescope::model
