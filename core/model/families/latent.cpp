// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/families/latent.h"

#include <cmath>

namespace moescope::model {
namespace {

LayerNames latentNames(LayerNames names, const std::string& prefix, const LatentAttention& latent) {
    const std::string attention = prefix + "self_attn.";
    names.k = {};
    names.v = {};
    names.keyValueDown.weight = attention + "kv_a_proj_with_mqa.weight";
    names.keyValueDownNorm = attention + "kv_a_layernorm.weight";
    names.keyValueUp.weight = attention + "kv_b_proj.weight";
    if (latent.queryRank > 0) {
        names.queryDown.weight = attention + "q_a_proj.weight";
        names.queryDownNorm = attention + "q_a_layernorm.weight";
        names.q.weight = attention + "q_b_proj.weight";
    }
    return names;
}

/// Keys and values of each head apart, keys transposed: [heads, rank, plain] and [heads, value,
/// rank], as GGUF files of today have them.
std::vector<TensorRef> partsByHead(const std::string& attention, const LatentAttention& latent,
                                   int heads) {
    const auto size = [](int value) { return static_cast<std::uint64_t>(value); };
    const std::uint64_t plain = size(latent.plainDim);
    const std::uint64_t value = size(latent.valueDim);
    const std::uint64_t rank = size(latent.keyValueRank);
    std::vector<TensorRef> parts;
    for (std::uint64_t head = 0; head < size(heads); ++head) {
        parts.push_back(
            checkpoint::transposedOf(attention + "k_b_proj.weight", {size(heads), rank, plain},
                                     {.first = 0, .count = plain, .run = plain, .step = plain},
                                     {.first = head * rank, .count = rank}));
        parts.push_back(checkpoint::rowsOf(attention + "v_b_proj.weight",
                                           {size(heads), value, rank}, head * value, value));
    }
    return parts;
}

/// YaRN's factor on the scores: the squared magnitude that `mscale_all_dim` asks for.
double yarnScale(const RopeScaling& scaling) {
    if (scaling.kind != RopeScalingKind::Yarn || scaling.mscaleAllDim == 0.0 ||
        scaling.factor <= 1.0) {
        return 1.0;
    }
    const double magnitude = 0.1 * scaling.mscaleAllDim * std::log(scaling.factor) + 1.0;
    return magnitude * magnitude;
}

}  // namespace

LatentAttention readLatent(const Config& config) {
    LatentAttention latent;
    // An explicit null means that queries come from the hidden state.
    latent.queryRank =
        config.isNull("q_lora_rank") ? 0 : config.integer({"q_lora_rank"}, 1536, kCountRange);
    latent.keyValueRank = config.integer({"kv_lora_rank"}, 512, kCountRange);
    latent.plainDim = config.integer({"qk_nope_head_dim"}, 128, kCountRange);
    latent.rotaryDim = config.integer({"qk_rope_head_dim"}, 64, kCountRange);
    latent.valueDim = config.integer({"v_head_dim"}, 128, kCountRange);
    return latent;
}

ModelSpec latentSkeleton(const FamilyInput& input, SkeletonDefaults defaults) {
    const LatentAttention latent = readLatent(input.config);
    defaults.headDim = latent.plainDim + latent.rotaryDim;
    defaults.rotaryDim = latent.rotaryDim;
    ModelSpec spec = llamaSkeleton(input, defaults);
    // Newer configs say the rotated part's dimension, or a head's, once more.
    static_cast<void>(input.config.maybeInteger({"head_dim"}));
    static_cast<void>(input.config.maybeInteger({"qk_head_dim"}));
    const bool interleaved = input.config.flag({"rope_interleave"}, true);
    for (int i = 0; i < spec.layerCount(); ++i) {
        auto& layer = spec.layers[static_cast<std::size_t>(i)];
        layer.attention.latent = latent;
        layer.attention.headsKv = layer.attention.headsQ;
        layer.attention.scale *= yarnScale(layer.attention.rope.scaling);
        layer.attention.rope.style = interleaved ? RopeStyle::Interleaved : RopeStyle::HalfSplit;
        const std::string prefix = layerPrefix(spec, i);
        layer.names = latentNames(std::move(layer.names), prefix, latent);
        if (input.checkpoint.find(prefix + "self_attn.k_b_proj.weight")) {
            layer.names.keyValueUp = {};
            layer.names.keyValueUpParts =
                partsByHead(prefix + "self_attn.", latent, layer.attention.headsQ);
        }
    }
    return spec;
}

void readGroups(const Config& config, MoeSpec& moe, const GroupDefaults& defaults) {
    moe.router.groups = config.integer({"n_group"}, defaults.groups, kCountRange);
    moe.router.keptGroups = config.integer({"topk_group"}, defaults.kept, kCountRange);
    if (moe.router.groups == 1 && moe.router.keptGroups == 1) {
        return;
    }
    if (moe.experts % moe.router.groups != 0 || moe.experts / moe.router.groups < 2) {
        config.refuse("n_group", "a number that divides the experts into groups of two or more");
    }
    const int reachable = moe.experts / moe.router.groups * moe.router.keptGroups;
    if (moe.router.keptGroups > moe.router.groups || reachable < moe.topK) {
        config.refuse("topk_group", "at most n_group, and enough groups for the chosen experts");
    }
}

std::vector<int> deepSeekRoutedLayers(const Config& config, const ModelSpec& spec,
                                      int firstDefault) {
    const int first = config.integer({"first_k_dense_replace"}, firstDefault, {.least = 0});
    const int every = config.integer({"moe_layer_freq"}, 1);
    return layersWhere(spec, [&](int layer) { return layer >= first && layer % every == 0; });
}

}  // namespace moescope::model
