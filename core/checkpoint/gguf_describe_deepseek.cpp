// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checkpoint/gguf_describe.h"

#include <fmt/format.h>

#include <string>
#include <utility>

namespace moescope::checkpoint {
namespace {

/// Early files have no groups. Only one published model of each of these shapes exists, and it has
/// these (config.json of DeepSeek-V3 and DeepSeek-V2).
std::pair<std::int64_t, std::int64_t> publishedGroups(std::int64_t experts) {
    if (experts == 256) {
        return {8, 4};
    }
    return experts == 160 ? std::pair<std::int64_t, std::int64_t>{8, 3}
                          : std::pair<std::int64_t, std::int64_t>{1, 1};
}

void setLatent(GgufConfig& config) {
    const std::int64_t rotary = config.requireInteger("rope.dimension_count");
    // Newer files give the widths of the compressed form under the old keys.
    const auto key = config.integer("attention.key_length_mla");
    const auto value = config.integer("attention.value_length_mla");
    const std::int64_t head = key ? *key : config.requireInteger("attention.key_length");
    if (head <= rotary) {
        config.refuse(key ? "attention.key_length_mla" : "attention.key_length",
                      "more than \"rope.dimension_count\"");
    }
    config.set("qk_rope_head_dim", rotary);
    config.set("qk_nope_head_dim", head - rotary);
    config.set("v_head_dim", value ? *value : config.requireInteger("attention.value_length"));
    config.set("kv_lora_rank", config.requireInteger("attention.kv_lora_rank"));
    config.set("head_dim", head);
    config.set("num_key_value_heads", config.requireInteger("attention.head_count"));
    if (const auto rank = config.integer("attention.q_lora_rank")) {
        config.set("q_lora_rank", *rank);
    } else {
        config.setNull("q_lora_rank");
    }
}

/// GLM-4.5 and dots.llm1 have DeepSeek-V3's mixture.
void setSigmoidExperts(GgufConfig& config) {
    setDeepSeekExperts(config);
    requireGating(config, GgufGating::Sigmoid);
    config.set("n_group", config.integer("expert_group_count").value_or(1));
    config.set("topk_group", config.integer("expert_group_used_count").value_or(1));
    config.set("routed_scaling_factor", config.number("expert_weights_scale").value_or(1.0));
    config.set("norm_topk_prob", config.flag("expert_weights_norm").value_or(true));
}

}  // namespace

void describeDeepSeek(GgufConfig& config) {
    setFamily(config, "deepseek", "DeepseekForCausalLM");
    setDeepSeekExperts(config);
    requireGating(config, GgufGating::Softmax);
    requireWeightsScale(config);
    config.set("norm_topk_prob", config.flag("expert_weights_norm").value_or(false));
    config.set("attention_bias", hasBias(config));
}

void describeDeepSeek2(GgufConfig& config) {
    const bool sigmoid =
        config.integer("expert_gating_func") == static_cast<std::int64_t>(GgufGating::Sigmoid);
    setFamily(config, sigmoid ? "deepseek_v3" : "deepseek_v2",
              sigmoid ? "DeepseekV3ForCausalLM" : "DeepseekV2ForCausalLM");
    requireGating(config, sigmoid ? GgufGating::Sigmoid : GgufGating::Softmax);
    setDeepSeekExperts(config);
    setLatent(config);
    const auto published = publishedGroups(config.requireInteger("expert_count"));
    const std::int64_t groups = config.integer("expert_group_count").value_or(published.first);
    config.set("n_group", groups);
    config.set("topk_group", config.integer("expert_group_used_count").value_or(published.second));
    if (!sigmoid) {
        config.set("topk_method", groups > 1 ? "group_limited_greedy" : "greedy");
    }
    config.set("routed_scaling_factor", config.number("expert_weights_scale").value_or(1.0));
    config.set("norm_topk_prob", config.flag("expert_weights_norm").value_or(false));
    if (const auto multiplier = config.number("rope.scaling.yarn_log_multiplier")) {
        // 0.1 times mscale_all_dim, which all published models have equal to mscale.
        const double magnitude = std::stod(fmt::format("{:.6g}", *multiplier * 10.0));
        config.setRope("mscale", magnitude);
        config.setRope("mscale_all_dim", magnitude);
    }
}

void describeGlm4Moe(GgufConfig& config) {
    setFamily(config, "glm4_moe", "Glm4MoeForCausalLM");
    setSigmoidExperts(config);
    config.set("attention_bias", hasBias(config));
    config.set("use_qk_norm", config.anyLayerHas("attn_q_norm.weight"));
    config.set("rotary_dim", config.integer("rope.dimension_count").value_or(config.headDim() / 2));
}

void describeDots1(GgufConfig& config) {
    setFamily(config, "dots1", "Dots1ForCausalLM");
    setSigmoidExperts(config);
    config.set("attention_bias", hasBias(config));
}

}  // namespace moescope::checkpoint
