// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/families/family.h"

// gpt-oss. Sources: transformers models/gpt_oss; openai/gpt-oss gpt_oss/torch.
namespace moescope::model {
namespace {

bool recognises(const Config& config) {
    return config.modelType() == "gpt_oss";
}

MoeSpec readMoe(const Config& config) {
    MoeSpec moe;
    moe.experts = config.integer({"num_local_experts"}, 128, kCountRange);
    moe.topK = config.integer({"num_experts_per_tok", "experts_per_token"}, 4, kCountRange);
    moe.expert.intermediateSize = config.integer({"intermediate_size"}, 2880, kSizeRange);
    moe.expert.activation = readActivation(config);
    moe.expert.bias = true;
    moe.expert.clamped = ClampedSwiglu{.limit = config.positive({"swiglu_limit"}, 7.0)};
    moe.router.softmaxOverSelected = true;
    return moe;
}

/// Every second layer, from the first on, has the window; sinks are in all.
void setAttention(const Config& config, ModelSpec& spec) {
    const bool bias = config.flag({"attention_bias"}, true);
    setAttentionBias(spec, bias, bias);
    if (config.has("layer_types")) {
        setSlidingWindow(config, spec);
    }
    const int window = config.integer({"sliding_window"}, 128);
    for (int i = 0; i < spec.layerCount(); ++i) {
        auto& layer = spec.layers[static_cast<std::size_t>(i)];
        if (!config.has("layer_types") && i % 2 == 0) {
            layer.attention.slidingWindow = window;
        }
        layer.attention.sinks = true;
        layer.names.sinks = layerPrefix(spec, i) + "self_attn.sinks";
    }
}

/// Files as published have rows of gate and up in turns, in MXFP4; written again in bfloat16 the
/// matrices are transposed, with columns in turns.
FusedNames expertNames(const FamilyInput& input, const ModelSpec& spec) {
    FusedNames names{.gateUp = "mlp.experts.gate_up_proj",
                     .down = "mlp.experts.down_proj",
                     .gateUpBias = "mlp.experts.gate_up_proj_bias",
                     .downBias = "mlp.experts.down_proj_bias",
                     .layout = FusedLayout::InterleavedColumns};
    if (input.checkpoint.find(layerPrefix(spec, 0).append(names.gateUp) + "_blocks")) {
        names.layout = FusedLayout::InterleavedRows;
    }
    return names;
}

ModelSpec describe(const FamilyInput& input) {
    const Config& config = input.config;
    if (!config.has("rope_scaling") && !config.has("rope_parameters")) {
        config.refuse("rope_scaling", "YaRN's numbers");
    }
    ModelSpec spec = llamaSkeleton(input, {.vocabSize = 201088,
                                           .hiddenSize = 2880,
                                           .layers = 36,
                                           .headsQ = 64,
                                           .headsKv = 8,
                                           .maxPositions = 131072,
                                           .ropeTheta = 150000.0,
                                           .headDim = config.integer({"head_dim"}, 64)});
    spec.normKind = NormKind::RmsFp32;
    setAttention(config, spec);
    setRouted(input, spec, allLayers(spec), readMoe(config),
              {.router = "mlp.router",
               .routerBias = true,
               .expert = "mlp.experts.{}",
               .fused = expertNames(input, spec)});
    return spec;
}

}  // namespace

const Family kGptOss{"gpt_oss", "gpt-oss", recognises, describe};

}  // namespace moescope::model
