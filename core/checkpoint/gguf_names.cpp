// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checkpoint/gguf_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

// Names: gguf-py's constants.py (MODEL_TENSOR) and tensor_mapping.py.
namespace moescope::checkpoint {
namespace {

using Pair = std::pair<std::string_view, std::string_view>;

constexpr auto kOutside = std::to_array<Pair>(
    {{"token_embd", "model.embed_tokens"}, {"output_norm", "model.norm"}, {"output", "lm_head"}});

/// Below "blk.N." and "model.layers.N.".
constexpr auto kInLayer = std::to_array<Pair>({{"attn_norm", "input_layernorm"},
                                               {"ffn_norm", "post_attention_layernorm"},
                                               {"attn_q", "self_attn.q_proj"},
                                               {"attn_k", "self_attn.k_proj"},
                                               {"attn_v", "self_attn.v_proj"},
                                               {"attn_output", "self_attn.o_proj"},
                                               {"attn_q_norm", "self_attn.q_norm"},
                                               {"attn_k_norm", "self_attn.k_norm"},
                                               {"attn_q_a", "self_attn.q_a_proj"},
                                               {"attn_q_a_norm", "self_attn.q_a_layernorm"},
                                               {"attn_q_b", "self_attn.q_b_proj"},
                                               {"attn_kv_a_mqa", "self_attn.kv_a_proj_with_mqa"},
                                               {"attn_kv_a_norm", "self_attn.kv_a_layernorm"},
                                               {"attn_kv_b", "self_attn.kv_b_proj"},
                                               {"attn_k_b", "self_attn.k_b_proj"},
                                               {"attn_v_b", "self_attn.v_b_proj"},
                                               {"ffn_gate", "mlp.gate_proj"},
                                               {"ffn_up", "mlp.up_proj"},
                                               {"ffn_down", "mlp.down_proj"},
                                               {"ffn_gate_inp_shexp", "mlp.shared_expert_gate"}});

constexpr auto kGated = std::to_array<std::string_view>({"ffn_gate", "ffn_up", "ffn_down"});

std::optional<std::string_view> find(std::span<const Pair> table, std::string_view name) {
    const auto found = std::find_if(table.begin(), table.end(),
                                    [&](const Pair& pair) { return pair.first == name; });
    return found != table.end() ? std::optional(found->second) : std::nullopt;
}

/// "attn_q.weight" -> ("attn_q", ".weight").
std::pair<std::string_view, std::string_view> splitSuffix(std::string_view name) {
    for (const std::string_view suffix : {".weight", ".bias"}) {
        if (name.ends_with(suffix)) {
            name.remove_suffix(suffix.size());
            return {name, suffix};
        }
    }
    return {name, ""};
}

std::optional<std::uint32_t> number(std::string_view text) {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = error == std::errc() && end == text.data() + text.size();
    return whole ? std::optional(value) : std::nullopt;
}

std::string stackedName(const GgufExpertNames& names, std::size_t role, std::string_view suffix) {
    return fmt::format("{}.{{}}.{}{}", names.expert, names.gated[role], suffix);
}

/// Routed experts stacked ("ffn_gate_exps") or, in early files, one by one ("ffn_gate.3"), and the
/// shared experts.
std::optional<GgufName> expertName(std::string_view stem, std::string_view suffix,
                                   const GgufExpertNames& names) {
    if (stem == "ffn_gate_up_exps") {
        return GgufName{.name = stackedName(names, 0, suffix),
                        .stacked = true,
                        .upper = stackedName(names, 1, suffix)};
    }
    for (std::size_t role = 0; role < kGated.size(); ++role) {
        if (!stem.starts_with(kGated[role])) {
            continue;
        }
        const std::string_view rest = stem.substr(kGated[role].size());
        if (rest == "_exps") {
            return GgufName{.name = stackedName(names, role, suffix), .stacked = true};
        }
        if (rest == "_shexp") {
            constexpr auto kHub =
                std::to_array<std::string_view>({"gate_proj", "up_proj", "down_proj"});
            return GgufName{.name = fmt::format("{}.{}{}", names.shared, kHub[role], suffix)};
        }
        if (const auto expert = rest.starts_with('.') ? number(rest.substr(1)) : std::nullopt) {
            return GgufName{.name = fmt::format("{}.{}.{}{}", names.expert, *expert,
                                                names.gated[role], suffix)};
        }
    }
    return std::nullopt;
}

/// The architecture's own name for a tensor, else the usual one.
std::optional<std::string> plainName(std::string_view name, std::span<const Pair> usual,
                                     const GgufArchitecture& architecture) {
    if (const auto whole = find(architecture.otherNames, name)) {
        return std::string(*whole);
    }
    const auto [stem, suffix] = splitSuffix(name);
    auto hub = find(architecture.otherNames, stem);
    if (!hub) {
        hub = find(usual, stem);
    }
    return hub ? std::optional(fmt::format("{}{}", *hub, suffix)) : std::nullopt;
}

std::optional<GgufName> layerName(std::string_view rest, const GgufArchitecture& architecture) {
    const auto [stem, suffix] = splitSuffix(rest);
    if (stem == "ffn_gate_inp") {
        return GgufName{.name = fmt::format("{}{}", architecture.experts.router, suffix)};
    }
    if (stem == "exp_probs_b") {
        return GgufName{.name = std::string(architecture.experts.selectionBias)};
    }
    if (auto expert = expertName(stem, suffix, architecture.experts)) {
        return expert;
    }
    auto hub = plainName(rest, kInLayer, architecture);
    if (!hub) {
        return std::nullopt;
    }
    return GgufName{.name = std::move(*hub),
                    .query = stem == "attn_q",
                    .key = stem == "attn_k",
                    .row = stem == "ffn_gate_inp_shexp",
                    .perChannel = stem == "ssm_conv1d"};
}

}  // namespace

std::optional<GgufName> hubName(std::string_view ggufName, const GgufArchitecture& architecture) {
    constexpr std::string_view kLayer = "blk.";
    if (ggufName.starts_with("rope_f")) {
        return GgufName{};  // rope_freqs, rope_factors_long, rope_factors_short
    }
    if (!ggufName.starts_with(kLayer)) {
        auto hub = plainName(ggufName, kOutside, architecture);
        return hub ? std::optional(GgufName{.name = std::move(*hub)}) : std::nullopt;
    }
    const std::string_view rest = ggufName.substr(kLayer.size());
    const auto dot = rest.find('.');
    const auto layer = dot != std::string_view::npos ? number(rest.substr(0, dot)) : std::nullopt;
    if (!layer) {
        return std::nullopt;
    }
    auto name = layerName(rest.substr(dot + 1), architecture);
    if (!name) {
        // Stands among the layer's tensors, where whoever does not know it will say so.
        name = GgufName{.name = std::string(rest.substr(dot + 1))};
    }
    const std::string prefix = fmt::format("{}{}.", architecture.layers, *layer);
    name->name.insert(0, prefix);
    if (!name->upper.empty()) {
        name->upper.insert(0, prefix);
    }
    return name;
}

}  // namespace moescope::checkpoint
