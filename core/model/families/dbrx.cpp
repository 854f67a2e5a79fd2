// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/config_keys.h"
#include "core/model/families/family.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

// DBRX. Sources: databricks/dbrx modeling_dbrx.py and configuration_dbrx.py; transformers
// models/dbrx.
namespace moescope::model {
namespace {

bool recognises(const Config& config) {
    return config.modelType() == "dbrx";
}

std::unique_ptr<Config> requireSection(const Config& config, std::string_view key) {
    auto section = config.section(key);
    if (!section) {
        config.refuse(key, "an object");
    }
    return section;
}

Activation readSectionActivation(const Config& ffn) {
    const auto function = ffn.section("ffn_act_fn");
    if (function && function->text({"name"}, "silu") != "silu") {
        function->refuse("name", "\"silu\"");
    }
    return Activation::Silu;
}

MoeSpec readMoe(const Config& ffn) {
    MoeSpec moe;
    moe.experts = ffn.integer({"moe_num_experts"}, 4, kCountRange);
    moe.topK = ffn.integer({"moe_top_k"}, 1, kCountRange);
    moe.expert.intermediateSize = ffn.integer({"ffn_hidden_size"}, 3584, kSizeRange);
    moe.expert.activation = readSectionActivation(ffn);
    // The order of the norm that the weights are divided by; null: they are not.
    if (!ffn.isNull("moe_normalize_expert_weights")) {
        if (ffn.number({"moe_normalize_expert_weights"}, 1.0) != 1.0) {
            ffn.refuse("moe_normalize_expert_weights", "1 or null");
        }
        moe.router.renormalise = Renormalise::Sum;
    }
    return moe;
}

/// The block's names, and clipping.
void setBlocks(ModelSpec& spec, const Config& attn) {
    const double clip = attn.has("clip_qkv") ? attn.positive({"clip_qkv"}, 0.0) : 0.0;
    for (int i = 0; i < spec.layerCount(); ++i) {
        auto& layer = spec.layers[static_cast<std::size_t>(i)];
        const std::string prefix = layerPrefix(spec, i) + "norm_attn_norm.";
        layer.names.attentionNorm = prefix + "norm_1.weight";
        layer.names.feedForwardNorm = prefix + "norm_2.weight";
        layer.names.o.weight = prefix + "attn.out_proj.weight";
        layer.attention.clipQkv = clip > 0.0 ? std::optional(clip) : std::nullopt;
    }
    setFusedQkv(spec, "norm_attn_norm.attn.Wqkv", false);
}

ModelSpec describe(const FamilyInput& input) {
    const auto attn = requireSection(input.config, "attn_config");
    const auto ffn = requireSection(input.config, "ffn_config");
    ModelSpec spec = llamaSkeleton(input, {.vocabSize = 32000,
                                           .hiddenSize = 2048,
                                           .layers = 24,
                                           .headsQ = 16,
                                           .headsKv = attn->integer({"kv_n_heads"}, 1, kCountRange),
                                           .maxPositions = 2048,
                                           .ropeTheta = attn->positive({"rope_theta"}, 10000.0)});
    spec.normKind = NormKind::LayerNorm;
    spec.layersPrefix = "transformer.blocks.";
    spec.embeddingName = "transformer.wte.weight";
    spec.finalNormName = "transformer.norm_f.weight";
    setBlocks(spec, *attn);
    setRouted(input, spec, allLayers(spec), readMoe(*ffn),
              {.router = "ffn.router.layer",
               .expert = "ffn.experts.{}",
               .fused = FusedNames{.gateUp = "ffn.experts.mlp.w1",
                                   .down = "ffn.experts.mlp.w2",
                                   .up = "ffn.experts.mlp.v1",
                                   .layout = FusedLayout::Flat}});
    for (const Config* section : {attn.get(), ffn.get()}) {
        if (const auto unknown = checkUnreadKeys(*section); !unknown.empty()) {
            spec.notes.push_back(fmt::format("{}: keys without a known meaning: {}",
                                             section->where(), fmt::join(unknown, ", ")));
        }
    }
    return spec;
}

}  // namespace

const Family kDbrx{"dbrx", "DBRX", recognises, describe};

}  // namespace moescope::model
