// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "tests/support/model_shapes.h"

#include <filesystem>

/// Header-only checkpoints like those of published_models.h, for models that differ from the Llama
/// skeleton in more than their experts.
namespace moescope::tests {

inline void writeGrok1(const std::filesystem::path& folder) {
    constexpr std::uint64_t kHidden = 6144;
    ShapeWriter writer({.vocab = 131072, .hidden = kHidden, .layers = 64});
    writer.add("model.embed_tokens.weight", {131072, kHidden}).add("model.norm.scale", {kHidden});
    for (std::uint64_t layer = 0; layer < 64; ++layer) {
        const std::string at = ShapeWriter::prefix(layer);
        for (const std::string norm :
             {"pre_attn_norm", "post_attn_norm", "pre_moe_norm", "post_moe_norm"}) {
            writer.add(at + norm + ".scale", {kHidden});
        }
        writer.add(at + "attn.q_proj.weight", {kHidden, kHidden})
            .add(at + "attn.k_proj.weight", {1024, kHidden})
            .add(at + "attn.v_proj.weight", {1024, kHidden})
            .add(at + "attn.o_proj.weight", {kHidden, kHidden})
            .add(at + "moe_block.gate.weight", {8, kHidden});
        for (int expert = 0; expert < 8; ++expert) {
            writer.gated(at + "moe_block.experts." + std::to_string(expert) + ".", 32768, "linear",
                         "linear_v", "linear_1");
        }
    }
    writer.write(folder, R"({"architectures": ["Grok1ModelForCausalLM"], "vocab_size": 131072,
        "hidden_size": 6144, "intermediate_size": 32768, "num_hidden_layers": 64,
        "num_attention_heads": 48, "num_key_value_heads": 8,
        "attn_output_multiplier": 0.08838834764831845,
        "embedding_multiplier_scale": 78.38367176906169,
        "output_multiplier_scale": 0.5773502691896257, "max_attn_value": 30.0,
        "max_position_embeddings": 8192, "rms_norm_eps": 1e-05, "use_cache": true,
        "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "tie_word_embeddings": true,
        "num_experts_per_tok": 2, "num_experts": 8, "output_router_logits": false,
        "router_aux_loss_coef": 0.001, "torch_dtype": "bfloat16"})");
}

inline void writePhi35Moe(const std::filesystem::path& folder) {
    constexpr std::uint64_t kHidden = 4096;
    ShapeWriter writer({.vocab = 32064,
                        .hidden = kHidden,
                        .layers = 32,
                        .headsQ = 32,
                        .headsKv = 8,
                        .headDim = 128});
    writer.skeleton().mixtral(16, 6400);
    writer.add("model.norm.bias", {kHidden}).add("lm_head.bias", {32064});
    for (std::uint64_t layer = 0; layer < 32; ++layer) {
        const std::string at = ShapeWriter::prefix(layer);
        writer.add(at + "input_layernorm.bias", {kHidden})
            .add(at + "post_attention_layernorm.bias", {kHidden})
            .add(at + "self_attn.q_proj.bias", {4096})
            .add(at + "self_attn.k_proj.bias", {1024})
            .add(at + "self_attn.v_proj.bias", {1024})
            .add(at + "self_attn.o_proj.bias", {kHidden});
    }
    std::string factors = "1.0";
    for (int pair = 1; pair < 64; ++pair) {
        factors += ", 1.0";
    }
    writer.write(folder, R"({"architectures": ["PhiMoEForCausalLM"], "attention_bias": true,
        "bos_token_id": 1, "eos_token_id": 32000, "hidden_act": "silu", "hidden_size": 4096,
        "input_jitter_noise": 0.01, "intermediate_size": 6400, "lm_head_bias": true,
        "max_position_embeddings": 131072, "model_type": "phimoe", "num_attention_heads": 32,
        "num_experts_per_tok": 2, "num_hidden_layers": 32, "num_key_value_heads": 8,
        "num_local_experts": 16, "original_max_position_embeddings": 4096, "rms_norm_eps": 1e-05,
        "rope_scaling": {"long_factor": [)" +
                             factors + R"(], "short_factor": [)" + factors + R"(],
        "long_mscale": 1.243163121016122, "short_mscale": 1.243163121016122,
        "original_max_position_embeddings": 4096, "type": "longrope"}, "rope_theta": 10000.0,
        "router_jitter_noise": 0.01, "sliding_window": 131072, "tie_word_embeddings": false,
        "torch_dtype": "bfloat16", "vocab_size": 32064})");
}

inline void writeQwen3Next80B(const std::filesystem::path& folder) {
    constexpr std::uint64_t kHidden = 2048;
    ShapeWriter writer({.vocab = 151936, .hidden = kHidden, .layers = 48});
    writer.add("model.embed_tokens.weight", {151936, kHidden})
        .add("model.norm.weight", {kHidden})
        .add("lm_head.weight", {151936, kHidden});
    for (std::uint64_t layer = 0; layer < 48; ++layer) {
        const std::string at = ShapeWriter::prefix(layer);
        writer.add(at + "input_layernorm.weight", {kHidden})
            .add(at + "post_attention_layernorm.weight", {kHidden});
        if ((layer + 1) % 4 == 0) {
            writer.add(at + "self_attn.q_proj.weight", {8192, kHidden})
                .add(at + "self_attn.k_proj.weight", {512, kHidden})
                .add(at + "self_attn.v_proj.weight", {512, kHidden})
                .add(at + "self_attn.o_proj.weight", {kHidden, 4096})
                .add(at + "self_attn.q_norm.weight", {256})
                .add(at + "self_attn.k_norm.weight", {256});
        } else {
            writer.add(at + "linear_attn.in_proj_qkvz.weight", {12288, kHidden})
                .add(at + "linear_attn.in_proj_ba.weight", {64, kHidden})
                .add(at + "linear_attn.conv1d.weight", {8192, 1, 4})
                .add(at + "linear_attn.A_log", {32})
                .add(at + "linear_attn.dt_bias", {32})
                .add(at + "linear_attn.norm.weight", {128})
                .add(at + "linear_attn.out_proj.weight", {kHidden, 4096});
        }
        writer.add(at + "mlp.gate.weight", {512, kHidden})
            .add(at + "mlp.shared_expert_gate.weight", {1, kHidden})
            .projections(at + "mlp.shared_expert.", 512);
        for (int expert = 0; expert < 512; ++expert) {
            writer.projections(at + "mlp.experts." + std::to_string(expert) + ".", 512);
        }
    }
    writer.write(folder, R"({"architectures": ["Qwen3NextForCausalLM"], "attention_bias": false,
        "bos_token_id": 151643, "decoder_sparse_step": 1, "eos_token_id": 151645,
        "full_attention_interval": 4, "head_dim": 256, "hidden_act": "silu", "hidden_size": 2048,
        "intermediate_size": 5120, "linear_conv_kernel_dim": 4, "linear_key_head_dim": 128,
        "linear_num_key_heads": 16, "linear_num_value_heads": 32, "linear_value_head_dim": 128,
        "max_position_embeddings": 262144, "mlp_only_layers": [], "model_type": "qwen3_next",
        "moe_intermediate_size": 512, "norm_topk_prob": true, "num_attention_heads": 16,
        "num_experts": 512, "num_experts_per_tok": 10, "num_hidden_layers": 48,
        "num_key_value_heads": 2, "partial_rotary_factor": 0.25, "rms_norm_eps": 1e-06,
        "rope_scaling": null, "rope_theta": 10000000, "shared_expert_intermediate_size": 512,
        "tie_word_embeddings": false, "torch_dtype": "bfloat16", "use_cache": true,
        "use_sliding_window": false, "vocab_size": 151936})");
}

inline void writeGemma4With26B(const std::filesystem::path& folder) {
    constexpr std::uint64_t kHidden = 2816;
    ShapeWriter writer({.vocab = 262144, .hidden = kHidden, .layers = 30});
    const std::string model = "model.language_model.";
    writer.add(model + "embed_tokens.weight", {262144, kHidden})
        .add(model + "norm.weight", {kHidden});
    for (std::uint64_t layer = 0; layer < 30; ++layer) {
        const std::string at = model + "layers." + std::to_string(layer) + ".";
        const bool full = (layer + 1) % 6 == 0;
        const std::uint64_t head = full ? 512 : 256;
        const std::uint64_t keys = full ? 2 * 512 : 8 * 256;
        for (const std::string norm :
             {"input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm",
              "post_feedforward_layernorm", "post_feedforward_layernorm_1",
              "pre_feedforward_layernorm_2", "post_feedforward_layernorm_2"}) {
            writer.add(at + norm + ".weight", {kHidden});
        }
        writer.add(at + "self_attn.q_proj.weight", {16 * head, kHidden})
            .add(at + "self_attn.k_proj.weight", {keys, kHidden})
            .add(at + "self_attn.o_proj.weight", {kHidden, 16 * head})
            .add(at + "self_attn.q_norm.weight", {head})
            .add(at + "self_attn.k_norm.weight", {head})
            .add(at + "router.proj.weight", {128, kHidden})
            .add(at + "router.scale", {kHidden})
            .add(at + "router.per_expert_scale", {128})
            .add(at + "experts.gate_up_proj", {128, 2 * 704, kHidden})
            .add(at + "experts.down_proj", {128, kHidden, 704})
            .add(at + "layer_scalar", {1})
            .projections(at + "mlp.", 2112);
        if (!full) {
            writer.add(at + "self_attn.v_proj.weight", {keys, kHidden});
        }
    }
    writer.write(folder, R"({"architectures": ["Gemma4ForConditionalGeneration"],
        "model_type": "gemma4", "tie_word_embeddings": true, "dtype": "bfloat16",
        "text_config": {"attention_k_eq_v": true, "enable_moe_block": true,
        "final_logit_softcapping": 30.0, "global_head_dim": 512, "head_dim": 256,
        "hidden_activation": "gelu_pytorch_tanh", "hidden_size": 2816,
        "hidden_size_per_layer_input": 0, "intermediate_size": 2112,
        "max_position_embeddings": 262144, "model_type": "gemma4_text",
        "moe_intermediate_size": 704, "num_attention_heads": 16, "num_experts": 128,
        "num_global_key_value_heads": 2, "num_hidden_layers": 30, "num_key_value_heads": 8,
        "num_kv_shared_layers": 0, "rms_norm_eps": 1e-06, "sliding_window": 1024,
        "tie_word_embeddings": true, "top_k_experts": 8, "vocab_size": 262144}})");
}

inline void writeLlama4Scout(const std::filesystem::path& folder) {
    constexpr std::uint64_t kHidden = 5120;
    ShapeWriter writer({.vocab = 202048, .hidden = kHidden, .layers = 48});
    const std::string model = "language_model.model.";
    writer.add(model + "embed_tokens.weight", {202048, kHidden})
        .add(model + "norm.weight", {kHidden})
        .add("language_model.lm_head.weight", {202048, kHidden});
    for (std::uint64_t layer = 0; layer < 48; ++layer) {
        const std::string at = model + "layers." + std::to_string(layer) + ".";
        writer.add(at + "input_layernorm.weight", {kHidden})
            .add(at + "post_attention_layernorm.weight", {kHidden})
            .add(at + "self_attn.q_proj.weight", {kHidden, kHidden})
            .add(at + "self_attn.k_proj.weight", {1024, kHidden})
            .add(at + "self_attn.v_proj.weight", {1024, kHidden})
            .add(at + "self_attn.o_proj.weight", {kHidden, kHidden})
            .add(at + "feed_forward.router.weight", {16, kHidden})
            .add(at + "feed_forward.experts.gate_up_proj", {16, kHidden, 2 * 8192})
            .add(at + "feed_forward.experts.down_proj", {16, 8192, kHidden})
            .projections(at + "feed_forward.shared_expert.", 8192);
    }
    writer.write(folder, R"({"architectures": ["Llama4ForConditionalGeneration"],
        "model_type": "llama4", "tie_word_embeddings": false, "torch_dtype": "bfloat16",
        "image_token_index": 200092, "text_config": {"attention_bias": false,
        "attention_chunk_size": 8192, "attn_scale": 0.1, "attn_temperature_tuning": 4,
        "floor_scale": 8192, "head_dim": 128, "hidden_act": "silu", "hidden_size": 5120,
        "interleave_moe_layer_step": 1, "intermediate_size": 8192, "intermediate_size_mlp": 16384,
        "max_position_embeddings": 262144, "model_type": "llama4_text", "no_rope_layers": [],
        "num_attention_heads": 40, "num_experts_per_tok": 1, "num_hidden_layers": 48,
        "num_key_value_heads": 8, "num_local_experts": 16, "rms_norm_eps": 1e-05,
        "rope_scaling": {"factor": 16.0, "high_freq_factor": 1.0, "low_freq_factor": 1.0,
        "original_max_position_embeddings": 8192, "rope_type": "llama3"}, "rope_theta": 500000.0,
        "use_cache": true, "use_qk_norm": true, "vocab_size": 202048}})");
}

}  // namespace moescope::tests
