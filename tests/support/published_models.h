// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "tests/support/model_shapes.h"

#include <filesystem>

/// Header-only checkpoints with the real shapes and config.json of published models, kilobytes in
/// size: what counts parameters and prints model cards never needs the weights.
namespace moescope::tests {

inline void writeMixtral8x7B(const std::filesystem::path& folder) {
    ShapeWriter(
        {.vocab = 32000, .hidden = 4096, .layers = 32, .headsQ = 32, .headsKv = 8, .headDim = 128})
        .skeleton()
        .mixtral(8, 14336)
        .write(folder, R"({"architectures": ["MixtralForCausalLM"], "attention_dropout": 0.0,
            "bos_token_id": 1, "eos_token_id": 2, "hidden_act": "silu", "hidden_size": 4096,
            "initializer_range": 0.02, "intermediate_size": 14336, "max_position_embeddings": 32768,
            "model_type": "mixtral", "num_attention_heads": 32, "num_experts_per_tok": 2,
            "num_hidden_layers": 32, "num_key_value_heads": 8, "num_local_experts": 8,
            "output_router_logits": false, "rms_norm_eps": 1e-05, "rope_theta": 1000000.0,
            "router_aux_loss_coef": 0.02, "sliding_window": null, "tie_word_embeddings": false,
            "torch_dtype": "bfloat16", "transformers_version": "4.36.0.dev0", "use_cache": true,
            "vocab_size": 32000})");
}

inline void writeMixtral8x22B(const std::filesystem::path& folder) {
    ShapeWriter(
        {.vocab = 32000, .hidden = 6144, .layers = 56, .headsQ = 48, .headsKv = 8, .headDim = 128})
        .skeleton()
        .mixtral(8, 16384)
        .write(folder, R"({"architectures": ["MixtralForCausalLM"], "hidden_size": 6144,
            "intermediate_size": 16384, "max_position_embeddings": 65536, "model_type": "mixtral",
            "num_attention_heads": 48, "num_experts_per_tok": 2, "num_hidden_layers": 56,
            "num_key_value_heads": 8, "num_experts": 8, "rms_norm_eps": 1e-05, "rope_theta": 1000000,
            "tie_word_embeddings": false, "torch_dtype": "bfloat16", "vocab_size": 32000})");
}

inline void writeDeepSeekMoe16B(const std::filesystem::path& folder) {
    ShapeWriter writer({.vocab = 102400,
                        .hidden = 2048,
                        .layers = 28,
                        .headsQ = 16,
                        .headsKv = 16,
                        .headDim = 128});
    writer.skeleton().projections("model.layers.0.mlp.", 10944);
    for (std::uint64_t layer = 1; layer < 28; ++layer) {
        const std::string mlp = ShapeWriter::prefix(layer) + "mlp.";
        writer.add(mlp + "gate.weight", {64, 2048}).projections(mlp + "shared_experts.", 2816);
        for (int expert = 0; expert < 64; ++expert) {
            writer.projections(mlp + "experts." + std::to_string(expert) + ".", 1408);
        }
    }
    writer.write(folder, R"({"architectures": ["DeepseekForCausalLM"], "attention_bias": false,
        "bos_token_id": 100000, "eos_token_id": 100001, "first_k_dense_replace": 1, "hidden_act": "silu",
        "hidden_size": 2048, "intermediate_size": 10944, "max_position_embeddings": 4096,
        "model_type": "deepseek", "moe_intermediate_size": 1408, "moe_layer_freq": 1,
        "n_routed_experts": 64, "n_shared_experts": 2, "norm_topk_prob": false,
        "num_attention_heads": 16, "num_experts_per_tok": 6, "num_hidden_layers": 28,
        "num_key_value_heads": 16, "pretraining_tp": 1, "rms_norm_eps": 1e-06, "rope_scaling": null,
        "rope_theta": 10000, "scoring_func": "softmax", "tie_word_embeddings": false,
        "torch_dtype": "bfloat16", "vocab_size": 102400})");
}

}  // namespace moescope::tests
