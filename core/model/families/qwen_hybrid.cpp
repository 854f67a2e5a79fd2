// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/families/qwen_hybrid.h"

#include <fmt/format.h>

namespace moescope::model {
namespace {

constexpr std::string_view kLinear = "linear_attention";
constexpr std::string_view kFull = "full_attention";

/// Keys that only the translation of GGUF models writes.
constexpr std::string_view kZeroCenteredNorms = "zero_centered_norms";
constexpr std::string_view kTiledKeyHeads = "linear_tiled_key_heads";
constexpr std::string_view kDecayRates = "linear_decay_rates";

/// Which layers are DeltaNets.
std::vector<bool> readLinearLayers(const Config& config, std::size_t layers) {
    const int interval = config.integer({"full_attention_interval"}, 4);
    const auto types = config.texts("layer_types");
    if (!types.empty() && types.size() != layers) {
        config.refuse("layer_types", fmt::format("{} entries", layers));
    }
    std::vector<bool> linear;
    for (std::size_t i = 0; i < layers; ++i) {
        if (!types.empty() && types[i] != kLinear && types[i] != kFull) {
            config.refuse("layer_types", fmt::format("\"{}\" and \"{}\" only", kLinear, kFull));
        }
        linear.push_back(types.empty() ? (i + 1) % static_cast<std::size_t>(interval) != 0
                                       : types[i] == kLinear);
    }
    return linear;
}

DeltaNetSpec readDelta(const Config& config, DeltaLayout layout) {
    DeltaNetSpec delta;
    delta.keyHeads = config.integer({"linear_num_key_heads"}, 16, kCountRange);
    delta.valueHeads = config.integer({"linear_num_value_heads"}, 32, kCountRange);
    delta.keyDim = config.integer({"linear_key_head_dim"}, 128, {.least = 1, .most = 4096});
    delta.valueDim = config.integer({"linear_value_head_dim"}, 128, {.least = 1, .most = 4096});
    delta.kernel = config.integer({"linear_conv_kernel_dim"}, 4, {.least = 1, .most = 64});
    delta.packedByKeyHead = layout == DeltaLayout::PackedByKeyHead;
    delta.tiledKeyHeads = config.flag({kTiledKeyHeads}, false);
    delta.decayRates = config.flag({kDecayRates}, false);
    if (delta.valueHeads % delta.keyHeads != 0) {
        config.refuse("linear_num_value_heads", "a multiple of linear_num_key_heads");
    }
    return delta;
}

/// Write strengths and decays of a key head's value heads behind one another, key head by key head.
void setStrengthAndDecay(const std::string& stored, std::uint64_t hidden, LayerNames& names,
                         const DeltaNetSpec& delta) {
    const auto heads = static_cast<std::uint64_t>(delta.valueHeads);
    const std::uint64_t perKey = heads / static_cast<std::uint64_t>(delta.keyHeads);
    const auto rows = [&](std::uint64_t first) {
        return checkpoint::rowRunsOf(
            stored, {2 * heads, hidden},
            {.first = first, .count = heads, .run = perKey, .step = 2 * perKey});
    };
    names.delta.strength.weight = rows(0);
    names.delta.decay.weight = rows(perKey);
}

void makeDelta(const FamilyInput& input, const ModelSpec& spec, LayerSpec& layer,
               const std::string& prefix, const DeltaNetSpec& delta) {
    const std::string at = prefix + "linear_attn.";
    layer.delta = delta;
    LayerNames& names = layer.names;
    names.q = names.k = names.v = {};
    names.qNorm = names.kNorm = {};
    names.o = {at + "out_proj.weight", {}};
    if (delta.packedByKeyHead) {
        names.delta.queryKeyValue.weight = at + "in_proj_qkvz.weight";
        names.delta.strength.weight = at + "in_proj_ba.weight";
    } else {
        names.delta.queryKeyValue.weight = at + "in_proj_qkv.weight";
        names.delta.gate.weight = at + "in_proj_z.weight";
        names.delta.strength.weight = at + "in_proj_b.weight";
        names.delta.decay.weight = at + "in_proj_a.weight";
        if (const std::string both = at + "in_proj_ba.weight"; input.checkpoint.find(both)) {
            setStrengthAndDecay(both, static_cast<std::uint64_t>(spec.hiddenSize), names, delta);
        }
    }
    names.delta.convolution = at + "conv1d.weight";
    names.delta.logDecay = at + (delta.decayRates ? "A" : "A_log");
    names.delta.timeBias = at + "dt_bias";
    names.delta.outputNorm = at + "norm.weight";
}

}  // namespace

void setQwenHybrid(const FamilyInput& input, ModelSpec& spec, DeltaLayout layout) {
    const Config& config = input.config;
    if (readActivation(config) != Activation::Silu) {
        config.refuse("hidden_act", "\"silu\"");  // the convolution's too
    }
    if (!config.flag({"attn_output_gate"}, true)) {
        config.refuse("attn_output_gate", "true");
    }
    const bool bias = config.flag({"attention_bias"}, false);
    setAttentionBias(spec, bias, bias);
    setQkNorm(spec, QkNorm::PerHead);
    const bool zeroCentered = config.flag({kZeroCenteredNorms}, true);
    spec.normKind = zeroCentered ? NormKind::RmsPlusOne : NormKind::RmsFp32;
    const DeltaNetSpec delta = readDelta(config, layout);
    const auto linear = readLinearLayers(config, spec.layers.size());
    for (int i = 0; i < spec.layerCount(); ++i) {
        auto& layer = spec.layers[static_cast<std::size_t>(i)];
        layer.attention.qkNormKind = spec.normKind;
        layer.attention.outputGate = true;
        if (linear[static_cast<std::size_t>(i)]) {
            makeDelta(input, spec, layer, layerPrefix(spec, i), delta);
        }
    }
}

MoeSpec readQwenHybridMoe(const Config& config, const HybridMoeDefaults& defaults) {
    MoeSpec moe;
    moe.experts = config.integer({"num_experts"}, defaults.experts, kCountRange);
    moe.topK = config.integer({"num_experts_per_tok"}, defaults.topK, kCountRange);
    moe.expert.intermediateSize = config.integer({"moe_intermediate_size"}, 512, kSizeRange);
    moe.expert.activation = readActivation(config);
    moe.shared = moe.expert;
    moe.shared->intermediateSize =
        config.integer({"shared_expert_intermediate_size"}, 512, kSizeRange);
    moe.sharedCount = 1;
    moe.sharedGate = true;
    if (config.flag({"norm_topk_prob"}, true)) {
        moe.router.renormalise = Renormalise::Sum;
    }
    return moe;
}

}  // namespace moescope::model
