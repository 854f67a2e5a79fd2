// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checkpoint/gguf_architecture.h"

#include "core/base/error.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

// Settings that llama.cpp has no key for are what its own graph of the architecture does
// (src/models): say, that Qwen2-MoE's weights are not divided by their sum.
namespace moescope::checkpoint {
namespace {

constexpr GgufExpertNames kMixtralNames{
    .router = "block_sparse_moe.gate",
    .expert = "block_sparse_moe.experts",
    .gated = {"w1", "w3", "w2"},
    .selectionBias = "block_sparse_moe.e_score_correction_bias"};

void setFamily(GgufConfig& config, std::string_view modelType, std::string_view architecture) {
    config.set("model_type", modelType);
    config.setArchitecture(architecture);
}

/// Whether query, key and value projections have biases, and the output's.
bool hasBias(const GgufConfig& config) {
    return config.anyLayerHas("attn_q.bias");
}

void setExperts(GgufConfig& config, std::string_view countKey, std::string_view chosenKey) {
    config.set(countKey, config.requireInteger("expert_count"));
    config.set(chosenKey, config.requireInteger("expert_used_count"));
}

/// The router's rule must be the one that the family has.
void requireGating(GgufConfig& config, std::int64_t expected) {
    const auto gating = config.integer("expert_gating_func");
    if (gating && *gating != 0 && *gating != expected) {
        config.refuse("expert_gating_func", fmt::format("{}, this family's", expected));
    }
}
constexpr std::int64_t kSoftmax = 1;
constexpr std::int64_t kSigmoid = 2;

void requireWeightsScale(GgufConfig& config) {
    const double scale = config.number("expert_weights_scale").value_or(1.0);
    if (scale != 1.0 && scale != 0.0) {
        config.refuse("expert_weights_scale", "1, this family's");
    }
}

void describeLlama(GgufConfig& config) {
    const bool mixture = config.integer("expert_count").value_or(0) > 0;
    setFamily(config, mixture ? "mixtral" : "llama",
              mixture ? "MixtralForCausalLM" : "LlamaForCausalLM");
    config.set("intermediate_size",
               mixture ? config.expertWidth() : config.requireInteger("feed_forward_length"));
    if (mixture) {
        setExperts(config, "num_local_experts", "num_experts_per_tok");
        requireGating(config, kSoftmax);
        return;
    }
    config.set("attention_bias", hasBias(config));
    config.set("mlp_bias", config.anyLayerHas("ffn_gate.bias"));
}

/// What the DeepSeek families share.
void setDeepSeekExperts(GgufConfig& config) {
    setExperts(config, "n_routed_experts", "num_experts_per_tok");
    config.set("n_shared_experts", config.integer("expert_shared_count").value_or(0));
    config.set("moe_intermediate_size", config.expertWidth());
    config.set("intermediate_size", config.requireInteger("feed_forward_length"));
    config.set("first_k_dense_replace",
               static_cast<std::int64_t>(config.layersWithout("ffn_gate_inp.weight").size()));
}

void describeDeepSeek(GgufConfig& config) {
    setFamily(config, "deepseek", "DeepseekForCausalLM");
    setDeepSeekExperts(config);
    requireGating(config, kSoftmax);
    requireWeightsScale(config);
    config.set("norm_topk_prob", config.flag("expert_weights_norm").value_or(false));
    config.set("attention_bias", hasBias(config));
}

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

void describeDeepSeek2(GgufConfig& config) {
    const bool sigmoid = config.integer("expert_gating_func").value_or(kSoftmax) == kSigmoid;
    setFamily(config, sigmoid ? "deepseek_v3" : "deepseek_v2",
              sigmoid ? "DeepseekV3ForCausalLM" : "DeepseekV2ForCausalLM");
    requireGating(config, sigmoid ? kSigmoid : kSoftmax);
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

void setQwenExperts(GgufConfig& config) {
    setExperts(config, "num_experts", "num_experts_per_tok");
    requireGating(config, kSoftmax);
    config.set("moe_intermediate_size", config.expertWidth());
    config.set("intermediate_size",
               config.integer("feed_forward_length").value_or(config.expertWidth()));
    config.set("decoder_sparse_step", std::int64_t{1});
    config.set("mlp_only_layers", config.layersWithout("ffn_gate_inp.weight"));
}

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

void describeOlmoe(GgufConfig& config) {
    setFamily(config, "olmoe", "OlmoeForCausalLM");
    setExperts(config, "num_experts", "num_experts_per_tok");
    requireGating(config, kSoftmax);
    config.set("intermediate_size", config.expertWidth());
    config.set("norm_topk_prob", false);
    if (const auto clip = config.number("attention.clamp_kqv"); clip && *clip > 0.0) {
        config.set("clip_qkv", *clip);
    }
}

/// GLM-4.5 and dots.llm1 have DeepSeek-V3's mixture.
void setSigmoidExperts(GgufConfig& config) {
    setDeepSeekExperts(config);
    requireGating(config, kSigmoid);
    config.set("n_group", config.integer("expert_group_count").value_or(1));
    config.set("topk_group", config.integer("expert_group_used_count").value_or(1));
    config.set("routed_scaling_factor", config.number("expert_weights_scale").value_or(1.0));
    config.set("norm_topk_prob", config.flag("expert_weights_norm").value_or(true));
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

void describeErnie(GgufConfig& config) {
    setFamily(config, "ernie4_5_moe", "Ernie4_5_MoeForCausalLM");
    setExperts(config, "moe_num_experts", "moe_k");
    requireGating(config, kSoftmax);
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
    requireGating(config, kSoftmax);
    config.set("intermediate_size", config.expertWidth());
    config.set("moe_intermediate_size", config.expertWidth());
    config.set("num_shared_expert", config.integer("expert_shared_count").value_or(1));
    config.set("attention_bias", hasBias(config));
    config.set("use_qk_norm", config.anyLayerHas("attn_q_norm.weight"));
}

void describeMiniMax(GgufConfig& config) {
    setFamily(config, "minimax_m2", "MiniMaxM2ForCausalLM");
    setExperts(config, "num_local_experts", "num_experts_per_tok");
    requireGating(config, kSigmoid);
    config.set("intermediate_size", config.expertWidth());
    config.set("rotary_dim", config.integer("rope.dimension_count").value_or(config.headDim()));
    config.set("use_qk_norm", config.anyLayerHas("attn_q_norm.weight"));
    config.set("use_routing_bias", config.anyLayerHas("exp_probs_b.bias"));
    config.set("attention_bias", hasBias(config));
}

using Renamed = std::pair<std::string_view, std::string_view>;
constexpr auto kHunyuanNames = std::to_array<Renamed>(
    {{"attn_q_norm", "self_attn.query_layernorm"}, {"attn_k_norm", "self_attn.key_layernorm"}});
constexpr auto kGlmNames =
    std::to_array<Renamed>({{"post_attention_norm", "post_attention_layernorm"}});

/// In the order in which messages list them.
const std::vector<GgufArchitecture>& architectures() {
    static const std::vector<GgufArchitecture> kArchitectures{
        {.name = "llama", .pairedRows = true, .experts = kMixtralNames, .describe = describeLlama},
        {.name = "deepseek", .pairedRows = true, .describe = describeDeepSeek},
        {.name = "deepseek2", .describe = describeDeepSeek2},
        {.name = "qwen2moe",
         .experts = {.shared = "mlp.shared_expert"},
         .describe = describeQwen2Moe},
        {.name = "qwen3moe", .describe = describeQwen3Moe},
        {.name = "olmoe", .describe = describeOlmoe},
        {.name = "glm4moe", .otherNames = kGlmNames, .describe = describeGlm4Moe},
        {.name = "dots1", .describe = describeDots1},
        {.name = "ernie4_5-moe",
         .experts = {.selectionBias = "mlp.moe_statics.e_score_correction_bias"},
         .describe = describeErnie},
        {.name = "hunyuan-moe",
         .experts = {.router = "mlp.gate.wg", .shared = "mlp.shared_mlp"},
         .otherNames = kHunyuanNames,
         .describe = describeHunyuan},
        {.name = "minimax-m2", .experts = kMixtralNames, .describe = describeMiniMax},
    };
    return kArchitectures;
}

}  // namespace

const GgufArchitecture& ggufArchitecture(std::string_view name, std::string_view where) {
    const auto& all = architectures();
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const auto& row) { return row.name == name; });
    if (found == all.end()) {
        std::vector<std::string_view> names;
        for (const auto& row : all) {
            names.push_back(row.name);
        }
        throw Error(ErrorCode::UnknownFamily,
                    fmt::format("{} holds a model of the GGUF architecture \"{}\", which Moescope "
                                "does not know. It knows: {}.",
                                where, name, fmt::join(names, ", ")));
    }
    return *found;
}

}  // namespace moescope::checkpoint
