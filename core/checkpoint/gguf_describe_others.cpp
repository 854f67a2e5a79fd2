// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checkpoint/gguf_describe.h"

namespace moescope::checkpoint {
namespace {

/// A 0 stands for none.
void setWindow(GgufConfig& config) {
    const std::int64_t window = config.integer("attention.sliding_window").value_or(0);
    if (window > 0) {
        config.set("sliding_window", window);
    } else {
        config.setNull("sliding_window");
    }
}

/// What config.json has for a setting that early files leave out.
double numberOr(GgufConfig& config, std::string_view key, double published) {
    return config.number(key).value_or(published);
}

/// What both generations of Ling have.
void setBailingLayers(GgufConfig& config) {
    config.set("moe_intermediate_size", config.expertWidth());
    config.set("intermediate_size", config.requireInteger("feed_forward_length"));
    config.set("first_k_dense_replace",
               static_cast<std::int64_t>(config.layersWithout("ffn_gate_inp.weight").size()));
    const std::int64_t shared = config.integer("expert_shared_count").value_or(0);
    config.set("num_shared_experts", shared);
    const auto width = config.size("ffn_gate_shexp.weight", 0);
    if (width && shared > 0 && *width % shared == 0) {
        config.set("moe_shared_expert_intermediate_size", *width / shared);
    }
    config.set("use_bias", config.anyLayerHas("attn_output.bias"));
    config.set("use_qkv_bias", hasBias(config) || config.anyLayerHas("attn_qkv.bias"));
}

}  // namespace

void describeOlmoe(GgufConfig& config) {
    setFamily(config, "olmoe", "OlmoeForCausalLM");
    setExperts(config, "num_experts", "num_experts_per_tok");
    requireGating(config, GgufGating::Softmax);
    config.set("intermediate_size", config.expertWidth());
    config.set("norm_topk_prob", false);
    if (const auto clip = config.number("attention.clamp_kqv"); clip && *clip > 0.0) {
        config.set("clip_qkv", *clip);
    }
}

void describeErnie(GgufConfig& config) {
    setFamily(config, "ernie4_5_moe", "Ernie4_5_MoeForCausalLM");
    setExperts(config, "moe_num_experts", "moe_k");
    requireGating(config, GgufGating::Softmax);
    config.set("moe_intermediate_size", config.expertWidth());
    config.set("intermediate_size", config.requireInteger("feed_forward_length"));
    config.set("moe_num_shared_experts", config.integer("expert_shared_count").value_or(0));
    config.set("moe_layer_start_index", config.integer("leading_dense_block_count").value_or(0));
    config.set("moe_layer_interval", config.integer("interleave_moe_layer_step").value_or(1));
    config.set("moe_layer_end_index", std::int64_t{-1});
}

void describeHunyuan(GgufConfig& config) {
    setFamily(config, "hunyuan_v1_moe", "HunYuanMoEV1ForCausalLM");
    setExperts(config, "num_experts", "moe_topk");
    requireGating(config, GgufGating::Softmax);
    config.set("intermediate_size", config.expertWidth());
    config.set("moe_intermediate_size", config.expertWidth());
    config.set("num_shared_expert", config.integer("expert_shared_count").value_or(1));
    config.set("attention_bias", hasBias(config));
    config.set("use_qk_norm", config.anyLayerHas("attn_q_norm.weight"));
}

void describeMiniMax(GgufConfig& config) {
    setFamily(config, "minimax_m2", "MiniMaxM2ForCausalLM");
    setExperts(config, "num_local_experts", "num_experts_per_tok");
    requireGating(config, GgufGating::Sigmoid);
    config.set("intermediate_size", config.expertWidth());
    config.set("rotary_dim", config.integer("rope.dimension_count").value_or(config.headDim()));
    config.set("use_qk_norm", config.anyLayerHas("attn_q_norm.weight"));
    config.set("use_routing_bias", config.anyLayerHas("exp_probs_b.bias"));
    config.set("attention_bias", hasBias(config));
}

void describePhiMoe(GgufConfig& config) {
    setFamily(config, "phimoe", "PhiMoEForCausalLM");
    setExperts(config, "num_local_experts", "num_experts_per_tok");
    requireGating(config, GgufGating::Softmax);
    config.set("intermediate_size", config.expertWidth());
    config.set("attention_bias", hasBias(config));
    config.set("lm_head_bias", config.hasTensor("output.bias"));
    setWindow(config);
    // Of sines and cosines. llama.cpp's script writes what a formula gives for these lengths.
    constexpr double kPublishedMultiplier = 1.243163121016122;
    if (config.scalesRope() && config.integer("context_length") == 131072 &&
        config.integer("rope.scaling.original_context_length") == 4096) {
        config.setRope("short_mscale", kPublishedMultiplier);
        config.setRope("long_mscale", kPublishedMultiplier);
    }
}

void describeGptOss(GgufConfig& config) {
    setFamily(config, "gpt_oss", "GptOssForCausalLM");
    setExperts(config, "num_local_experts", "num_experts_per_tok");
    requireGating(config, GgufGating::SoftmaxOfChosen);
    config.set("intermediate_size", config.expertWidth());
    config.set("attention_bias", hasBias(config));
    config.set("sliding_window", config.requireInteger("attention.sliding_window"));
    if (config.text("rope.scaling.type") == "yarn") {
        config.setRope("truncate", false);  // as published; there is no key for it
    }
}

void describeDbrx(GgufConfig& config) {
    setFamily(config, "dbrx", "DbrxForCausalLM");
    requireGating(config, GgufGating::Softmax);
    config.set("rms_norm_eps", numberOr(config, "attention.layer_norm_epsilon", 1e-5));
    config.setIn("attn_config", "kv_n_heads", config.requireInteger("attention.head_count_kv"));
    config.setIn("attn_config", "rope_theta", numberOr(config, "rope.freq_base", 10000.0));
    const auto clip = config.number("attention.clamp_kqv");
    if (clip && *clip > 0.0) {
        config.setIn("attn_config", "clip_qkv", *clip);
    }
    config.setIn("ffn_config", "moe_num_experts", config.requireInteger("expert_count"));
    config.setIn("ffn_config", "moe_top_k", config.requireInteger("expert_used_count"));
    config.setIn("ffn_config", "ffn_hidden_size", config.expertWidth());
    config.setIn("ffn_config", "moe_normalize_expert_weights", std::int64_t{1});
}

/// Grok-1; Grok-2 has settings and tensors that this one has not, and is refused for them.
void describeGrok(GgufConfig& config) {
    setFamily(config, "grok-1", "Grok1ModelForCausalLM");
    setExperts(config, "num_experts", "num_experts_per_tok");
    requireGating(config, GgufGating::Softmax);
    config.set("intermediate_size", config.expertWidth());
    config.set("attn_output_multiplier",
               numberOr(config, "attention.output_scale", 0.08838834764831845));
    config.set("max_attn_value", numberOr(config, "attn_logit_softcapping", 30.0));
    config.set("embedding_multiplier_scale",
               numberOr(config, "embedding_scale", 78.38367176906169));
    config.set("output_multiplier_scale", numberOr(config, "logit_scale", 0.5773502691896257));
    // Written for every model, and used by none of llama.cpp's graphs.
    static_cast<void>(config.number("router_logit_softcapping"));
}

void describeBailing(GgufConfig& config) {
    setFamily(config, "bailing_moe", "BailingMoeForCausalLM");
    setExperts(config, "num_experts", "num_experts_per_tok");
    requireGating(config, GgufGating::Softmax);
    requireWeightsScale(config);
    setBailingLayers(config);
    config.set("norm_topk_prob", config.flag("expert_weights_norm").value_or(false));
    config.set("norm_head", false);  // the file holds the normalised head
}

void describeBailing2(GgufConfig& config) {
    setFamily(config, "bailing_moe_v2", "BailingMoeV2ForCausalLM");
    setExperts(config, "num_experts", "num_experts_per_tok");
    requireGating(config, GgufGating::Sigmoid);
    setBailingLayers(config);
    config.set("moe_router_enable_expert_bias", config.anyLayerHas("exp_probs_b.bias"));
    config.set("n_group", config.requireInteger("expert_group_count"));
    config.set("topk_group", config.requireInteger("expert_group_used_count"));
    config.set("routed_scaling_factor", numberOr(config, "expert_weights_scale", 1.0));
    config.set("norm_topk_prob", config.flag("expert_weights_norm").value_or(false));
    config.set("use_qk_norm", config.anyLayerHas("attn_q_norm.weight"));
    config.set("rotary_dim", config.integer("rope.dimension_count").value_or(config.headDim()));
}

}  // namespace moescope::checkpoint
