// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/model_card.h"

#include "tests/support/catch.h"
#include "tests/support/gguf_builder.h"
#include "tests/support/paths.h"
#include "tests/support/published_models.h"
#include "tests/support/temporary_folder.h"

#include <nlohmann/json.hpp>

#include <ctime>
#include <functional>

using namespace moescope;
using namespace moescope::model;
using checkpoint::Checkpoint;
using checkpoint::Contents;
using tests::TemporaryFolder;

namespace {

ModelCard cardOf(const std::function<void(const std::filesystem::path&)>& write) {
    const tests::TemporaryFolder root;
    write(root / "the-model");
    return makeModelCard(Checkpoint(root / "the-model", Contents::HeadersOnly), "a tokenizer");
}

/// Only the header of Qwen3-235B-A22B in F16 as llama.cpp writes it.
void writeQwen3Gguf(const std::filesystem::path& path) {
    constexpr std::uint32_t kF32 = 0;
    constexpr std::uint32_t kF16 = 1;
    constexpr std::uint32_t kFloat = 6;
    tests::GgufBuilder builder;
    std::uint64_t offset = 0;
    const auto add = [&](const std::string& name, const std::vector<std::uint64_t>& dimensions) {
        const std::uint32_t type = dimensions.size() == 1 ? kF32 : kF16;
        std::uint64_t bytes = type == kF32 ? 4 : 2;
        for (const auto dimension : dimensions) {
            bytes *= dimension;
        }
        builder.tensor(name, dimensions, type, offset);
        offset += (bytes + builder.alignment - 1) / builder.alignment * builder.alignment;
    };
    builder.text("general.architecture", "qwen3moe")
        .number("qwen3moe.attention.layer_norm_rms_epsilon", kFloat, 1e-6F)
        .number("qwen3moe.rope.freq_base", kFloat, 1e6F);
    for (const auto& [key, value] :
         std::vector<std::pair<std::string, std::uint32_t>>{{"block_count", 94},
                                                            {"context_length", 40960},
                                                            {"embedding_length", 4096},
                                                            {"feed_forward_length", 12288},
                                                            {"attention.head_count", 64},
                                                            {"attention.head_count_kv", 4},
                                                            {"attention.key_length", 128},
                                                            {"attention.value_length", 128},
                                                            {"expert_count", 128},
                                                            {"expert_used_count", 8},
                                                            {"expert_feed_forward_length", 1536}}) {
        builder.integer("qwen3moe." + key, value);
    }
    add("token_embd.weight", {4096, 151936});
    add("output_norm.weight", {4096});
    add("output.weight", {4096, 151936});
    for (int layer = 0; layer < 94; ++layer) {
        const std::string at = "blk." + std::to_string(layer) + ".";
        add(at + "attn_norm.weight", {4096});
        add(at + "attn_q.weight", {4096, 8192});
        add(at + "attn_k.weight", {4096, 512});
        add(at + "attn_v.weight", {4096, 512});
        add(at + "attn_output.weight", {8192, 4096});
        add(at + "attn_q_norm.weight", {128});
        add(at + "attn_k_norm.weight", {128});
        add(at + "ffn_norm.weight", {4096});
        add(at + "ffn_gate_inp.weight", {4096, 128});
        add(at + "ffn_gate_exps.weight", {4096, 1536, 128});
        add(at + "ffn_up_exps.weight", {4096, 1536, 128});
        add(at + "ffn_down_exps.weight", {1536, 4096, 128});
    }
    tests::writeFile(path, builder.bytes());
}

void checkContains(const std::string& text, const std::vector<std::string>& parts) {
    for (const auto& part : parts) {
        CHECK_THAT(text, Catch::Contains(part));
    }
}

}  // namespace

TEST_CASE("Model card: Mixtral 8x7B", "[core][model]") {
    const auto card = cardOf(tests::writeMixtral8x7B);
    checkContains(
        toText(card),
        {"the-model (Mixtral)", "MixtralForCausalLM, stored as bfloat16", "32: 32 routed (0-31)",
         "8 of width 14336 (silu), 2 chosen per token", "softmax over 8, top 2, renormalised",
         "32 query heads, 8 key/value heads", "theta 1000000, 32768 positions",
         "46.70 B     12.88 B", "Mistral 7B 7.24 B", "headers without all weights",
         "BF16 87.0 GiB (995 tensors)", "256 in all", "a tokenizer"});
    CHECK_THAT(toText(card), !Catch::Contains("Shared experts"));

    const auto json = nlohmann::json::parse(toJson(card));
    CHECK(json["supported"] == true);
    CHECK(json["family"] == "mixtral");
    CHECK(json["parameters"]["total"] == 46702792704);
    CHECK(json["parameters"]["active"] == 12879925248);
    CHECK(json["layers"].size() == 32);
    CHECK(json["layers"][31]["experts"] == 8);
    CHECK(json["layers"][0]["attention"]["sliding_window"].is_null());
    CHECK(json["router"][0]["description"] == "softmax over 8, top 2, renormalised");
    CHECK(json["storage"]["by_dtype"][0]["bytes"] == 93405585408);
}

TEST_CASE("Model card: layers of several kinds", "[core][model]") {
    const auto card = cardOf(tests::writeDeepSeekMoe16B);
    checkContains(toText(card),
                  {"28: 1 dense (0), 27 routed (1-27)",
                   "64 of width 1408 (silu), 6 chosen per token, 2 shared (fused)", "(layers 1-27)",
                   "width 10944 (silu) (layer 0)", "softmax over 64, top 6, not renormalised",
                   "16.38 B", "2.83 B", "Shared experts"});
    const auto json = nlohmann::json::parse(toJson(card));
    CHECK(json["layers"][0]["kind"] == "dense");
    CHECK(json["layers"][0]["width"] == 10944);
    CHECK(json["layers"][27]["shared_experts"] == 2);
}

TEST_CASE("Model card: quantised models, and what is published of them", "[core][model]") {
    const auto deepseek = cardOf(tests::writeDeepSeekV3);
    checkContains(toText(deepseek),
                  {"Quantised     FP8 (E4M3), a scale per tile of 128 x 128",
                   "671.03 B     37.55 B", "DeepSeek-V3: 671 B, 37 B per token (arXiv:2412.19437)",
                   "1 layer beyond the last (61) left out", "F8_E4M3 ",
                   "from the best 4 of 8 groups", "YaRN scaling by 40 from 4096"});
    const auto json = nlohmann::json::parse(toJson(deepseek));
    CHECK(json["quantised"] == "FP8 (E4M3), a scale per tile of 128 x 128");
    CHECK(json["published"]["total"] == 671e9);

    const auto gptOss = cardOf(tests::writeGptOss20B);
    checkContains(toText(gptOss),
                  {"Quantised     MXFP4", "20.91 B      4.19 B",
                   // NOLINTNEXTLINE(bugprone-suspicious-missing-comma): one line of the card
                   "gpt-oss-20b: 20.9 B, 3.6 B per token (arXiv:2508.10925); per token without the "
                   "input embedding",
                   "3.61 B", "sliding window 128", "softmax over the chosen"});
    const auto mixtral = cardOf(tests::writeMixtral8x7B);
    CHECK_THAT(toText(mixtral), !Catch::Contains("Quantised"));
    CHECK_THAT(toText(mixtral), Catch::Contains("46.7 B, 12.9 B per token"));
    CHECK(nlohmann::json::parse(toJson(mixtral))["quantised"].is_null());
}

TEST_CASE("Model card: what is left out is named by its kind", "[core][model]") {
    const TemporaryFolder root;
    constexpr std::string_view kConfig = R"({"model_type": "llama", "vocab_size": 32,
        "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 4,
        "num_key_value_heads": 2, "head_dim": 4, "intermediate_size": 6})";
    tests::ShapeWriter({})
        .skeleton()
        .dense(6)
        .add("mtp.fc.weight", {8, 16})
        .add("model.visual.patch_embed.weight", {4, 3})
        .add("model.visual.norm.weight", {4})
        .add("score.weight", {2, 8})
        .write(root / "m", kConfig);
    const auto text = toText(makeModelCard(Checkpoint(root / "m", Contents::HeadersOnly)));
    checkContains(text, {"1 tensor of multi-token prediction left out, such as \"mtp.fc.weight\"",
                         "2 tensors of a vision or audio tower left out", "1 tensor not part of"});
    // Below the model's own prefix nothing is left out on a guess.
    tests::ShapeWriter({})
        .skeleton()
        .dense(6)
        .add("model.norm.bias", {8})
        .write(root / "n", kConfig);
    const auto other = makeModelCard(Checkpoint(root / "n", Contents::HeadersOnly));
    CHECK_THAT(other.unsupported, Catch::Contains("model.norm.bias"));
}

TEST_CASE("Model card: a model that cannot be run has one, with the reason", "[core][model]") {
    const auto card = cardOf([](const std::filesystem::path& folder) {
        tests::ShapeWriter({}).skeleton().write(
            folder, R"({"model_type": "perceiver", "architectures": ["P"]})");
    });
    CHECK_FALSE(card.spec.has_value());
    checkContains(toText(card), {"the-model\n", "Unsupported", "perceiver", "Mixtral", "BF16"});
    const auto json = nlohmann::json::parse(toJson(card));
    CHECK(json["supported"] == false);
    CHECK(json["model_type"] == "perceiver");
    CHECK_THAT(json["unsupported"].get<std::string>(), Catch::Contains("perceiver"));
    CHECK_FALSE(json.contains("parameters"));
}

TEST_CASE("Model card: notes and a folder name that is not UTF-8", "[core][model]") {
    const tests::TemporaryFolder root;
    const auto folder = root.path() / "caf\xE9";
    tests::ShapeWriter({}).skeleton().dense(6).add("vision.weight", {3}).write(folder, R"({
        "model_type": "llama", "vocab_size": 32, "hidden_size": 8, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 4, "intermediate_size": 6})");
    const auto card = makeModelCard(Checkpoint(folder, Contents::HeadersOnly));
    checkContains(toText(card), {"Note", "vision.weight"});
    CHECK(nlohmann::json::parse(toJson(card))["notes"].size() == 1);
    CHECK(nlohmann::json::parse(toJson(card))["tokenizer"].is_null());
}

TEST_CASE("Model card: the fixtures", "[core][model]") {
    for (const auto* name :
         {"mixtral", "mixtral-early", "deepseek", "deepseek-variant", "llama", "mistral-window",
          "mistral-baseline", "olmoe", "qwen2_moe", "qwen3_moe", "dots1", "ernie4_5_moe",
          "hunyuan_v1_moe", "minimax_m2", "deepseek_v2", "deepseek_v2-lite", "dbrx", "granitemoe",
          "granitemoeshared"}) {
        INFO(name);
        const auto card = makeModelCard(Checkpoint(tests::referenceDir() / "models" / name));
        CHECK(card.unsupported.empty());
        CHECK(card.spec.has_value());
        CHECK(sum(card.parameters.total) == card.storedElements);
    }
}

TEST_CASE("Model card: a large model's card takes well under a second", "[core][model]") {
    const tests::TemporaryFolder root;
    tests::writeDeepSeekV3(root / "m");  // 91000 tensors
    const std::clock_t start = std::clock();
    const auto text = toText(makeModelCard(Checkpoint(root / "m", Contents::HeadersOnly)));
    const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    INFO(text);
    CHECK(seconds < 5.0);  // of the processor; measured: 0.7 s
}

TEST_CASE("Model card: a large GGUF model's, from its header alone", "[core][model]") {
    const tests::TemporaryFolder root;
    writeQwen3Gguf(root / "m.gguf");
    const std::clock_t start = std::clock();
    const auto card = makeModelCard(Checkpoint(root / "m.gguf", Contents::HeadersOnly));
    const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    checkContains(toText(card), {"235.09 B", "22.19 B", "128 of width 1536 (silu), 8 chosen",
                                 "softmax over 128, top 8", "F16"});
    CHECK(seconds < 5.0);  // of the processor, as above
}
