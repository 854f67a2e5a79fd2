// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/config_keys.h"
#include "core/model/load_spec.h"
#include "core/model/parameters.h"
#include "tests/support/catch.h"
#include "tests/support/paths.h"
#include "tests/support/published_variants.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/throws.h"

#include <nlohmann/json.hpp>

#include <cmath>

using namespace moescope;
using namespace moescope::model;
using checkpoint::Checkpoint;
using tests::checkThrows;

namespace {

constexpr auto kFixtures = {"mixtral",
                            "mixtral-early",
                            "mistral-baseline",
                            "llama",
                            "deepseek",
                            "grok1",
                            "olmoe",
                            "qwen2_moe",
                            "qwen3_moe",
                            "deepseek_v2",
                            "deepseek_v3",
                            "phimoe",
                            "glm4_moe",
                            "minimax_m2",
                            "ernie4_5_moe",
                            "hunyuan_v1_moe",
                            "dots1",
                            "qwen3_next",
                            "dbrx",
                            "granitemoe",
                            "granitemoeshared",
                            "gpt_oss",
                            "minimax_m2-fp8",
                            "qwen3_5_moe",
                            "gemma4",
                            "llama4",
                            "bailing_moe",
                            "bailing_moe-variant",
                            "bailing_moe_v2",
                            "kimi_k2"};

std::filesystem::path folderOf(const std::string& name) {
    return tests::referenceDir() / "models" / name;
}

ModelSpec loadReference(const std::string& name) {
    return loadSpec(Checkpoint(folderOf(name)));
}

/// The fixture's config with one key changed, where the language model keeps its keys.
std::string changed(const Checkpoint& checkpoint, std::string_view key,
                    const nlohmann::json& value) {
    auto config = nlohmann::json::parse(checkpoint.configText());
    auto& scope = config.contains("text_config") ? config["text_config"] : config;
    scope[std::string(key)] = value;
    return config.dump();
}

void refused(const std::string& fixture, std::string_view key, const nlohmann::json& value) {
    INFO(fixture << ", " << key << " " << value.dump());
    const Checkpoint checkpoint(folderOf(fixture));
    const std::string config = changed(checkpoint, key, value);
    checkThrows([&] { (void)loadSpec(checkpoint, config, "changed"); }, ErrorCode::BadCheckpoint,
                {"changed", std::string(key)});
}

}  // namespace

TEST_CASE("Families: a switch with a value that makes no sense is never ignored", "[core][model]") {
    for (const std::string fixture : kFixtures) {
        const Checkpoint checkpoint(folderOf(fixture));
        for (const std::string_view key : switchKeys()) {
            INFO(fixture << ", " << key);
            const std::string config = changed(checkpoint, key, "nonsense");
            try {
                (void)loadSpec(checkpoint, config, "changed");
                FAIL_CHECK("it was taken");
            } catch (const Error& error) {
                CHECK_THAT(error.what(), Catch::Contains(std::string(key)));
                CHECK_THAT(error.what(), Catch::Contains("nonsense"));
            }
        }
    }
}

TEST_CASE("Families: every stored element is counted once", "[core][model]") {
    for (const std::string fixture : kFixtures) {
        INFO(fixture);
        const Checkpoint checkpoint(folderOf(fixture));
        const ModelSpec spec = loadSpec(checkpoint);
        if (!spec.storage.empty()) {
            continue;  // what is stored are codes and scales
        }
        std::uint64_t stored = 0;
        for (const auto& tensor : checkpoint.tensors()) {
            const std::string name(tensor.name);
            const bool tiedHead = spec.tiedHead && name == "lm_head.weight";
            const bool outside =
                name.starts_with("mtp.") || name.starts_with("vision") ||
                name.starts_with("model.vision") || name.starts_with("model.visual") ||
                name.starts_with(spec.layersPrefix + std::to_string(spec.layerCount()) + ".");
            stored += tiedHead || outside ? 0 : elementCount(tensor.shape);
        }
        CHECK(sum(countParameters(spec).total) == stored);
    }
}

TEST_CASE("Families: published models have the published number of parameters", "[core][model]") {
    const auto account = [](void (*write)(const std::filesystem::path&)) {
        const tests::TemporaryFolder root;
        write(root / "model");
        const Checkpoint checkpoint(root / "model", checkpoint::Contents::HeadersOnly);
        return countParameters(loadSpec(checkpoint));
    };
    const auto billions = [](std::uint64_t count) { return static_cast<double>(count) / 1e9; };
    const auto grok = account(tests::writeGrok1);
    CHECK(sum(grok.total) == 315'684'820'992);  // published as 314 B
    const auto phi = account(tests::writePhi35Moe);
    CHECK(billions(sum(phi.total)) == Approx(41.9).epsilon(0.002));
    CHECK(billions(sum(phi.active)) == Approx(6.6).epsilon(0.01));
    const auto qwen = account(tests::writeQwen3Next80B);
    CHECK(billions(sum(qwen.total)) == Approx(79.7).epsilon(0.002));
    // Published as 3 B, without the embeddings.
    CHECK(billions(qwen.activeWithoutInputEmbedding() - qwen.of(Component::Head)) ==
          Approx(3.25).epsilon(0.03));
    const auto gemma = account(tests::writeGemma4With26B);
    CHECK(billions(sum(gemma.total)) == Approx(25.2).epsilon(0.002));
    CHECK(billions(sum(gemma.active)) == Approx(3.8).epsilon(0.01));
    const auto scout = account(tests::writeLlama4Scout);  // 109 B with the vision tower
    CHECK(billions(sum(scout.total)) == Approx(107.8).epsilon(0.002));
    CHECK(billions(sum(scout.active)) == Approx(17.0).epsilon(0.015));
}

TEST_CASE("Families: Phi-3.5-MoE", "[core][model]") {
    const auto spec = loadReference("phimoe");
    CHECK(spec.normKind == NormKind::LayerNorm);
    CHECK(spec.finalNormBias == "model.norm.bias");
    CHECK(spec.head.bias == "lm_head.bias");
    const auto& layer = spec.layers.at(1);
    CHECK(layer.names.feedForwardNormBias == "model.layers.1.post_attention_layernorm.bias");
    CHECK(layer.moe->router.sparseMixerJitter == 0.2);
    CHECK(layer.attention.rope.scaling.kind == RopeScalingKind::LongRope);
    CHECK(layer.attention.rope.scaling.shortMultiplier == 1.1);
    CHECK(layer.attention.outputBias);
    refused("phimoe", "num_experts_per_tok", 3);
    refused("phimoe", "router_jitter_noise", -0.1);
}

TEST_CASE("Families: Grok-1", "[core][model]") {
    const auto spec = loadReference("grok1");
    CHECK(spec.tiedHead);
    CHECK(spec.embeddingScale == Approx(4.8989795));
    CHECK(spec.logitScale == Approx(0.57735027));
    const auto& layer = spec.layers.at(2);
    CHECK(layer.attention.scale == 0.6);
    CHECK(layer.attention.logitCap == 2.0);
    CHECK(layer.names.attentionOutputNorm == "model.layers.2.post_attn_norm.scale");
    CHECK(layer.moe->expert.activation == Activation::GeluErf);
    CHECK(layer.moe->router.renormalise == Renormalise::None);
    refused("grok1", "max_attn_value", 0.0);
    refused("grok1", "embedding_multiplier_scale", -1.0);
}

TEST_CASE("Families: Qwen3-Next", "[core][model]") {
    const auto spec = loadReference("qwen3_next");
    CHECK(spec.normKind == NormKind::RmsPlusOne);
    REQUIRE(spec.layers.at(1).delta.has_value());
    CHECK(spec.layers.at(1).delta->channels() == 44);
    CHECK(spec.layers.at(1).delta->packedByKeyHead);
    CHECK(spec.layers.at(1).names.q.weight.empty());
    const auto& full = spec.layers.at(2);
    CHECK_FALSE(full.delta.has_value());
    CHECK(full.attention.outputGate);
    CHECK(full.attention.qkNormKind == NormKind::RmsPlusOne);
    CHECK(full.attention.rope.rotaryDim == 4);
    CHECK(full.moe->sharedGate);
    CHECK_THAT(spec.notes.at(0), Catch::Contains("mtp.fc.weight"));
    refused("qwen3_next", "layer_types", {"linear_attention"});
    refused("qwen3_next", "layer_types", {"mamba", "mamba", "full_attention"});
    refused("qwen3_next", "linear_num_value_heads", 3);
    refused("qwen3_next", "full_attention_interval", 0);
    refused("qwen3_next", "hidden_act", "gelu");
}

TEST_CASE("Families: Ling", "[core][model]") {
    const auto first = loadReference("bailing_moe");
    CHECK(first.embeddingName == "model.word_embeddings.weight");
    CHECK(first.normalisedHead);
    CHECK(first.layers.at(1).names.q.weight.part.has_value());
    CHECK(first.layers.at(1).moe->shared->intermediateSize == 14);
    CHECK(first.layers.at(1).moe->router.score == RouterScore::Softmax);
    CHECK(first.layers.at(1).attention.rope.rotaryDim == 8);
    const auto second = loadReference("bailing_moe_v2");
    const auto& layer = second.layers.at(2);
    CHECK(layer.attention.qkNorm == QkNorm::PerHead);
    CHECK(layer.attention.rope.rotaryDim == 4);
    CHECK(layer.moe->router.score == RouterScore::Sigmoid);
    CHECK(layer.moe->router.keptGroups == 2);
    CHECK(layer.moe->router.scale == 2.5);
    CHECK(layer.names.selectionBias == "model.layers.2.mlp.gate.expert_bias");
    refused("bailing_moe", "use_sliding_window", true);
    refused("bailing_moe", "use_rmsnorm", false);
    refused("bailing_moe", "tie_word_embeddings", true);
    refused("bailing_moe_v2", "score_function", "softmax");
    refused("bailing_moe_v2", "router_dtype", "bf16");
    refused("bailing_moe_v2", "norm_topk_prob", false);
}

TEST_CASE("Families: Gemma-4", "[core][model]") {
    const auto spec = loadReference("gemma4");
    CHECK(spec.tiedHead);
    CHECK(spec.embeddingScale == Approx(std::sqrt(20.0)));
    CHECK(spec.logitCap == 3.0);
    CHECK_THAT(spec.notes.at(0), Catch::Contains("vision_tower"));
    const auto& sliding = spec.layers.at(2);
    CHECK(sliding.attention.slidingWindow == 5);
    CHECK(sliding.attention.headDim == 6);
    CHECK(sliding.attention.headsKv == 2);
    CHECK(sliding.attention.rope.theta == 1e4);
    CHECK_FALSE(sliding.attention.valueIsKey);
    const auto& full = spec.layers.at(3);
    CHECK_FALSE(full.attention.slidingWindow.has_value());
    CHECK(full.attention.headDim == 12);
    CHECK(full.attention.headsKv == 1);
    CHECK(full.attention.rope.theta == 1e6);
    CHECK(full.attention.rope.rotaryDim == 12);
    CHECK(full.attention.rope.turningPairs == 3);
    CHECK(full.attention.valueIsKey);
    CHECK(full.attention.scale == 1.0);
    CHECK(full.names.v.weight.empty());
    CHECK(full.moe->shared->intermediateSize == 17);
    CHECK(full.moe->expert.activation == Activation::GeluTanh);
    CHECK(full.names.sharedInputNorm ==
          "model.language_model.layers.3.pre_feedforward_layernorm.weight");
    refused("gemma4", "enable_moe_block", false);
    refused("gemma4", "hidden_size_per_layer_input", 256);
    refused("gemma4", "num_kv_shared_layers", 1);
    refused("gemma4", "use_bidirectional_attention", "all");
    refused("gemma4", "layer_types", {"full_attention"});
    refused("gemma4", "num_global_key_value_heads", 3);
}

TEST_CASE("Families: Llama-4", "[core][model]") {
    const auto spec = loadReference("llama4");
    CHECK(spec.embeddingName == "language_model.model.embed_tokens.weight");
    CHECK(spec.head.weight == "language_model.lm_head.weight");
    const auto& turned = spec.layers.at(0).attention;
    CHECK(turned.rope.enabled);
    CHECK(turned.rope.style == RopeStyle::Interleaved);
    CHECK(turned.chunk == 6);
    CHECK(turned.qkNormKind == NormKind::RmsWeightless);
    CHECK(turned.qkNormAfterRope);
    CHECK_FALSE(turned.temperature.has_value());
    const auto& still = spec.layers.at(1);
    CHECK_FALSE(still.attention.rope.enabled);
    CHECK_FALSE(still.attention.chunk.has_value());
    CHECK(still.attention.qkNorm == QkNorm::None);
    CHECK(still.attention.temperature->strength == 0.4);
    CHECK(still.attention.temperature->step == 4.0);
    REQUIRE(still.isRouted());
    CHECK(still.moe->scaleInput);
    CHECK(still.moe->router.selectOnLogits);
    CHECK(spec.layers.at(2).dense->intermediateSize == 21);
    refused("llama4", "no_rope_layers", {1, 0});
    refused("llama4", "no_rope_layers", {1, 0, 2, 1});
    refused("llama4", "layer_types", {"chunked_attention"});
    refused("llama4", "floor_scale", 0);
}
