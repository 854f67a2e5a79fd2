// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/families/family.h"

// Mixtral 8x7B and 8x22B, and the community layout from before the official port, which calls
// itself "mistral", keeps the experts below "mlp." and selects on logits. Sources: transformers
// models/mixtral; modeling_moe_mistral.py of the early checkpoint.
namespace moescope::model {
namespace {

constexpr GatedNames kW1W3W2{"w1", "w3", "w2"};

bool recognises(const Config& config) {
    const std::string type = config.modelType();
    const bool early = config.architecture() == "MixtralForCausalLM" || config.has("num_experts");
    return type == "mixtral" || ((type == "mistral" || type.empty()) && early);
}

/// Switches of the early layout, made for studies.
void readEarlyRouter(const Config& config, MoeSpec& moe) {
    moe.router.softmaxOverSelected = true;
    moe.router.unitWeights = config.flag({"one_gate"}, false);
    if (config.flag({"norm_one_gate"}, false) && moe.router.unitWeights) {
        moe.router.scale = 1.0 / moe.topK;
    }
}

ModelSpec describe(const FamilyInput& input) {
    const Config& config = input.config;
    const bool early = config.modelType() != "mixtral";
    ModelSpec spec = llamaSkeleton(input, {.vocabSize = 32000,
                                           .hiddenSize = 4096,
                                           .layers = 32,
                                           .headsQ = 32,
                                           .headsKv = 8,
                                           .maxPositions = 131072,
                                           .normEps = early ? 1e-6 : 1e-5,
                                           .ropeTheta = early ? 1e4 : 1e6});
    setSlidingWindow(config, spec);

    MoeSpec moe;
    moe.experts = config.integer({"num_local_experts", "num_experts"}, 8, kCountRange);
    moe.topK = config.integer({"num_experts_per_tok", "num_experts_per_token"}, 2, kCountRange);
    moe.expert.intermediateSize = config.integer({"intermediate_size"}, 14336, kSizeRange);
    moe.expert.activation = readActivation(config);
    if (early) {
        readEarlyRouter(config, moe);
    } else {
        moe.router.renormalise = Renormalise::Sum;
    }
    const bool below = input.checkpoint.find(layerPrefix(spec, 0) + "mlp.gate.weight").has_value();
    const std::string block = below ? "mlp." : "block_sparse_moe.";
    setRouted(input, spec, allLayers(spec), moe,
              {.router = block + "gate", .expert = block + "experts.{}", .gated = kW1W3W2});
    return spec;
}

}  // namespace

const Family kMixtral{"mixtral", "Mixtral", recognises, describe};

}  // namespace moescope::model
