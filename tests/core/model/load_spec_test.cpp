// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/load_spec.h"

#include "tests/support/catch.h"
#include "tests/support/model_shapes.h"
#include "tests/support/paths.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/throws.h"

#include <nlohmann/json.hpp>

#include <chrono>
#include <cmath>

using namespace moescope;
using namespace moescope::model;
using checkpoint::Checkpoint;
using checkpoint::Contents;
using tests::checkThrows;
using tests::ShapeWriter;
using tests::TemporaryFolder;

namespace {

ModelSpec loadReference(const std::string& name) {
    return loadSpec(Checkpoint(tests::referenceDir() / "models" / name));
}

/// A tiny Mixtral: hidden 8, 2 layers, 4 heads of 4, 2 key/value heads, 3 experts of width 6.
nlohmann::json tinyConfig() {
    return {{"architectures", {"MixtralForCausalLM"}},
            {"model_type", "mixtral"},
            {"vocab_size", 32},
            {"hidden_size", 8},
            {"num_hidden_layers", 2},
            {"num_attention_heads", 4},
            {"num_key_value_heads", 2},
            {"head_dim", 4},
            {"intermediate_size", 6},
            {"num_local_experts", 3},
            {"num_experts_per_tok", 2}};
}

ShapeWriter tinyTensors() {
    return ShapeWriter({}).skeleton().mixtral(3, 6);
}

/// Loads the tensors with the config; both as they are or changed by the test.
ModelSpec load(const ShapeWriter& tensors, const nlohmann::json& config) {
    const TemporaryFolder root;
    tensors.write(root / "tiny", config.dump());
    return loadSpec(Checkpoint(root / "tiny", Contents::HeadersOnly));
}

}  // namespace

TEST_CASE("Load spec: Mixtral as published", "[core][model]") {
    const auto spec = loadReference("mixtral");
    CHECK(spec.family == "mixtral");
    CHECK(spec.layerCount() == 3);
    CHECK(spec.storedDtype == "bfloat16");
    CHECK(spec.bosId == 1);
    CHECK(spec.eosIds == std::vector<int>{2});
    CHECK(spec.notes.empty());
    const auto& layer = spec.layers.at(1);
    REQUIRE(layer.isRouted());
    CHECK_FALSE(layer.dense.has_value());
    CHECK(layer.moe->experts == 7);
    CHECK(layer.moe->topK == 2);
    CHECK(layer.moe->expert.intermediateSize == 14);
    CHECK(layer.moe->router.renormalise == Renormalise::Sum);
    CHECK_FALSE(layer.moe->router.softmaxOverSelected);
    CHECK(layer.attention.headsQ == 6);
    CHECK(layer.attention.headsKv == 2);
    CHECK(layer.attention.headDim == 8);
    CHECK(layer.attention.scale == Approx(0.35355339));
    CHECK(layer.attention.rope.theta == 1e6);
    CHECK_FALSE(layer.attention.slidingWindow.has_value());
    CHECK(layer.names.experts.at(6).up == "model.layers.1.block_sparse_moe.experts.6.w3.weight");
    CHECK(layer.names.router.weight == "model.layers.1.block_sparse_moe.gate.weight");
}

TEST_CASE("Load spec: Mixtral in the early community layout", "[core][model]") {
    const auto spec = loadReference("mixtral-early");
    CHECK(spec.family == "mixtral");
    CHECK(spec.storedDtype == "float16");
    const auto& layer = spec.layers.at(0);
    REQUIRE(layer.isRouted());
    CHECK(layer.moe->experts == 5);
    CHECK(layer.moe->topK == 2);
    CHECK(layer.moe->router.softmaxOverSelected);
    CHECK(layer.moe->router.renormalise == Renormalise::None);
    CHECK(layer.names.experts.at(4).down == "model.layers.0.mlp.experts.4.w2.weight");
    CHECK(layer.attention.headDim == 6);
}

TEST_CASE("Load spec: dense baselines", "[core][model]") {
    const auto mistral = loadReference("mistral-window");
    CHECK(mistral.family == "llama");
    CHECK(mistral.layers.at(2).dense->intermediateSize == 33);
    CHECK(mistral.layers.at(2).attention.slidingWindow == 5);
    CHECK(loadReference("mistral-baseline").layers.at(0).attention.slidingWindow == 64);

    const auto llama = loadReference("llama");
    CHECK(llama.tiedHead);
    CHECK(llama.head.weight == llama.embeddingName);
    CHECK(llama.eosIds == std::vector<int>{2, 3});
    const auto& attention = llama.layers.at(0).attention;
    CHECK(attention.qkvBias);
    CHECK(attention.outputBias);
    CHECK(attention.rope.scaling.kind == RopeScalingKind::Llama3);
    CHECK(llama.layers.at(0).names.o.bias == "model.layers.0.self_attn.o_proj.bias");
}

TEST_CASE("Load spec: DeepSeekMoE", "[core][model]") {
    const auto spec = loadReference("deepseek");
    CHECK(spec.family == "deepseek");
    CHECK(spec.layers.at(0).dense->intermediateSize == 41);
    REQUIRE(spec.layers.at(1).isRouted());
    const auto& moe = *spec.layers.at(1).moe;
    CHECK(moe.experts == 9);
    CHECK(moe.topK == 3);
    CHECK(moe.sharedCount == 2);
    CHECK(moe.shared->intermediateSize == 14);
    CHECK(moe.router.renormalise == Renormalise::None);
    CHECK(spec.layers.at(2).names.shared.up == "model.layers.2.mlp.shared_experts.up_proj.weight");

    const auto variant = loadReference("deepseek-variant");
    std::vector<bool> routed;
    for (const auto& layer : variant.layers) {
        routed.push_back(layer.isRouted());
    }
    CHECK(routed == std::vector<bool>{false, false, true, false, true});
    CHECK(variant.layers.at(2).moe->router.renormalise == Renormalise::SumEps);
    CHECK(variant.layers.at(2).attention.rope.scaling.factor == 2.5);
    CHECK(variant.layers.at(2).attention.qkvBias);
}

TEST_CASE("Load spec: OLMoE", "[core][model]") {
    const auto spec = loadReference("olmoe");
    const auto& layer = spec.layers.at(2);
    CHECK(spec.family == "olmoe");
    CHECK(layer.attention.qkNorm == QkNorm::FullProjection);
    CHECK(layer.attention.clipQkv == 1.1);
    CHECK(layer.names.kNorm == "model.layers.2.self_attn.k_norm.weight");
    CHECK(layer.moe->router.renormalise == Renormalise::None);
}

TEST_CASE("Load spec: Qwen2-MoE and Qwen3-MoE", "[core][model]") {
    const auto qwen2 = loadReference("qwen2_moe");
    CHECK_FALSE(qwen2.layers.at(1).isRouted());
    REQUIRE(qwen2.layers.at(2).isRouted());
    CHECK(qwen2.layers.at(2).moe->sharedGate);
    CHECK(qwen2.layers.at(2).moe->shared->intermediateSize == 13);
    CHECK(qwen2.layers.at(2).names.sharedGate.weight ==
          "model.layers.2.mlp.shared_expert_gate.weight");
    CHECK(qwen2.layers.at(2).attention.slidingWindow == 4);
    CHECK_FALSE(qwen2.layers.at(0).attention.slidingWindow.has_value());
    CHECK(qwen2.layers.at(0).attention.qkvBias);
    CHECK_FALSE(qwen2.layers.at(0).attention.outputBias);

    const auto qwen3 = loadReference("qwen3_moe");
    CHECK(qwen3.layers.at(0).dense.has_value());
    CHECK(qwen3.layers.at(1).isRouted());
    CHECK(qwen3.layers.at(1).attention.qkNorm == QkNorm::PerHead);
    CHECK(qwen3.layers.at(1).moe->router.renormalise == Renormalise::Sum);
    CHECK_FALSE(qwen3.layers.at(1).attention.slidingWindow.has_value());
}

TEST_CASE("Load spec: Qwen window without layer_types", "[core][model]") {
    nlohmann::json config = tinyConfig();
    config.erase("num_local_experts");
    config["model_type"] = "qwen3_moe";
    config["num_experts"] = 3;
    config["moe_intermediate_size"] = 6;
    config["use_sliding_window"] = true;
    config["sliding_window"] = 7;
    config["max_window_layers"] = 1;
    ShapeWriter tensors({});
    tensors.skeleton();
    for (std::uint64_t layer = 0; layer < 2; ++layer) {
        const std::string prefix = ShapeWriter::prefix(layer);
        tensors.add(prefix + "self_attn.q_norm.weight", {4})
            .add(prefix + "self_attn.k_norm.weight", {4})
            .add(prefix + "mlp.gate.weight", {3, 8});
        for (int expert = 0; expert < 3; ++expert) {
            tensors.projections(prefix + "mlp.experts." + std::to_string(expert) + ".", 6);
        }
    }
    const auto spec = load(tensors, config);
    CHECK_FALSE(spec.layers.at(0).attention.slidingWindow.has_value());
    CHECK(spec.layers.at(1).attention.slidingWindow == 7);
    config["use_sliding_window"] = false;
    CHECK_FALSE(load(tensors, config).layers.at(1).attention.slidingWindow.has_value());
}

TEST_CASE("Load spec: families with a correction bias", "[core][model]") {
    const auto glm = loadReference("glm4_moe");
    CHECK(glm.layers.at(1).attention.rope.rotaryDim == 4);
    CHECK(glm.layers.at(1).moe->router.score == RouterScore::Sigmoid);
    CHECK(glm.layers.at(1).moe->router.scale == 1.5);
    CHECK(glm.layers.at(1).names.selectionBias ==
          "model.layers.1.mlp.gate.e_score_correction_bias");
    REQUIRE(glm.notes.size() == 1);
    CHECK_THAT(glm.notes[0], Catch::Contains("multi-token prediction"));

    const auto dots = loadReference("dots1");
    CHECK(dots.layers.at(1).moe->router.scale == 2.5);
    CHECK(dots.layers.at(1).moe->shared->intermediateSize == 14);

    const auto ernie = loadReference("ernie4_5_moe");
    CHECK(ernie.layers.at(0).dense.has_value());
    CHECK(ernie.layers.at(1).attention.rope.style == RopeStyle::Interleaved);
    CHECK(ernie.layers.at(1).moe->router.selectionBias);
    CHECK(ernie.layers.at(1).moe->router.score == RouterScore::Softmax);

    const auto miniMax = loadReference("minimax_m2");
    CHECK(miniMax.layers.at(0).attention.rope.rotaryDim == 6);
    CHECK(miniMax.layers.at(0).names.selectionBias ==
          "model.layers.0.block_sparse_moe.e_score_correction_bias");
    const auto packed = loadReference("minimax_m2-fp8");
    CHECK(packed.storage == "FP8 (E4M3), a scale per tile of 128 x 128");
    CHECK(packed.layers.at(0).names.q.weight.scales ==
          "model.layers.0.self_attn.q_proj.weight_scale_inv");
}

TEST_CASE("Load spec: experts in one tensor", "[core][model]") {
    const auto granite = loadReference("granitemoeshared");
    CHECK(granite.family == "granitemoe");
    const auto& names = granite.layers.at(1).names;
    CHECK(names.experts.at(6).up ==
          checkpoint::rowsOf("model.layers.1.block_sparse_moe.input_linear.weight", {7, 18, 24},
                             6 * 18 + 9, 9));
    CHECK(names.shared.up ==
          checkpoint::rowsOf("model.layers.1.shared_mlp.input_linear.weight", {26, 24}, 13, 13));
    CHECK(granite.layers.at(1).attention.scale == 0.2);
    CHECK(granite.residualScale == 0.6);

    const auto dbrx = loadReference("dbrx");
    CHECK(dbrx.normKind == NormKind::LayerNorm);
    CHECK(dbrx.layers.at(2).attention.headsKv == 2);
    CHECK(dbrx.layers.at(2).names.v.weight ==
          checkpoint::rowsOf("transformer.blocks.2.norm_attn_norm.attn.Wqkv.weight", {48, 24}, 36,
                             12));
    CHECK(dbrx.layers.at(0).attention.clipQkv == 1.3);

    const auto gptOss = loadReference("gpt_oss");
    const TensorRef& gate = gptOss.layers.at(1).names.experts.at(4).gate;
    CHECK(gate.name == "model.layers.1.mlp.experts.gate_up_proj_blocks");
    CHECK(gate.packing == checkpoint::Packing::Mxfp4);
    CHECK(gate.part->rows == checkpoint::TensorPart::Rows{std::uint64_t{4} * 64, 32, 1, 2});
    CHECK(gptOss.layers.at(0).attention.slidingWindow == 5);
    CHECK_FALSE(gptOss.layers.at(1).attention.slidingWindow.has_value());

    const auto qwen = loadReference("qwen3_5_moe");
    CHECK(qwen.layers.at(0).delta.has_value());
    CHECK(qwen.layers.at(2).attention.outputGate);
    CHECK(qwen.layers.at(2).attention.rope.rotaryDim == 6);
    CHECK(qwen.layersPrefix == "model.language_model.layers.");
}

TEST_CASE("Load spec: experts as a newer transformers writes them", "[core][model]") {
    const auto write = [](std::uint64_t experts) {
        ShapeWriter tensors = ShapeWriter({}).skeleton();
        for (std::uint64_t layer = 0; layer < 2; ++layer) {
            const std::string block = ShapeWriter::prefix(layer) + "block_sparse_moe.";
            tensors.add(block + "gate.weight", {3, 8})
                .add(block + "experts.gate_up_proj", {experts, 12, 8})
                .add(block + "experts.down_proj", {experts, 8, 6});
        }
        return tensors;
    };
    auto config = tinyConfig();
    const auto spec = load(write(3), config);
    CHECK(spec.layers.at(1).names.experts.at(2).up ==
          checkpoint::rowsOf("model.layers.1.block_sparse_moe.experts.gate_up_proj", {3, 12, 8},
                             2 * 12 + 6, 6));
    checkThrows([&] { (void)load(write(4), config); }, ErrorCode::BadShape,
                {"gate_up_proj", "[4, 12, 8]", "[3, 12, 8]"});
    config["num_local_experts"] = 65536;
    config["num_hidden_layers"] = 2;
    checkThrows([&] { (void)load(write(3), config); }, ErrorCode::BadShape,
                {"gate.weight", "[65536, 8]"});
}

TEST_CASE("Load spec: latent attention", "[core][model]") {
    const auto lite = loadReference("deepseek_v2-lite");
    const auto& attention = lite.layers.at(1).attention;
    REQUIRE(attention.latent.has_value());
    CHECK(attention.latent->queryRank == 0);
    CHECK(attention.latent->keyValueRank == 12);
    CHECK(attention.headDim == 14);
    CHECK(attention.valueDim() == 5);
    CHECK(attention.rope.rotaryDim == 8);
    CHECK(attention.rope.style == RopeStyle::Interleaved);
    const double magnitude = 0.1 * 0.707 * std::log(8.0) + 1.0;
    CHECK(attention.scale == Approx(magnitude * magnitude / std::sqrt(14.0)));
    CHECK(lite.layers.at(1).moe->router.groups == 1);

    const auto full = loadReference("deepseek_v2");
    CHECK(full.layers.at(0).names.queryDown.weight == "model.layers.0.self_attn.q_a_proj.weight");
    CHECK(full.layers.at(1).moe->router.groups == 4);
    CHECK(full.layers.at(1).moe->router.keptGroups == 2);
    CHECK(full.layers.at(1).moe->router.groupScore == GroupScore::Best);

    const auto third = loadReference("deepseek_v3");
    CHECK(third.family == "deepseek_v3");
    CHECK(third.layers.at(2).moe->router.groupScore == GroupScore::TopTwoSum);
    CHECK(third.layers.at(2).moe->router.selectionBias);
    CHECK_FALSE(third.layers.at(1).isRouted());
    CHECK_THAT(third.notes.at(0), Catch::Contains("1 layer beyond the last (4)"));
}

TEST_CASE("Load spec: groups that do not fit", "[core][model]") {
    const auto folder = tests::referenceDir() / "models/deepseek_v3";
    const Checkpoint checkpoint(folder);
    const auto refused = [&](const char* key, int value) {
        auto config = nlohmann::json::parse(checkpoint.configText());
        config[key] = value;
        checkThrows([&] { (void)loadSpec(checkpoint, config.dump(), "changed"); },
                    ErrorCode::BadCheckpoint, {"changed", key});
    };
    refused("n_group", 4);     // does not divide 9 experts
    refused("n_group", 9);     // groups of one
    refused("topk_group", 4);  // more than there are
    refused("topk_group", 0);
    refused("kv_lora_rank", -1);
    refused("qk_rope_head_dim", 0);
}

TEST_CASE("Load spec: Hunyuan", "[core][model]") {
    const auto spec = loadReference("hunyuan_v1_moe");
    CHECK(spec.layers.at(0).attention.qkNormAfterRope);
    CHECK(spec.layers.at(0).attention.rope.theta == Approx(1e4 * std::pow(1000.0, 8.0 / 6.0)));
    CHECK(spec.layers.at(0).names.qNorm == "model.layers.0.self_attn.query_layernorm.weight");
    CHECK(spec.layers.at(0).moe->shared->intermediateSize == 11);
}

TEST_CASE("Load spec: an unknown family is named and the known ones are listed", "[core][model]") {
    auto config = tinyConfig();
    config["model_type"] = "perceiver";
    config["architectures"] = {"PerceiverModel"};
    checkThrows([&] { (void)load(tinyTensors(), config); }, ErrorCode::UnknownFamily,
                {"config.json", "perceiver", "PerceiverModel", "Mixtral", "DeepSeekMoE", "Llama"});
    checkThrows([&] { (void)load(tinyTensors(), nlohmann::json::object()); },
                ErrorCode::UnknownFamily, {"Mixtral"});
    CHECK(knownFamilies().size() >= 3);
}

TEST_CASE("Load spec: class defaults stand in for absent keys", "[core][model]") {
    auto config = tinyConfig();
    CHECK(load(tinyTensors(), config).normEps == 1e-5);
    CHECK(load(tinyTensors(), config).layers.at(0).attention.rope.theta == 1e6);
    config.erase("num_local_experts");
    config["num_experts"] = 3;  // as a published 8x22B config says it
    config.erase("num_experts_per_tok");
    const auto spec = load(tinyTensors(), config);
    CHECK(spec.layers.at(0).moe->experts == 3);
    CHECK(spec.layers.at(0).moe->topK == 2);
    CHECK(spec.layers.at(0).moe->router.renormalise == Renormalise::Sum);
}

TEST_CASE("Load spec: switches of the early layout", "[core][model]") {
    auto config = tinyConfig();
    config["model_type"] = "mistral";
    config["one_gate"] = true;
    const auto tensors = ShapeWriter({}).skeleton().mixtral(3, 6, "mlp.");
    CHECK(load(tensors, config).layers.at(0).moe->router.unitWeights);
    CHECK(load(tensors, config).layers.at(0).moe->router.scale == 1.0);
    config["norm_one_gate"] = true;
    CHECK(load(tensors, config).layers.at(0).moe->router.scale == 0.5);
    config["single_expert"] = true;
    checkThrows([&] { (void)load(tensors, config); }, ErrorCode::Unsupported, {"single_expert"});
}

TEST_CASE("Load spec: tensors that do not fit are named", "[core][model]") {
    const std::string router = "model.layers.0.block_sparse_moe.gate.weight";
    SECTION("missing") {
        const auto tensors = ShapeWriter({}).skeleton(true).mixtral(3, 6);
        checkThrows([&] { (void)load(tensors, tinyConfig()); }, ErrorCode::MissingTensor,
                    {"tiny", "\"lm_head.weight\""});
        auto tied = tinyConfig();
        tied["tie_word_embeddings"] = true;
        CHECK(load(tensors, tied).tiedHead);
        CHECK(load(tinyTensors(), tied).notes.empty());
    }
    SECTION("of another shape") {
        auto config = tinyConfig();
        config["vocab_size"] = 33;
        checkThrows([&] { (void)load(tinyTensors(), config); }, ErrorCode::BadShape,
                    {"model.safetensors", "embed_tokens", "[32, 8]", "[33, 8]"});
    }
    SECTION("of a type for other storage") {
        tests::ModelShapes shapes;
        shapes.dtype = checkpoint::Dtype::F8_E4M3;
        const auto tensors = ShapeWriter(shapes).skeleton().mixtral(3, 6);
        checkThrows([&] { (void)load(tensors, tinyConfig()); }, ErrorCode::Unsupported,
                    {"F8_E4M3", "embed_tokens"});
    }
    SECTION("unexpected inside a layer") {
        auto tensors = tinyTensors();
        tensors.add("model.layers.1.self_attn.q_norm.weight", {4});
        checkThrows([&] { (void)load(tensors, tinyConfig()); }, ErrorCode::Unsupported,
                    {"model.layers.1.self_attn.q_norm.weight", "Mixtral"});
    }
    SECTION("outside the layers: a note") {
        auto tensors = tinyTensors();
        tensors.add("model.layers.2.eh_proj.weight", {4})
            .add("vision_tower.layers.0.weight", {4})
            .add("model.layers.0.self_attn.rotary_emb.inv_freq", {2});
        const auto spec = load(tensors, tinyConfig());
        REQUIRE(spec.notes.size() == 2);
        CHECK_THAT(spec.notes[0], Catch::Contains("1 layer beyond"));
        CHECK_THAT(spec.notes[1], Catch::Contains("vision_tower"));
    }
}

TEST_CASE("Load spec: hostile configs give errors, quickly", "[core][model]") {
    const auto refused = [](std::string_view key, const nlohmann::json& value,
                            const std::string& word) {
        auto config = tinyConfig();
        config[std::string(key)] = value;
        INFO(key << " = " << value.dump());
        const auto start = std::chrono::steady_clock::now();
        try {
            (void)load(tinyTensors(), config);
            FAIL_CHECK("accepted");
        } catch (const Error& error) {
            CHECK_THAT(error.what(), Catch::Contains(word));
        }
        CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
    };
    for (const auto* key : {"vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads",
                            "num_key_value_heads", "head_dim", "intermediate_size",
                            "num_local_experts", "num_experts_per_tok"}) {
        for (const nlohmann::json& value :
             {nlohmann::json(-1), nlohmann::json(0), nlohmann::json("8"), nlohmann::json(2.5),
              nlohmann::json(true), nlohmann::json({1}), nlohmann::json(9223372036854775807),
              nlohmann::json(2147483647), nlohmann::json(-9223372036854775807)}) {
            refused(key, value, key);
        }
    }
    refused("num_experts_per_tok", 4, "4 experts per token");
    refused("num_local_experts", 65536, "65536 experts");
    refused("num_hidden_layers", 65536, "num_hidden_layers");
    refused("num_key_value_heads", 3, "num_key_value_heads");
    refused("head_dim", 3, "even");
    refused("hidden_size", 16777216, "embed_tokens");
    refused("hidden_act", "relu6", "relu6");
    refused("rms_norm_eps", 0, "rms_norm_eps");
    refused("rms_norm_eps", "small", "rms_norm_eps");
    refused("sliding_window", 0, "sliding_window");
    refused("eos_token_id", -5, "eos_token_id");
    refused("eos_token_id", 1.5, "eos_token_id");
    refused("tie_word_embeddings", 1, "tie_word_embeddings");
    refused("layer_types", {"full_attention"}, "layer_types");
    refused("layer_types", {"full_attention", "mamba"}, "layer_types");
    refused("quantization_config", {{"quant_method", "gptq"}}, "gptq");
    refused("num_experts", 4, "num_experts");
}

TEST_CASE("Load spec: windows per layer", "[core][model]") {
    auto config = tinyConfig();
    config["sliding_window"] = 16;
    config["layer_types"] = {"sliding_attention", "full_attention"};
    const auto spec = load(tinyTensors(), config);
    CHECK(spec.layers.at(0).attention.slidingWindow == 16);
    CHECK_FALSE(spec.layers.at(1).attention.slidingWindow.has_value());
    config["sliding_window"] = nullptr;
    checkThrows([&] { (void)load(tinyTensors(), config); }, ErrorCode::BadCheckpoint,
                {"sliding_window"});
}

TEST_CASE("Load spec: head dimension follows the hidden size where config.json is silent",
          "[core][model]") {
    auto config = tinyConfig();
    config.erase("head_dim");
    config["num_attention_heads"] = 3;
    config["num_key_value_heads"] = 3;
    checkThrows([&] { (void)load(tinyTensors(), config); }, ErrorCode::BadCheckpoint,
                {"hidden_size", "num_attention_heads"});
    config["num_attention_heads"] = 4;
    config["num_key_value_heads"] = nullptr;
    tests::ModelShapes shapes;
    shapes.headDim = 2;
    shapes.headsKv = 4;
    CHECK(
        load(ShapeWriter(shapes).skeleton().mixtral(3, 6), config).layers.at(0).attention.headsKv ==
        4);
}
