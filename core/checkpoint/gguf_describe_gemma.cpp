// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checkpoint/gguf_describe.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace moescope::checkpoint {
namespace {

/// What is one number for layers with a window and another for the rest.
struct ByKind {
    std::int64_t sliding = 0, full = 0;
};

ByKind byKind(GgufConfig& config, std::string_view key, const std::vector<bool>& sliding) {
    const auto values = config.perLayer(key);
    std::optional<std::int64_t> windowed;
    std::optional<std::int64_t> whole;
    for (std::size_t i = 0; i < sliding.size(); ++i) {
        auto& seen = sliding[i] ? windowed : whole;
        if (seen.value_or(values[i]) != values[i]) {
            config.refuse(key, "one value for all layers with a window and one for all without");
        }
        seen = values[i];
    }
    const std::int64_t one = windowed ? *windowed : *whole;
    return {.sliding = one, .full = whole.value_or(one)};
}

std::vector<bool> setLayerTypes(GgufConfig& config) {
    std::vector<bool> sliding;
    std::vector<std::string> types;
    for (const std::int64_t value : config.perLayer("attention.sliding_window_pattern")) {
        sliding.push_back(value != 0);
        types.emplace_back(value != 0 ? "sliding_attention" : "full_attention");
    }
    config.set("layer_types", types);
    return sliding;
}

/// "Proportional" RoPE of the layers without a window: pairs that stand still have a divisor of
/// 1e30, all others of 1.
double turningShare(GgufConfig& config) {
    constexpr double kStandsStill = 1e20;
    const std::vector<double> divisors = config.takeRopeDivisors();
    const auto turning = std::count(divisors.begin(), divisors.end(), 1.0);
    const auto still = std::count_if(divisors.begin(), divisors.end(),
                                     [](double divisor) { return divisor > kStandsStill; });
    const auto pairs = static_cast<std::ptrdiff_t>(divisors.size());
    if (turning == 0 || turning + still != pairs ||
        2 * pairs != config.requireInteger("attention.key_length")) {
        config.refuse("attention.key_length",
                      "twice as many as \"rope_freqs.weight\" has divisors of 1 and 1e30");
    }
    return static_cast<double>(turning) / static_cast<double>(pairs);
}

void setRope(GgufConfig& config) {
    const double theta = config.number("rope.freq_base").value_or(1e6);
    config.remove("rope_theta");
    config.setRopeOf("sliding_attention", "default",
                     config.number("rope.freq_base_swa").value_or(10000.0), std::nullopt);
    config.setRopeOf("full_attention", "proportional", theta, turningShare(config));
    const std::int64_t head = config.requireInteger("attention.key_length_swa");
    for (const std::string_view key : {"rope.dimension_count_swa", "attention.value_length_swa"}) {
        if (config.integer(key).value_or(head) != head) {
            config.refuse(key, "the same as \"attention.key_length_swa\"");
        }
    }
}

}  // namespace

void describeGemma4(GgufConfig& config) {
    setFamily(config, "gemma4_text", "Gemma4ForCausalLM");
    const bool mixture = config.anyLayerHas("ffn_gate_inp.weight");
    config.set("enable_moe_block", mixture);
    if (mixture) {
        setExperts(config, "num_experts", "top_k_experts");
        config.set("moe_intermediate_size", config.expertWidth());
    }
    config.set("intermediate_size", config.requireInteger("feed_forward_length"));
    config.set("hidden_size_per_layer_input",
               config.integer("embedding_length_per_layer_input").value_or(0));
    config.set("num_kv_shared_layers", config.integer("attention.shared_kv_layers").value_or(0));
    if (const auto cap = config.number("final_logit_softcapping"); cap && *cap > 0.0) {
        config.set("final_logit_softcapping", *cap);
    }
    const auto sliding = setLayerTypes(config);
    config.set("sliding_window", config.requireInteger("attention.sliding_window"));
    config.set("head_dim", config.requireInteger("attention.key_length_swa"));
    config.set("global_head_dim", config.requireInteger("attention.key_length"));
    const ByKind heads = byKind(config, "attention.head_count_kv", sliding);
    config.set("num_key_value_heads", heads.sliding);
    config.set("num_global_key_value_heads", heads.full);
    config.set("attention_k_eq_v", !config.layersWithout("attn_v.weight").empty());
    config.set("attention_bias", hasBias(config));
    setRope(config);
}

}  // namespace moescope::checkpoint
