// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checkpoint/gguf_architecture.h"

#include "core/base/error.h"
#include "core/checkpoint/gguf_describe.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

namespace moescope::checkpoint {
namespace {

constexpr GgufExpertNames kMixtralNames{
    .router = "block_sparse_moe.gate",
    .expert = "block_sparse_moe.experts",
    .gated = {"w1", "w3", "w2"},
    .selectionBias = "block_sparse_moe.e_score_correction_bias"};

constexpr GgufExpertNames kBailingNames{.selectionBias = "mlp.gate.expert_bias"};

constexpr GgufExpertNames kGrokNames{.router = "moe_block.gate",
                                     .expert = "moe_block.experts",
                                     .gated = {"linear", "linear_v", "linear_1"}};

constexpr GgufExpertNames kGraniteNames{.router = "block_sparse_moe.router.layer",
                                        .expert = "block_sparse_moe.experts",
                                        .shared = "shared_mlp"};

constexpr GgufExpertNames kLlama4Names{.router = "feed_forward.router",
                                       .expert = "feed_forward.experts",
                                       .shared = "feed_forward.shared_expert"};

constexpr GgufExpertNames kQwenNames{.shared = "mlp.shared_expert"};

using Renamed = std::pair<std::string_view, std::string_view>;
constexpr auto kHunyuanOthers = std::to_array<Renamed>(
    {{"attn_q_norm", "self_attn.query_layernorm"}, {"attn_k_norm", "self_attn.key_layernorm"}});
/// The norm behind attention is the feed-forward's.
constexpr auto kPostAttentionNorm =
    std::to_array<Renamed>({{"post_attention_norm", "post_attention_layernorm"}});
constexpr auto kGptOssOthers =
    std::to_array<Renamed>({{"post_attention_norm", "post_attention_layernorm"},
                            {"attn_sinks.weight", "self_attn.sinks"}});
constexpr auto kDbrxOthers =
    std::to_array<Renamed>({{"token_embd", "transformer.wte"},
                            {"output_norm", "transformer.norm_f"},
                            {"attn_norm", "norm_attn_norm.norm_1"},
                            {"attn_output_norm", "norm_attn_norm.norm_2"},
                            {"attn_qkv", "norm_attn_norm.attn.Wqkv"},
                            {"attn_output", "norm_attn_norm.attn.out_proj"}});
constexpr auto kGrokOthers =
    std::to_array<Renamed>({{"output_norm.weight", "model.norm.scale"},
                            {"attn_norm.weight", "pre_attn_norm.scale"},
                            {"attn_output_norm.weight", "post_attn_norm.scale"},
                            {"ffn_norm.weight", "pre_moe_norm.scale"},
                            {"layer_output_norm.weight", "post_moe_norm.scale"},
                            {"post_ffw_norm.weight", "post_moe_norm.scale"},
                            {"attn_q", "attn.q_proj"},
                            {"attn_k", "attn.k_proj"},
                            {"attn_v", "attn.v_proj"},
                            {"attn_output", "attn.o_proj"}});
constexpr auto kBailingOthers =
    std::to_array<Renamed>({{"token_embd", "model.word_embeddings"},
                            {"attn_qkv", "attention.query_key_value"},
                            {"attn_output", "attention.dense"},
                            {"attn_q_norm", "attention.query_layernorm"},
                            {"attn_k_norm", "attention.key_layernorm"}});
constexpr auto kLlama4Others = std::to_array<Renamed>({{"ffn_gate", "feed_forward.gate_proj"},
                                                       {"ffn_up", "feed_forward.up_proj"},
                                                       {"ffn_down", "feed_forward.down_proj"}});
constexpr auto kGemmaOthers =
    std::to_array<Renamed>({{"post_attention_norm", "post_attention_layernorm"},
                            {"ffn_norm", "pre_feedforward_layernorm"},
                            {"post_ffw_norm", "post_feedforward_layernorm"},
                            {"post_ffw_norm_1", "post_feedforward_layernorm_1"},
                            {"pre_ffw_norm_2", "pre_feedforward_layernorm_2"},
                            {"post_ffw_norm_2", "post_feedforward_layernorm_2"},
                            {"layer_output_scale.weight", "layer_scalar"},
                            {"ffn_gate_inp.scale", "router.scale"},
                            {"ffn_down_exps.scale", "router.per_expert_scale"}});
constexpr auto kHybridOthers =
    std::to_array<Renamed>({{"post_attention_norm", "post_attention_layernorm"},
                            {"attn_qkv", "linear_attn.in_proj_qkv"},
                            {"attn_gate", "linear_attn.in_proj_z"},
                            {"ssm_in", "linear_attn.in_proj_qkvz"},
                            {"ssm_ba", "linear_attn.in_proj_ba"},
                            {"ssm_beta", "linear_attn.in_proj_b"},
                            {"ssm_alpha", "linear_attn.in_proj_a"},
                            {"ssm_conv1d", "linear_attn.conv1d"},
                            {"ssm_dt.bias", "linear_attn.dt_bias"},
                            {"ssm_a", "linear_attn.A"},
                            {"ssm_norm", "linear_attn.norm"},
                            {"ssm_out", "linear_attn.out_proj"}});

/// In the order in which messages list them.
const std::vector<GgufArchitecture>& architectures() {
    static const std::vector<GgufArchitecture> kArchitectures{
        {.name = "llama", .pairedRows = true, .experts = kMixtralNames, .describe = describeLlama},
        {.name = "deepseek", .pairedRows = true, .describe = describeDeepSeek},
        {.name = "deepseek2", .describe = describeDeepSeek2},
        {.name = "qwen2moe", .experts = kQwenNames, .describe = describeQwen2Moe},
        {.name = "qwen3moe", .describe = describeQwen3Moe},
        {.name = "olmoe", .describe = describeOlmoe},
        {.name = "glm4moe", .otherNames = kPostAttentionNorm, .describe = describeGlm4Moe},
        {.name = "dots1", .describe = describeDots1},
        {.name = "ernie4_5-moe",
         .experts = {.selectionBias = "mlp.moe_statics.e_score_correction_bias"},
         .describe = describeErnie},
        {.name = "hunyuan-moe",
         .experts = {.router = "mlp.gate.wg", .shared = "mlp.shared_mlp"},
         .otherNames = kHunyuanOthers,
         .describe = describeHunyuan},
        {.name = "minimax-m2", .experts = kMixtralNames, .describe = describeMiniMax},
        {.name = "gpt-oss",
         .experts = {.router = "mlp.router"},
         .otherNames = kGptOssOthers,
         .describe = describeGptOss},
        {.name = "granitemoe",
         .pairedRows = true,
         .experts = kGraniteNames,
         .describe = describeGraniteMoe},
        {.name = "phimoe", .experts = kMixtralNames, .describe = describePhiMoe},
        {.name = "dbrx",
         .experts = {.router = "ffn.router.layer", .expert = "ffn.experts"},
         .layers = "transformer.blocks.",
         .otherNames = kDbrxOthers,
         .describe = describeDbrx},
        {.name = "grok",
         .experts = kGrokNames,
         .otherNames = kGrokOthers,
         .describe = describeGrok},
        {.name = "bailingmoe",
         .pairedRows = true,
         .experts = kBailingNames,
         .otherNames = kBailingOthers,
         .describe = describeBailing},
        {.name = "bailingmoe2",
         .experts = kBailingNames,
         .otherNames = kBailingOthers,
         .describe = describeBailing2},
        {.name = "llama4",
         .experts = kLlama4Names,
         .otherNames = kLlama4Others,
         .describe = describeLlama4},
        {.name = "qwen3next",
         .experts = kQwenNames,
         .otherNames = kHybridOthers,
         .describe = describeQwen3Next},
        {.name = "qwen35moe",
         .experts = kQwenNames,
         .otherNames = kHybridOthers,
         .describe = describeQwen35Moe},
        {.name = "gemma4",
         .layersDiffer = true,
         .experts = {.router = "router.proj", .expert = "experts"},
         .otherNames = kGemmaOthers,
         .describe = describeGemma4},
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
        names.reserve(all.size());
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
