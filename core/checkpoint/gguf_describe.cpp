// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checkpoint/gguf_describe.h"

#include <fmt/format.h>

namespace moescope::checkpoint {

void setFamily(GgufConfig& config, std::string_view modelType, std::string_view architecture) {
    config.set("model_type", modelType);
    config.setArchitecture(architecture);
}

bool hasBias(const GgufConfig& config) {
    return config.anyLayerHas("attn_q.bias");
}

void setExperts(GgufConfig& config, std::string_view countKey, std::string_view chosenKey) {
    config.set(countKey, config.requireInteger("expert_count"));
    config.set(chosenKey, config.requireInteger("expert_used_count"));
}

void requireGating(GgufConfig& config, GgufGating expected) {
    const auto number = static_cast<std::int64_t>(expected);
    const auto gating = config.integer("expert_gating_func");
    if (gating && *gating != 0 && *gating != number) {
        config.refuse("expert_gating_func", fmt::format("{}, this family's", number));
    }
}

void requireWeightsScale(GgufConfig& config) {
    const double scale = config.number("expert_weights_scale").value_or(1.0);
    if (scale != 1.0 && scale != 0.0) {
        config.refuse("expert_weights_scale", "1, this family's");
    }
}

void setDeepSeekExperts(GgufConfig& config) {
    setExperts(config, "n_routed_experts", "num_experts_per_tok");
    config.set("n_shared_experts", config.integer("expert_shared_count").value_or(0));
    config.set("moe_intermediate_size", config.expertWidth());
    config.set("intermediate_size", config.requireInteger("feed_forward_length"));
    config.set("first_k_dense_replace",
               static_cast<std::int64_t>(config.layersWithout("ffn_gate_inp.weight").size()));
}

}  // namespace moescope::checkpoint
