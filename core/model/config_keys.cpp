// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/config_keys.h"

#include "core/base/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace moescope::model {
namespace {

struct Switch {
    std::string_view key;
    /// JSON text of the value that changes nothing, beside null, false, 0, 0.0 and [].
    std::string_view neutral = "null";
};

/// Keys that change the forward pass in at least one family.
constexpr auto kSwitches = std::to_array<Switch>({
    {"alibi"},
    {"attention_bias"},
    {"attention_chunk_size"},
    {"attention_k_eq_v"},
    {"attention_multiplier"},
    {"attn_config"},
    {"attn_logit_softcapping"},
    {"attn_output_gate"},
    {"attn_output_multiplier"},
    {"attn_temperature_tuning"},
    {"clip_qkv"},
    {"compression_config"},
    {"decoder_sparse_step", "1"},
    {"embedding_multiplier", "1.0"},
    {"embedding_multiplier_scale"},
    {"enable_moe_block"},
    {"ffn_config"},
    {"final_logit_softcapping"},
    {"first_k_dense_replace"},
    {"full_attention_interval"},
    {"global_head_dim"},
    {"hidden_size_per_layer_input"},
    {"interleave_moe_layer_step", "1"},
    {"is_encoder_decoder"},
    {"kv_lora_rank"},
    {"layer_types"},
    {"linear_num_value_heads"},
    {"lm_head_bias"},
    {"logit_scale", "1.0"},
    {"logits_scaling", "1.0"},
    {"max_attn_value"},
    {"mlp_bias"},
    {"mlp_only_layers"},
    {"moe_intermediate_size"},
    {"moe_layer_freq", "1"},
    {"moe_num_experts"},
    {"moe_num_shared_experts"},
    {"n_group", "1"},
    {"n_routed_experts"},
    {"n_shared_experts"},
    {"no_rope_layers"},
    {"norm_head"},
    {"norm_one_gate"},
    {"num_experts"},
    {"num_global_key_value_heads"},
    {"num_kv_shared_layers"},
    {"num_local_experts"},
    {"num_shared_experts"},
    {"one_gate"},
    {"output_multiplier_scale"},
    {"partial_rotary_factor", "1.0"},
    {"per_layer_config"},
    {"position_embedding_type", "\"rope\""},
    {"q_lora_rank"},
    {"qk_layernorm"},
    {"qkv_bias"},
    {"quantization_config"},
    {"residual_multiplier", "1.0"},
    {"rope_parameters"},
    {"rope_scaling"},
    {"rotary_dim"},
    {"rotary_pct", "1.0"},
    {"routed_scaling_factor", "1.0"},
    {"score_function", "\"softmax\""},
    {"scoring_func", "\"softmax\""},
    {"shared_expert_intermediate_size"},
    {"shared_intermediate_size"},
    {"single_expert"},
    {"sliding_window"},
    {"swiglu_limit"},
    {"topk_group", "1"},
    {"topk_method", "\"greedy\""},
    {"uniform_expert_assignment"},
    {"use_bias"},
    {"use_bidirectional_attention", "\"vision\""},
    {"use_cla"},
    {"use_double_wide_mlp"},
    {"use_parallel_residual"},
    {"use_qk_norm"},
    {"use_qkv_bias"},
    {"use_sliding_window"},
});

/// Keys of training, generation, storage and book-keeping.
constexpr auto kHarmless = std::to_array<std::string_view>({
    "_attn_implementation",
    "_attn_implementation_autoset",
    "_name_or_path",
    "add_cross_attention",
    "architectures",
    "attention_dropout",
    "attn_pdrop",
    "audio_config",
    "audio_token_id",
    "auto_map",
    "aux_loss_alpha",
    "begin_suppress_tokens",
    "boa_token_id",
    "boi_token_id",
    "boi_token_index",
    "chunk_size_feed_forward",
    "classifier_dropout",
    "decoder_start_token_id",
    "dtype",
    "emb_pdrop",
    "embd_pdrop",
    "embedding_dropout",
    "eoa_token_id",
    "eoa_token_index",
    "eoi_token_id",
    "eoi_token_index",
    "ep_size",
    "id2label",
    "image_token_id",
    "image_token_index",
    "initial_context_length",
    "initializer_range",
    "input_jitter_noise",
    "is_decoder",
    "keys_to_ignore_at_inference",
    "label2id",
    "mamba_ssm_dtype",
    "mask_token_id",
    "max_window_layers",
    "moe_capacity",
    "moe_jitter_eps",
    "moe_loss_weight",
    "model_type",
    "mtp_num_hidden_layers",
    "mtp_transformer_layers",
    "mtp_use_dedicated_embeddings",
    "num_mtp_modules",
    "num_nextn_predict_layers",
    "output_attentions",
    "output_dropout",
    "output_hidden_states",
    "output_router_logits",
    "pad_token_id",
    "pretraining_tp",
    "problem_type",
    "resid_pdrop",
    "return_dict",
    "router_aux_loss_coef",
    "router_jitter_noise",
    "sep_token_id",
    "seq_aux",
    "tokenizer_class",
    "torch_dtype",
    "transformers_version",
    "unsloth_version",
    "use_cache",
    "use_mtp",
    "video_token_id",
    "vision_config",
    "vision_end_token_id",
    "vision_start_token_id",
    "vocab_size_per_layer_input",
});

bool isNeutral(const std::string& value, std::string_view neutral) {
    constexpr auto kAlways = std::to_array<std::string_view>({"null", "false", "0", "0.0", "[]"});
    // JSON writes the same number as 1 and as 1.0.
    const bool asInteger =
        neutral.ends_with(".0") && value == neutral.substr(0, neutral.size() - 2);
    return value == neutral || asInteger ||
           std::find(kAlways.begin(), kAlways.end(), value) != kAlways.end();
}

}  // namespace

std::vector<std::string_view> switchKeys() {
    std::vector<std::string_view> keys;
    keys.reserve(kSwitches.size());
    for (const auto& entry : kSwitches) {
        keys.push_back(entry.key);
    }
    return keys;
}

std::vector<std::string> checkUnreadKeys(const Config& config) {
    std::vector<std::string> unknown;
    for (const auto& key : config.unreadKeys()) {
        const auto* found = std::find_if(kSwitches.begin(), kSwitches.end(),
                                         [&](const auto& entry) { return entry.key == key; });
        if (found != kSwitches.end()) {
            const std::string value = config.valueText(key);
            if (!isNeutral(value, found->neutral)) {
                throw Error(ErrorCode::Unsupported,
                            fmt::format("{}: \"{}\" is {}, which Moescope does not support for "
                                        "models of type \"{}\".",
                                        config.where(), key, value, config.modelType()));
            }
        } else if (std::find(kHarmless.begin(), kHarmless.end(), key) == kHarmless.end()) {
            unknown.push_back(key);
        }
    }
    return unknown;
}

}  // namespace moescope::model
