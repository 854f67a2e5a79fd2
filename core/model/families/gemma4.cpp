// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/families/family.h"
#include "core/model/rope_config.h"

#include <cmath>

// Gemma-4 with mixtures (26B-A4B), alone or inside its multimodal wrapper. Layers with a window and
// layers with full attention have heads of other size and number. A dense MLP runs beside the
// experts in every layer: it is the shared expert here. Source: transformers models/gemma4.
namespace moescope::model {
namespace {

constexpr std::string_view kSliding = "sliding_attention";
constexpr std::string_view kFull = "full_attention";

bool recognises(const Config& config) {
    const std::string type = config.modelType();
    return type == "gemma4" || type == "gemma4_text";
}

/// Switches of the smaller Gemma-4 models that no model with mixtures has.
void refuseOthers(const Config& config) {
    const bool mixture = config.flag({"enable_moe_block"}, false);
    if (!mixture) {
        config.refuse("enable_moe_block", "true: Moescope runs the Gemma-4 models with experts");
    }
    if (config.integer({"hidden_size_per_layer_input"}, 256, {.least = 0}) != 0) {
        config.refuse("hidden_size_per_layer_input", "0: embeddings per layer are not supported");
    }
    if (config.integer({"num_kv_shared_layers"}, 0, {.least = 0}) != 0) {
        config.refuse("num_kv_shared_layers", "0: layers that share keys are not supported");
    }
    if (config.flag({"use_double_wide_mlp"}, false)) {
        config.refuse("use_double_wide_mlp", "false");
    }
    const std::string both = config.text({"use_bidirectional_attention"}, "vision");
    if (both != "vision") {  // which concerns images alone
        config.refuse("use_bidirectional_attention", "null or \"vision\"");
    }
}

/// True where attention is full; the last layer's always is.
std::vector<bool> readFullLayers(const Config& config, std::size_t layers) {
    constexpr std::size_t kPattern = 6;
    const auto types = config.texts("layer_types");
    if (!types.empty() && types.size() != layers) {
        config.refuse("layer_types", "one entry per layer");
    }
    std::vector<bool> full;
    for (std::size_t i = 0; i < layers; ++i) {
        if (!types.empty() && types[i] != kSliding && types[i] != kFull) {
            config.refuse("layer_types", "\"sliding_attention\" and \"full_attention\" only");
        }
        const bool listed = types.empty() ? (i + 1) % kPattern == 0 : types[i] == kFull;
        full.push_back(listed || i + 1 == layers);
    }
    return full;
}

/// The RoPE of one kind of layers, from its own block in `rope_parameters`.
RopeSpec readRopeOf(const Config& config, std::string_view kind, const RopeDefaults& defaults) {
    const auto all = config.section("rope_parameters");
    const auto own = all ? all->section(kind) : nullptr;
    if (own) {
        return readRopeBlock(config, *own, defaults);
    }
    if (all) {
        all->refuse(kind, "an object with rope_type and rope_theta");
    }
    RopeSpec rope;
    rope.rotaryDim = defaults.headDim;
    rope.theta = defaults.theta;
    rope.maxPositions = defaults.maxPositions;
    return rope;
}

void setAttention(const Config& config, ModelSpec& spec) {
    const bool bias = config.flag({"attention_bias"}, false);
    setAttentionBias(spec, bias, bias);
    setQkNorm(spec, QkNorm::PerHead);
    AttentionSpec sliding = spec.layers.front().attention;
    sliding.qkNormKind = NormKind::RmsFp32;
    sliding.valueNorm = true;
    sliding.scale = 1.0;
    AttentionSpec full = sliding;
    sliding.slidingWindow = config.integer({"sliding_window"}, 512);
    sliding.rope =
        readRopeOf(config, kSliding,
                   {.headDim = sliding.headDim, .theta = 1e4, .maxPositions = spec.maxPositions});
    full.headDim = config.integer({"global_head_dim"}, 512, kCountRange);
    full.valueIsKey = config.flag({"attention_k_eq_v"}, false);
    const int globalHeads =
        config.integer({"num_global_key_value_heads"}, sliding.headsKv, kCountRange);
    full.headsKv = full.valueIsKey ? globalHeads : sliding.headsKv;
    if (full.headsQ % full.headsKv != 0) {
        config.refuse("num_global_key_value_heads", "a divisor of num_attention_heads");
    }
    full.rope = readRopeOf(
        config, kFull, {.headDim = full.headDim, .theta = 1e6, .maxPositions = spec.maxPositions});
    if (!config.has("rope_parameters")) {
        full.rope.turningPairs = full.headDim / 8;  // a quarter of the pairs
    }
    const auto isFull = readFullLayers(config, spec.layers.size());
    for (std::size_t i = 0; i < spec.layers.size(); ++i) {
        auto& layer = spec.layers[i];
        layer.attention = isFull[i] ? full : sliding;
        if (layer.attention.valueIsKey) {
            layer.names.v = {};
        }
    }
}

MoeSpec readMoe(const Config& config) {
    MoeSpec moe;
    moe.experts = config.integer({"num_experts"}, 128, kCountRange);
    moe.topK = config.integer({"top_k_experts"}, 8, kCountRange);
    moe.expert.intermediateSize = config.integer({"moe_intermediate_size"}, 704, kSizeRange);
    moe.expert.activation = readActivation(config, Activation::GeluTanh);
    moe.router.renormalise = Renormalise::Sum;
    moe.router.ownInputNorm = true;
    moe.router.perExpertScale = true;
    moe.shared = moe.expert;
    moe.shared->intermediateSize = config.integer({"intermediate_size"}, 9216, kSizeRange);
    moe.sharedCount = 1;
    moe.separateNorms = true;
    return moe;
}

void setNorms(ModelSpec& spec) {
    spec.normKind = NormKind::RmsFp32;
    for (int i = 0; i < spec.layerCount(); ++i) {
        LayerNames& names = spec.layers[static_cast<std::size_t>(i)].names;
        const std::string prefix = layerPrefix(spec, i);
        names.attentionOutputNorm = prefix + "post_attention_layernorm.weight";
        names.feedForwardNorm = prefix + "pre_feedforward_layernorm_2.weight";
        names.routedOutputNorm = prefix + "post_feedforward_layernorm_2.weight";
        names.sharedInputNorm = prefix + "pre_feedforward_layernorm.weight";
        names.sharedOutputNorm = prefix + "post_feedforward_layernorm_1.weight";
        names.feedForwardOutputNorm = prefix + "post_feedforward_layernorm.weight";
        names.layerScalar = prefix + "layer_scalar";
        names.routerScale = prefix + "router.scale";
        names.perExpertScale = prefix + "router.per_expert_scale";
    }
}

ModelSpec describe(const FamilyInput& input) {
    const Config& config = input.config;
    refuseOthers(config);
    ModelSpec spec = llamaSkeleton(
        input, {.vocabSize = 262144,
                .hiddenSize = 2304,
                .layers = 30,
                .headsQ = 8,
                .headsKv = 4,
                .maxPositions = 131072,
                .normEps = 1e-6,
                .headDim = config.integer({"head_dim"}, 256, kCountRange),
                .ownRope = true,
                .tiedHead = true,
                .prefix = existingPrefix(input, {"model.language_model.", "model."})});
    spec.embeddingScale = std::sqrt(static_cast<double>(spec.hiddenSize));
    spec.roundEmbeddingScale = true;
    if (config.has("final_logit_softcapping")) {
        spec.logitCap = config.positive({"final_logit_softcapping"}, 1.0);
    }
    setAttention(config, spec);
    setRouted(input, spec, allLayers(spec), readMoe(config),
              {.router = "router.proj",
               .expert = "experts.{}",
               .fused = FusedNames{.gateUp = "experts.gate_up_proj", .down = "experts.down_proj"},
               .shared = "mlp"});
    setNorms(spec);
    return spec;
}

}  // namespace

const Family kGemma4{"gemma4", "Gemma-4", recognises, describe};

}  // namespace moescope::model
