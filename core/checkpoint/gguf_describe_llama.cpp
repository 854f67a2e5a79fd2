// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checkpoint/gguf_describe.h"

#include <cmath>
#include <optional>

namespace moescope::checkpoint {
namespace {

/// The architecture has no key for a window, and llama.cpp runs without one. Mistral 7B v0.1 and
/// its descendants have one of 4096; no other published model has these numbers.
bool isMistralWithWindow(GgufConfig& config) {
    return config.requireInteger("block_count") == 32 &&
           config.requireInteger("feed_forward_length") == 14336 &&
           config.integer("attention.head_count_kv") == 8 &&
           config.integer("context_length") == 32768 &&
           config.number("rope.freq_base").value_or(10000.0) == 10000.0;
}

std::optional<std::int64_t> window(GgufConfig& config) {
    const auto written = config.integer("attention.sliding_window");
    if (written && *written > 0) {
        return written;
    }
    return isMistralWithWindow(config) ? std::optional<std::int64_t>(4096) : std::nullopt;
}

void describeMixtral(GgufConfig& config) {
    setFamily(config, "mixtral", "MixtralForCausalLM");
    config.set("intermediate_size", config.expertWidth());
    setExperts(config, "num_local_experts", "num_experts_per_tok");
    requireGating(config, GgufGating::Softmax);
    if (const auto length = config.integer("attention.sliding_window"); length.value_or(0) > 0) {
        config.set("sliding_window", *length);
    }
}

/// A setting that Granite calls a multiplier.
void setMultiplier(GgufConfig& config, std::string_view key, std::string_view name, double absent) {
    const double value = config.number(key).value_or(0.0);
    config.set(name, value == 0.0 ? absent : value);
}

}  // namespace

void describeLlama(GgufConfig& config) {
    if (config.integer("expert_count").value_or(0) > 0) {
        describeMixtral(config);
        return;
    }
    const auto length = window(config);
    setFamily(config, length ? "mistral" : "llama",
              length ? "MistralForCausalLM" : "LlamaForCausalLM");
    if (length) {
        config.set("sliding_window", *length);
    }
    config.set("intermediate_size", config.requireInteger("feed_forward_length"));
    config.set("attention_bias", hasBias(config));
    config.set("mlp_bias", config.anyLayerHas("ffn_gate.bias"));
}

void describeGraniteMoe(GgufConfig& config) {
    const std::int64_t shared = config.integer("expert_shared_feed_forward_length").value_or(0);
    setFamily(config, shared > 0 ? "granitemoeshared" : "granitemoe",
              shared > 0 ? "GraniteMoeSharedForCausalLM" : "GraniteMoeForCausalLM");
    setExperts(config, "num_local_experts", "num_experts_per_tok");
    requireGating(config, GgufGating::Softmax);
    config.set("intermediate_size", config.expertWidth());
    if (shared > 0) {
        config.set("shared_intermediate_size", shared);
    }
    config.set("attention_bias", hasBias(config));
    setMultiplier(config, "attention.scale", "attention_multiplier",
                  1.0 / std::sqrt(static_cast<double>(config.headDim())));
    setMultiplier(config, "embedding_scale", "embedding_multiplier", 1.0);
    setMultiplier(config, "residual_scale", "residual_multiplier", 1.0);
    setMultiplier(config, "logit_scale", "logits_scaling", 1.0);
    // Here this key switches RoPE.
    if (config.flag("rope.scaling.finetuned") == false) {
        config.refuse("rope.scaling.finetuned", "true: this family's layers all have RoPE");
    }
}

/// Windows, RoPE-less layers and temperatures are not in the file but the published models'.
void describeLlama4(GgufConfig& config) {
    constexpr std::int64_t kChunk = 8192;
    constexpr std::int64_t kMaverickExperts = 128;
    setFamily(config, "llama4_text", "Llama4ForCausalLM");
    setExperts(config, "num_local_experts", "num_experts_per_tok");
    requireGating(config, GgufGating::Sigmoid);
    config.set("intermediate_size", config.expertWidth());
    config.set("intermediate_size_mlp", config.requireInteger("feed_forward_length"));
    config.set("interleave_moe_layer_step",
               config.integer("interleave_moe_layer_step").value_or(1));
    config.set("use_qk_norm", config.requireInteger("expert_count") != kMaverickExperts);
    if (config.integer("attention.sliding_window").value_or(kChunk) != kChunk) {
        config.refuse("attention.sliding_window", "8192, which Llama-4's chunks have");
    }
    if (config.integer("attention.sliding_window_pattern").value_or(4) != 4) {
        config.refuse("attention.sliding_window_pattern", "4");
    }
    config.set("attention_chunk_size", kChunk);
    config.set("no_rope_layer_interval", std::int64_t{4});
    config.set("attn_temperature_tuning", true);
    config.set("floor_scale", std::int64_t{8192});
    config.set("attn_scale", 0.1);
    config.set("attention_bias", hasBias(config));
}

}  // namespace moescope::checkpoint
