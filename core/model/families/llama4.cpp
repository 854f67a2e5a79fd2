// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/families/family.h"

#include <algorithm>

// The text part of Llama-4 (Scout, Maverick), alone or inside its multimodal wrapper. Source:
// transformers models/llama4.
namespace moescope::model {
namespace {

bool recognises(const Config& config) {
    const std::string type = config.modelType();
    return type == "llama4" || type == "llama4_text";
}

/// True where the layer turns queries and keys: `no_rope_layers` holds 1 for these.
std::vector<bool> readRopeLayers(const Config& config, std::size_t layers) {
    const int interval = config.integer({"no_rope_layer_interval"}, 4);
    const auto listed = config.numbers("no_rope_layers");
    if (!listed.empty() && listed.size() < layers) {
        config.refuse("no_rope_layers", "one entry per layer");
    }
    std::vector<bool> rope;
    for (std::size_t i = 0; i < layers; ++i) {
        if (!listed.empty() && listed[i] != 0.0 && listed[i] != 1.0) {
            config.refuse("no_rope_layers", "0 and 1 only");
        }
        rope.push_back(listed.empty() ? (i + 1) % static_cast<std::size_t>(interval) != 0
                                      : listed[i] == 1.0);
    }
    return rope;
}

/// `layer_types` repeats what the RoPE layers say.
void checkLayerTypes(const Config& config, const std::vector<bool>& rope) {
    const auto types = config.texts("layer_types");
    for (std::size_t i = 0; i < types.size(); ++i) {
        const bool chunked = types[i] == "chunked_attention";
        if (types.size() != rope.size() || chunked != rope[i] ||
            (!chunked && types[i] != "full_attention")) {
            config.refuse("layer_types",
                          "\"chunked_attention\" on layers with RoPE and "
                          "\"full_attention\" on those without");
        }
    }
}

/// A flag that some published files write as a number.
bool readTemperatureFlag(const Config& config) {
    constexpr std::string_view kKey = "attn_temperature_tuning";
    const std::string text = config.valueText(kKey);
    const bool isFlag = text == "true" || text == "false";
    return isFlag ? config.flag({kKey}, true) : config.integer({kKey}, 1, {.least = 0}) != 0;
}

void setAttention(const Config& config, ModelSpec& spec) {
    const bool bias = config.flag({"attention_bias"}, false);
    setAttentionBias(spec, bias, bias);
    const auto rope = readRopeLayers(config, spec.layers.size());
    checkLayerTypes(config, rope);
    const bool norms = config.flag({"use_qk_norm"}, true);
    const bool tuned = readTemperatureFlag(config);
    const QueryTemperature temperature{.strength = config.number({"attn_scale"}, 0.1),
                                       .step = config.positive({"floor_scale"}, 8192.0)};
    const bool unbounded = config.isNull("attention_chunk_size");
    const int chunk = config.integer({"attention_chunk_size"}, 8192);
    for (std::size_t i = 0; i < spec.layers.size(); ++i) {
        AttentionSpec& attention = spec.layers[i].attention;
        if (!rope[i]) {
            attention.rope.enabled = false;
            if (tuned) {
                attention.temperature = temperature;
            }
            continue;
        }
        attention.rope.style = RopeStyle::Interleaved;
        attention.chunk = unbounded ? std::nullopt : std::optional(chunk);
        if (norms) {
            attention.qkNorm = QkNorm::PerHead;
            attention.qkNormKind = NormKind::RmsWeightless;
            attention.qkNormAfterRope = true;
        }
    }
}

std::vector<int> readRoutedLayers(const Config& config, const ModelSpec& spec) {
    const int step = config.integer({"interleave_moe_layer_step"}, 1);
    const auto listed = config.numbers("moe_layers");
    return layersWhere(spec, [&](int layer) {
        if (config.has("moe_layers")) {
            return std::find(listed.begin(), listed.end(), static_cast<double>(layer)) !=
                   listed.end();
        }
        return (layer + 1) % step == 0;
    });
}

MoeSpec readMoe(const Config& config) {
    MoeSpec moe;
    moe.experts = config.integer({"num_local_experts"}, 16, kCountRange);
    moe.topK = config.integer({"num_experts_per_tok"}, 1, kCountRange);
    moe.expert.intermediateSize = config.integer({"intermediate_size"}, 8192, kSizeRange);
    moe.expert.activation = readActivation(config);
    moe.router.score = RouterScore::Sigmoid;
    moe.router.selectOnLogits = true;
    moe.scaleInput = true;
    moe.shared = moe.expert;
    moe.sharedCount = 1;
    return moe;
}

ModelSpec describe(const FamilyInput& input) {
    const Config& config = input.config;
    const std::string_view prefix = existingPrefix(input, {"language_model.model.", "model."});
    const bool wrapped = prefix != "model.";
    ModelSpec spec = llamaSkeleton(
        input, {.vocabSize = 202048,
                .hiddenSize = 5120,
                .layers = 48,
                .headsQ = 40,
                .headsKv = 8,
                .maxPositions = 131072,
                .ropeTheta = 5e5,
                .headDim = config.integer({"head_dim"}, 128, kCountRange),
                .prefix = prefix,
                .head = wrapped ? "language_model.lm_head.weight" : "lm_head.weight"});
    setAttention(config, spec);
    setRouted(input, spec, readRoutedLayers(config, spec), readMoe(config),
              {.router = "feed_forward.router",
               .expert = "feed_forward.experts.{}",
               .fused = FusedNames{.gateUp = "feed_forward.experts.gate_up_proj",
                                   .down = "feed_forward.experts.down_proj",
                                   .layout = FusedLayout::Columns},
               .shared = "feed_forward.shared_expert"});
    setDense(spec,
             {.intermediateSize = config.integer({"intermediate_size_mlp"}, 16384, kSizeRange),
              .activation = readActivation(config)},
             kProjectionNames, "feed_forward.");
    return spec;
}

}  // namespace

const Family kLlama4{"llama4", "Llama-4", recognises, describe};

}  // namespace moescope::model
