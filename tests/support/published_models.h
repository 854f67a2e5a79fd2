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

inline void writeOlmoe(const std::filesystem::path& folder) {
    ShapeWriter writer({.vocab = 50304,
                        .hidden = 2048,
                        .layers = 16,
                        .headsQ = 16,
                        .headsKv = 16,
                        .headDim = 128});
    writer.skeleton();
    for (std::uint64_t layer = 0; layer < 16; ++layer) {
        const std::string prefix = ShapeWriter::prefix(layer);
        writer.add(prefix + "self_attn.q_norm.weight", {2048})
            .add(prefix + "self_attn.k_norm.weight", {2048})
            .add(prefix + "mlp.gate.weight", {64, 2048});
        for (int expert = 0; expert < 64; ++expert) {
            writer.projections(prefix + "mlp.experts." + std::to_string(expert) + ".", 1024);
        }
    }
    writer.write(folder, R"({"architectures": ["OlmoeForCausalLM"], "attention_bias": false,
        "clip_qkv": null, "eos_token_id": 50279, "hidden_act": "silu", "hidden_size": 2048,
        "intermediate_size": 1024, "max_position_embeddings": 4096, "model_type": "olmoe",
        "norm_topk_prob": false, "num_attention_heads": 16, "num_experts": 64,
        "num_experts_per_tok": 8, "num_hidden_layers": 16, "num_key_value_heads": 16,
        "output_router_logits": false, "pad_token_id": 1, "rope_scaling": null,
        "rope_theta": 10000.0, "router_aux_loss_coef": 0.01, "tie_word_embeddings": false,
        "torch_dtype": "bfloat16", "use_cache": true, "vocab_size": 50304})");
}

inline void writeQwen30B(const std::filesystem::path& folder) {
    ShapeWriter writer({.vocab = 151936,
                        .hidden = 2048,
                        .layers = 48,
                        .headsQ = 32,
                        .headsKv = 4,
                        .headDim = 128});
    writer.skeleton();
    for (std::uint64_t layer = 0; layer < 48; ++layer) {
        const std::string prefix = ShapeWriter::prefix(layer);
        writer.add(prefix + "self_attn.q_norm.weight", {128})
            .add(prefix + "self_attn.k_norm.weight", {128})
            .add(prefix + "mlp.gate.weight", {128, 2048});
        for (int expert = 0; expert < 128; ++expert) {
            writer.projections(prefix + "mlp.experts." + std::to_string(expert) + ".", 768);
        }
    }
    writer.write(folder, R"({"architectures": ["Qwen3MoeForCausalLM"], "attention_bias": false,
        "bos_token_id": 151643, "decoder_sparse_step": 1, "eos_token_id": 151645, "head_dim": 128,
        "hidden_act": "silu", "hidden_size": 2048, "intermediate_size": 6144,
        "max_position_embeddings": 40960, "max_window_layers": 48, "mlp_only_layers": [],
        "model_type": "qwen3_moe", "moe_intermediate_size": 768, "norm_topk_prob": true,
        "num_attention_heads": 32, "num_experts": 128, "num_experts_per_tok": 8,
        "num_hidden_layers": 48, "num_key_value_heads": 4, "rms_norm_eps": 1e-06,
        "rope_scaling": null, "rope_theta": 1000000.0, "sliding_window": null,
        "tie_word_embeddings": false, "torch_dtype": "bfloat16", "use_sliding_window": false,
        "vocab_size": 151936})");
}

/// As published: float8 with scales, and a layer 61 for multi-token prediction.
inline void writeDeepSeekV3(const std::filesystem::path& folder) {
    constexpr std::uint64_t kHidden = 7168;
    ShapeWriter writer({});
    const auto gated = [&](const std::string& path, std::uint64_t width) {
        writer.addFp8(path + "gate_proj.weight", width, kHidden)
            .addFp8(path + "up_proj.weight", width, kHidden)
            .addFp8(path + "down_proj.weight", kHidden, width);
    };
    for (std::uint64_t layer = 0; layer < 62; ++layer) {
        const std::string prefix = ShapeWriter::prefix(layer);
        const std::string attention = prefix + "self_attn.";
        writer.add(prefix + "input_layernorm.weight", {kHidden})
            .add(prefix + "post_attention_layernorm.weight", {kHidden})
            .addFp8(attention + "q_a_proj.weight", 1536, kHidden)
            .add(attention + "q_a_layernorm.weight", {1536})
            .addFp8(attention + "q_b_proj.weight", 128 * 192, 1536)
            .addFp8(attention + "kv_a_proj_with_mqa.weight", 576, kHidden)
            .add(attention + "kv_a_layernorm.weight", {512})
            .addFp8(attention + "kv_b_proj.weight", 128 * 256, 512)
            .addFp8(attention + "o_proj.weight", kHidden, 128 * 128);
        if (layer < 3) {
            gated(prefix + "mlp.", 18432);
            continue;
        }
        writer.add(prefix + "mlp.gate.weight", {256, kHidden})
            .add(prefix + "mlp.gate.e_score_correction_bias", {256}, checkpoint::Dtype::F32);
        gated(prefix + "mlp.shared_experts.", 2048);
        for (int expert = 0; expert < 256; ++expert) {
            gated(prefix + "mlp.experts." + std::to_string(expert) + ".", 2048);
        }
    }
    writer.add("model.layers.61.eh_proj.weight", {kHidden, 2 * kHidden})
        .add("model.embed_tokens.weight", {129280, kHidden})
        .add("model.norm.weight", {kHidden})
        .add("lm_head.weight", {129280, kHidden})
        .write(folder, R"({"architectures": ["DeepseekV3ForCausalLM"], "attention_bias": false,
        "attention_dropout": 0.0, "bos_token_id": 0, "eos_token_id": 1, "ep_size": 1,
        "first_k_dense_replace": 3, "hidden_act": "silu", "hidden_size": 7168,
        "intermediate_size": 18432, "kv_lora_rank": 512, "max_position_embeddings": 163840,
        "model_type": "deepseek_v3", "moe_intermediate_size": 2048, "moe_layer_freq": 1,
        "n_group": 8, "n_routed_experts": 256, "n_shared_experts": 1, "norm_topk_prob": true,
        "num_attention_heads": 128, "num_experts_per_tok": 8, "num_hidden_layers": 61,
        "num_key_value_heads": 128, "num_nextn_predict_layers": 1, "q_lora_rank": 1536,
        "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "quantization_config":
        {"activation_scheme": "dynamic", "fmt": "e4m3", "quant_method": "fp8",
         "weight_block_size": [128, 128]}, "rms_norm_eps": 1e-06, "rope_scaling":
        {"beta_fast": 32, "beta_slow": 1, "factor": 40, "mscale": 1.0, "mscale_all_dim": 1.0,
         "original_max_position_embeddings": 4096, "type": "yarn"}, "rope_theta": 10000,
        "routed_scaling_factor": 2.5, "scoring_func": "sigmoid", "tie_word_embeddings": false,
        "topk_group": 4, "topk_method": "noaux_tc", "torch_dtype": "bfloat16", "use_cache": true,
        "v_head_dim": 128, "vocab_size": 129280})");
}

inline void writeDbrx(const std::filesystem::path& folder) {
    constexpr std::uint64_t kHidden = 6144;
    constexpr std::uint64_t kFlat = std::uint64_t{16} * 10752;
    ShapeWriter writer({});
    for (int layer = 0; layer < 40; ++layer) {
        const std::string prefix = "transformer.blocks." + std::to_string(layer) + ".";
        const std::string norms = prefix + "norm_attn_norm.";
        writer.add(norms + "norm_1.weight", {kHidden})
            .add(norms + "norm_2.weight", {kHidden})
            .add(norms + "attn.Wqkv.weight", {8192, kHidden})
            .add(norms + "attn.out_proj.weight", {kHidden, kHidden})
            .add(prefix + "ffn.router.layer.weight", {16, kHidden})
            .add(prefix + "ffn.experts.mlp.w1", {kFlat, kHidden})
            .add(prefix + "ffn.experts.mlp.v1", {kFlat, kHidden})
            .add(prefix + "ffn.experts.mlp.w2", {kFlat, kHidden});
    }
    writer.add("transformer.wte.weight", {100352, kHidden})
        .add("transformer.norm_f.weight", {kHidden})
        .add("lm_head.weight", {100352, kHidden})
        .write(folder, R"({"architectures": ["DbrxForCausalLM"], "attn_config": {"clip_qkv": 8,
        "kv_n_heads": 8, "model_type": "", "rope_theta": 500000}, "d_model": 6144,
        "emb_pdrop": 0.0, "ffn_config": {"ffn_hidden_size": 10752, "model_type": "",
        "moe_jitter_eps": 0, "moe_loss_weight": 0.05, "moe_num_experts": 16, "moe_top_k": 4},
        "initializer_range": 0.02, "max_seq_len": 32768, "model_type": "dbrx", "n_heads": 48,
        "n_layers": 40, "output_router_logits": false, "resid_pdrop": 0.0,
        "tie_word_embeddings": false, "torch_dtype": "bfloat16", "use_cache": true,
        "vocab_size": 100352})");
}

/// As published: experts in MXFP4.
inline void writeGptOss20B(const std::filesystem::path& folder) {
    constexpr std::uint64_t kHidden = 2880;
    constexpr std::uint64_t kBlocks = kHidden / 32;
    using checkpoint::Dtype;
    ShapeWriter writer({});
    std::string types;
    for (std::uint64_t layer = 0; layer < 24; ++layer) {
        types += layer % 2 == 0 ? R"("sliding_attention",)" : R"("full_attention",)";
        const std::string prefix = ShapeWriter::prefix(layer);
        const std::string attention = prefix + "self_attn.";
        writer.add(prefix + "input_layernorm.weight", {kHidden})
            .add(prefix + "post_attention_layernorm.weight", {kHidden})
            .add(attention + "q_proj.weight", {4096, kHidden})
            .add(attention + "q_proj.bias", {4096})
            .add(attention + "k_proj.weight", {512, kHidden})
            .add(attention + "k_proj.bias", {512})
            .add(attention + "v_proj.weight", {512, kHidden})
            .add(attention + "v_proj.bias", {512})
            .add(attention + "o_proj.weight", {kHidden, 4096})
            .add(attention + "o_proj.bias", {kHidden})
            .add(attention + "sinks", {64})
            .add(prefix + "mlp.router.weight", {32, kHidden})
            .add(prefix + "mlp.router.bias", {32})
            .add(prefix + "mlp.experts.gate_up_proj_blocks", {32, 5760, kBlocks, 16}, Dtype::U8)
            .add(prefix + "mlp.experts.gate_up_proj_scales", {32, 5760, kBlocks}, Dtype::U8)
            .add(prefix + "mlp.experts.gate_up_proj_bias", {32, 5760})
            .add(prefix + "mlp.experts.down_proj_blocks", {32, kHidden, kBlocks, 16}, Dtype::U8)
            .add(prefix + "mlp.experts.down_proj_scales", {32, kHidden, kBlocks}, Dtype::U8)
            .add(prefix + "mlp.experts.down_proj_bias", {32, kHidden});
    }
    types.pop_back();
    writer.add("model.embed_tokens.weight", {201088, kHidden})
        .add("model.norm.weight", {kHidden})
        .add("lm_head.weight", {201088, kHidden})
        .write(folder, R"({"architectures": ["GptOssForCausalLM"], "attention_bias": true,
        "attention_dropout": 0.0, "eos_token_id": 200002, "experts_per_token": 4, "head_dim": 64,
        "hidden_act": "silu", "hidden_size": 2880, "initial_context_length": 4096,
        "intermediate_size": 2880, "max_position_embeddings": 131072, "model_type": "gpt_oss",
        "num_attention_heads": 64, "num_experts_per_tok": 4, "num_hidden_layers": 24,
        "num_key_value_heads": 8, "num_local_experts": 32, "output_router_logits": false,
        "pad_token_id": 199999, "quantization_config": {"modules_to_not_convert":
        ["model.layers.*.self_attn", "model.layers.*.mlp.router", "model.embed_tokens", "lm_head"],
        "quant_method": "mxfp4"}, "rms_norm_eps": 1e-05, "rope_scaling": {"beta_fast": 32.0,
        "beta_slow": 1.0, "factor": 32.0, "original_max_position_embeddings": 4096,
        "rope_type": "yarn", "truncate": false}, "rope_theta": 150000,
        "router_aux_loss_coef": 0.9, "sliding_window": 128, "swiglu_limit": 7.0,
        "tie_word_embeddings": false, "transformers_version": "4.55.0.dev0", "use_cache": true,
        "vocab_size": 201088, "layer_types": [)" +
                           types + "]}");
}

inline void writeGranite1B(const std::filesystem::path& folder) {
    ShapeWriter writer(
        {.vocab = 49155, .hidden = 1024, .layers = 24, .headsQ = 16, .headsKv = 8, .headDim = 64});
    writer.skeleton(/*tied=*/true);
    for (std::uint64_t layer = 0; layer < 24; ++layer) {
        const std::string block = ShapeWriter::prefix(layer) + "block_sparse_moe.";
        writer.add(block + "router.layer.weight", {32, 1024})
            .add(block + "input_linear.weight", {32, 1024, 1024})
            .add(block + "output_linear.weight", {32, 1024, 512});
    }
    writer.write(folder, R"({"architectures": ["GraniteMoeForCausalLM"], "attention_bias": false,
        "attention_multiplier": 0.015625, "embedding_multiplier": 12.0, "hidden_act": "silu",
        "hidden_size": 1024, "intermediate_size": 512, "logits_scaling": 6.0,
        "max_position_embeddings": 4096, "model_type": "granitemoe", "num_attention_heads": 16,
        "num_experts_per_tok": 8, "num_hidden_layers": 24, "num_key_value_heads": 8,
        "num_local_experts": 32, "residual_multiplier": 0.22, "rms_norm_eps": 1e-06,
        "rope_scaling": null, "rope_theta": 10000.0, "router_aux_loss_coef": 0.0,
        "tie_word_embeddings": true, "torch_dtype": "bfloat16", "vocab_size": 49155})");
}

}  // namespace moescope::tests
