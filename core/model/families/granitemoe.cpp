// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/families/family.h"

// GraniteMoE, and its variant with a shared MLP. Sources: transformers models/granitemoe and
// models/granitemoeshared.
namespace moescope::model {
namespace {

bool recognises(const Config& config) {
    return config.modelType() == "granitemoe" || config.modelType() == "granitemoeshared";
}

MoeSpec readMoe(const Config& config) {
    MoeSpec moe;
    moe.experts = config.integer({"num_local_experts"}, 8, kCountRange);
    moe.topK = config.integer({"num_experts_per_tok"}, 2, kCountRange);
    moe.expert.intermediateSize = config.integer({"intermediate_size"}, 11008, kSizeRange);
    moe.expert.activation = readActivation(config);
    moe.router.softmaxOverSelected = true;
    if (config.modelType() == "granitemoeshared") {
        const int width = config.integer({"shared_intermediate_size"}, 1024,
                                         {.least = 0, .most = kSizeRange.most});
        if (width > 0) {
            moe.shared = moe.expert;
            moe.shared->intermediateSize = width;
            moe.sharedCount = 1;
        }
    }
    return moe;
}

void readMultipliers(const Config& config, ModelSpec& spec) {
    spec.embeddingScale = config.positive({"embedding_multiplier"}, 1.0);
    spec.residualScale = config.positive({"residual_multiplier"}, 1.0);
    spec.logitScale = 1.0 / config.positive({"logits_scaling"}, 1.0);
    for (auto& layer : spec.layers) {
        layer.attention.scale = config.positive({"attention_multiplier"}, 1.0);
    }
}

ModelSpec describe(const FamilyInput& input) {
    const Config& config = input.config;
    ModelSpec spec = llamaSkeleton(input, {.vocabSize = 32000,
                                           .hiddenSize = 4096,
                                           .layers = 32,
                                           .headsQ = 32,
                                           .maxPositions = 2048,
                                           .normEps = 1e-6});
    const bool bias = config.flag({"attention_bias"}, false);
    setAttentionBias(spec, bias, bias);
    readMultipliers(config, spec);
    setRouted(input, spec, allLayers(spec), readMoe(config),
              {.router = "block_sparse_moe.router.layer",
               .expert = "block_sparse_moe.experts.{}",
               .fused = FusedNames{.gateUp = "block_sparse_moe.input_linear.weight",
                                   .down = "block_sparse_moe.output_linear.weight"},
               .shared = "shared_mlp",
               .fusedShared = FusedNames{.gateUp = "shared_mlp.input_linear.weight",
                                         .down = "shared_mlp.output_linear.weight"}});
    return spec;
}

}  // namespace

const Family kGraniteMoe{"granitemoe", "GraniteMoE", recognises, describe};

}  // namespace moescope::model
