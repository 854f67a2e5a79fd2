// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/families/family.h"

// ERNIE-4.5 (text). Source: transformers models/ernie4_5_moe.
namespace moescope::model {
namespace {

bool recognises(const Config& config) {
    return config.modelType() == "ernie4_5_moe";
}

MoeSpec readMoe(const Config& config) {
    MoeSpec moe;
    moe.experts = config.integer({"moe_num_experts"}, 64, kCountRange);
    moe.topK = config.integer({"moe_k"}, 6, kCountRange);
    moe.expert.intermediateSize = config.integer({"moe_intermediate_size"}, 1536, kSizeRange);
    moe.expert.activation = readActivation(config);
    moe.sharedCount = config.integer({"moe_num_shared_experts"}, 2, {.least = 0, .most = 64});
    if (moe.sharedCount > 0) {
        moe.shared = moe.expert;
        moe.shared->intermediateSize *= moe.sharedCount;
    }
    moe.router.selectionBias = true;
    moe.router.fp32Matmul = true;
    moe.router.renormalise = Renormalise::Sum;
    moe.router.renormaliseFloor = config.positive({"moe_norm_min"}, 1e-12);
    return moe;
}

/// Routed are the layers from start to end, both included, whose number plus one is a multiple of
/// the interval.
std::vector<int> routedLayers(const Config& config, const ModelSpec& spec) {
    const int start = config.integer({"moe_layer_start_index"}, 1, {.least = 0});
    const int end = config.integer({"moe_layer_end_index"}, -1, {.least = -1});
    const int interval = config.integer({"moe_layer_interval"}, 1);
    const int last = end == -1 ? spec.layerCount() - 1 : end;
    return layersWhere(spec, [&](int layer) {
        return (layer + 1) % interval == 0 && layer >= start && layer <= last;
    });
}

ModelSpec describe(const FamilyInput& input) {
    const Config& config = input.config;
    ModelSpec spec = llamaSkeleton(input, {.vocabSize = 103424,
                                           .hiddenSize = 2560,
                                           .layers = 28,
                                           .headsQ = 20,
                                           .headsKv = 4,
                                           .maxPositions = 131072,
                                           .ropeTheta = 500000.0,
                                           .tiedHead = true});
    for (auto& layer : spec.layers) {
        layer.attention.rope.style = RopeStyle::Interleaved;
    }
    setRouted(input, spec, routedLayers(config, spec), readMoe(config),
              {.router = "mlp.gate",
               .expert = "mlp.experts.{}",
               .shared = "mlp.shared_experts",
               .selectionBias = "mlp.moe_statics.e_score_correction_bias"});
    setDense(spec, {.intermediateSize = config.integer({"intermediate_size"}, 12288, kSizeRange),
                    .activation = readActivation(config)});
    return spec;
}

}  // namespace

const Family kErnie45Moe{"ernie4_5_moe", "ERNIE-4.5", recognises, describe};

}  // namespace moescope::model
