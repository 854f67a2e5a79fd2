// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/families/family.h"

// Grok-1 in the hpcai-tech port, whose config.json has no model type. Sources: modeling_grok1.py
// and configuration_grok1.py of that port.
namespace moescope::model {
namespace {

bool recognises(const Config& config) {
    return config.modelType() == "grok-1" || config.architecture() == "Grok1ModelForCausalLM";
}

LayerNames layerNames(const std::string& prefix) {
    const std::string attention = prefix + "attn.";
    LayerNames names;
    names.attentionNorm = prefix + "pre_attn_norm.scale";
    names.attentionOutputNorm = prefix + "post_attn_norm.scale";
    names.feedForwardNorm = prefix + "pre_moe_norm.scale";
    names.feedForwardOutputNorm = prefix + "post_moe_norm.scale";
    names.q.weight = attention + "q_proj.weight";
    names.k.weight = attention + "k_proj.weight";
    names.v.weight = attention + "v_proj.weight";
    names.o.weight = attention + "o_proj.weight";
    return names;
}

MoeSpec readMoe(const Config& config) {
    MoeSpec moe;
    moe.experts = config.integer({"num_experts"}, 8, kCountRange);
    moe.topK = config.integer({"num_experts_per_tok"}, 2, kCountRange);
    moe.expert.intermediateSize = config.integer({"intermediate_size"}, 32768, kSizeRange);
    moe.expert.activation = Activation::GeluErf;
    return moe;
}

ModelSpec describe(const FamilyInput& input) {
    const Config& config = input.config;
    ModelSpec spec = llamaSkeleton(input, {.vocabSize = 32000,
                                           .hiddenSize = 4096,
                                           .layers = 32,
                                           .headsQ = 32,
                                           .headsKv = 32,
                                           .maxPositions = 4096,
                                           .tiedHead = true});
    spec.normKind = NormKind::RmsFp32;
    spec.finalNormName = "model.norm.scale";
    spec.embeddingScale = config.positive({"embedding_multiplier_scale"}, 1.0);
    spec.logitScale = config.positive({"output_multiplier_scale"}, 1.0);
    const double scale = config.positive({"attn_output_multiplier"}, 1.0);
    const double cap = config.positive({"max_attn_value"}, 1.0);
    for (int i = 0; i < spec.layerCount(); ++i) {
        auto& layer = spec.layers[static_cast<std::size_t>(i)];
        layer.attention.scale = scale;
        layer.attention.logitCap = cap;
        layer.names = layerNames(layerPrefix(spec, i));
    }
    setRouted(input, spec, allLayers(spec), readMoe(config),
              {.router = "moe_block.gate",
               .expert = "moe_block.experts.{}",
               .gated = {"linear", "linear_v", "linear_1"}});
    return spec;
}

}  // namespace

const Family kGrok1{"grok1", "Grok-1", recognises, describe};

}  // namespace moescope::model
