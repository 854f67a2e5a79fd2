// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checkpoint/gguf_describe.h"

namespace moescope::checkpoint {
namespace {

void setQwenExperts(GgufConfig& config) {
    setExperts(config, "num_experts", "num_experts_per_tok");
    requireGating(config, GgufGating::Softmax);
    config.set("moe_intermediate_size", config.expertWidth());
    config.set("intermediate_size",
               config.integer("feed_forward_length").value_or(config.expertWidth()));
    config.set("decoder_sparse_step", std::int64_t{1});
    config.set("mlp_only_layers", config.layersWithout("ffn_gate_inp.weight"));
}

/// Layers of gated DeltaNet. Norms are stored as 1 + weight, rates of decay in place of their
/// logarithms.
void setHybrid(GgufConfig& config) {
    const std::int64_t heads = config.requireInteger("ssm.time_step_rank");
    const std::int64_t width = config.requireInteger("ssm.inner_size");
    if (heads < 1 || width % heads != 0) {
        config.refuse("ssm.time_step_rank", "a divisor of \"ssm.inner_size\"");
    }
    config.set("linear_num_value_heads", heads);
    config.set("linear_value_head_dim", width / heads);
    config.set("linear_num_key_heads", config.requireInteger("ssm.group_count"));
    config.set("linear_key_head_dim", config.requireInteger("ssm.state_size"));
    config.set("linear_conv_kernel_dim", config.requireInteger("ssm.conv_kernel"));
    config.set("full_attention_interval", config.integer("full_attention_interval").value_or(4));
    config.set("linear_decay_rates", true);
    config.set("zero_centered_norms", false);
    config.set("attention_bias", hasBias(config));
    config.set("rotary_dim", config.integer("rope.dimension_count").value_or(config.headDim() / 4));
    if (const auto shared = config.size("ffn_gate_shexp.weight", 0)) {
        config.set("shared_expert_intermediate_size", *shared);
    }
}

}  // namespace

void describeQwen2Moe(GgufConfig& config) {
    setFamily(config, "qwen2_moe", "Qwen2MoeForCausalLM");
    setQwenExperts(config);
    config.set("norm_topk_prob", false);
    config.set("qkv_bias", hasBias(config));
    if (const auto width = config.size("ffn_gate_shexp.weight", 0)) {
        config.set("shared_expert_intermediate_size", *width);
    }
}

void describeQwen3Moe(GgufConfig& config) {
    setFamily(config, "qwen3_moe", "Qwen3MoeForCausalLM");
    setQwenExperts(config);
    config.set("norm_topk_prob", true);
    config.set("attention_bias", hasBias(config));
}

void describeQwen3Next(GgufConfig& config) {
    setFamily(config, "qwen3_next", "Qwen3NextForCausalLM");
    setQwenExperts(config);
    setHybrid(config);
    config.set("norm_topk_prob", true);
}

/// Value heads are in another order than published, so that key heads repeat as a whole.
void describeQwen35Moe(GgufConfig& config) {
    setFamily(config, "qwen3_5_moe_text", "Qwen3_5MoeForCausalLM");
    setExperts(config, "num_experts", "num_experts_per_tok");
    requireGating(config, GgufGating::Softmax);
    config.set("moe_intermediate_size", config.expertWidth());
    setHybrid(config);
    config.set("linear_tiled_key_heads", true);
}

}  // namespace moescope::checkpoint
