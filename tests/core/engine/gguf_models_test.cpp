// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/forward_trace.h"
#include "core/model/parameters.h"
#include "tests/core/engine/reference_model.h"
#include "tests/support/catch.h"
#include "tests/support/gguf_builder.h"
#include "tests/support/safetensors_builder.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/throws.h"

#include <algorithm>

using namespace moescope;
using tests::largestDifference;
using tests::ReferenceModel;
namespace fs = std::filesystem;

namespace {

constexpr double kTolerance = 1e-4;  ///< absolute, float32

fs::path ggufDir() {
    return tests::referenceDir() / "gguf";
}

/// What a GGUF file's model is expected to give: the fixture's own values, unless the file cannot
/// say all that the fixture's config.json says.
fs::path expectedOf(const std::string& name, const std::string& fixture) {
    const fs::path own = ggufDir() / (name + ".safetensors");
    return fs::exists(own) ? own
                           : tests::referenceDir() / "models" / fixture / "expected.safetensors";
}

void compareRouted(const ReferenceModel& model, const engine::ForwardTrace::RoutedLayer& layer,
                   int index) {
    const std::string prefix = "layers." + std::to_string(index) + ".";
    const std::size_t tokens = model.corpus.tokenCount();
    INFO(prefix);
    const auto chosen = model.expected.array(prefix + "chosen_experts");
    const auto ours = layer.chosen.values<std::int64_t>();
    const auto theirs = chosen.values<std::int32_t>();
    CHECK(std::equal(ours.begin(), ours.end(), theirs.begin(), theirs.end()));
    CHECK(largestDifference(layer.weights.values<float>(),
                            model.expected.floats(prefix + "weights"), tokens) < 1e-5);
    CHECK(largestDifference(layer.selection.values<float>(),
                            model.expected.floats(prefix + "selection_scores"),
                            tokens) < kTolerance);
    // Ours lie column by column, theirs token by token.
    const auto norms = model.expected.floats(prefix + "expert_output_norms");
    const auto hidden = static_cast<std::size_t>(model.spec.hiddenSize);
    const auto outputs =
        tests::outputsByToken(layer.outputs.values<float>(), norms.size() / tokens, tokens, hidden);
    CHECK(tests::lastRowsDifference(outputs, model.expected.floats(prefix + "expert_outputs"),
                                    tokens) < kTolerance);
    CHECK(largestDifference(tests::norms(outputs, hidden), norms, tokens) < kTolerance);
}

void compare(const ReferenceModel& model) {
    const auto trace = model.trace();
    const std::size_t tokens = model.corpus.tokenCount();
    const auto hidden = model.expected.floats("hidden");
    const std::size_t layerSize = tokens * static_cast<std::size_t>(model.spec.hiddenSize);
    REQUIRE(trace.hidden.size() * layerSize == hidden.size());
    std::size_t routed = 0;
    for (int layer = 0; layer < model.spec.layerCount(); ++layer) {
        const auto index = static_cast<std::size_t>(layer);
        INFO("into layer " << layer);
        CHECK(largestDifference(trace.hidden[index].values<float>(),
                                std::span(hidden).subspan(index * layerSize, layerSize),
                                tokens) < kTolerance);
        const auto found = trace.routed.find(LayerId{layer});
        if (found != trace.routed.end()) {
            compareRouted(model, found->second, layer);
            ++routed;
        }
    }
    CHECK(routed == static_cast<std::size_t>(
                        std::count_if(model.spec.layers.begin(), model.spec.layers.end(),
                                      [](const auto& layer) { return layer.isRouted(); })));
    CHECK(tests::lastRowsDifference(trace.logits.values<float>(), model.expected.floats("logits"),
                                    tokens) < kTolerance);
}

/// The metadata that every architecture has, for a model of `layers` layers, each with one tensor.
tests::GgufBuilder minimal(const std::string& arch, std::uint32_t layers,
                           std::uint32_t context = 32768) {
    constexpr std::uint64_t kTensorBytes = 32;
    tests::GgufBuilder builder;
    builder.text("general.architecture", arch).integer(arch + ".block_count", layers);
    for (const auto& [key, value] :
         std::vector<std::pair<std::string, std::uint32_t>>{{"embedding_length", 4096},
                                                            {"attention.head_count", 32},
                                                            {"attention.head_count_kv", 8},
                                                            {"feed_forward_length", 14336},
                                                            {"context_length", context}}) {
        builder.integer(arch + "." + key, value);
    }
    for (std::uint32_t layer = 0; layer < layers; ++layer) {
        builder.tensor("blk." + std::to_string(layer) + ".attn_norm.weight", {8}, 0,
                       layer * kTensorBytes);
    }
    return builder;
}

/// The config.json that the file amounts to.
std::string configOf(const tests::GgufBuilder& builder, std::uint32_t layers = 1) {
    const tests::TemporaryFolder root;
    tests::writeFile(root / "m.gguf", builder.bytes(std::string(32UL * layers, '\0')));
    return checkpoint::Checkpoint(root / "m.gguf").configText();
}

}  // namespace

TEST_CASE("GGUF: Mistral's window, which its files do not state", "[core][engine]") {
    constexpr std::uint32_t kFloat = 6;
    const auto contains = [](const std::string& text) { return Catch::Contains(text); };
    const auto file = [&](std::uint32_t layers, float theta) {
        auto builder = minimal("llama", layers);
        builder.number("llama.rope.freq_base", kFloat, theta);
        return configOf(builder, layers);
    };
    CHECK_THAT(file(32, 10000.0F), contains("\"sliding_window\": 4096"));
    CHECK_THAT(file(32, 10000.0F), contains("\"model_type\": \"mistral\""));
    // Version 0.2 has another theta and no window, as Llama has none.
    CHECK_THAT(file(32, 1e6F), !contains("sliding_window"));
    CHECK_THAT(file(31, 10000.0F), contains("\"model_type\": \"llama\""));
    auto stated = minimal("llama", 1);
    stated.integer("llama.attention.sliding_window", 77);
    CHECK_THAT(configOf(stated), contains("\"sliding_window\": 77"));
}

TEST_CASE("GGUF: Phi-3.5-MoE's RoPE is the published one", "[core][engine]") {
    constexpr std::uint32_t kFloat = 6;
    constexpr std::uint32_t kRoom = 20;  // for the factors' bytes
    const auto config = [](std::uint32_t context) {
        auto builder = minimal("phimoe", 1, context);
        builder.integer("phimoe.expert_count", 16)
            .integer("phimoe.expert_used_count", 2)
            .integer("phimoe.rope.scaling.original_context_length", 4096)
            .number("phimoe.rope.scaling.attn_factor", kFloat, 1.1902381F)
            .tensor("rope_factors_long.weight", {64}, 0, 32)
            .tensor("rope_factors_short.weight", {64}, 0, 288);
        return configOf(builder, kRoom);
    };
    CHECK_THAT(config(131072), Catch::Contains("\"short_mscale\": 1.243163121016122"));
    CHECK_THAT(config(65536), !Catch::Contains("short_mscale"));
}

TEST_CASE("GGUF: settings that the family of an architecture has not", "[core][engine]") {
    constexpr std::uint32_t kFloat = 6;
    constexpr std::uint32_t kFlag = 7;
    const auto refuse = [](const tests::GgufBuilder& builder, ErrorCode code,
                           const std::vector<std::string>& words) {
        tests::checkThrows([&] { (void)configOf(builder); }, code, words);
    };
    const auto mixture = [](const std::string& arch) {
        auto builder = minimal(arch, 1);
        builder.integer(arch + ".expert_count", 8).integer(arch + ".expert_used_count", 2);
        return builder;
    };
    CHECK_THAT(configOf(mixture("grok")), Catch::Contains("\"max_attn_value\": 30.0"));
    refuse(mixture("grok").number("grok.final_logit_softcapping", kFloat, 50.0F),
           ErrorCode::Unsupported, {"m.gguf", "grok.final_logit_softcapping", "50"});
    refuse(mixture("granitemoe").number("granitemoe.rope.scaling.finetuned", kFlag, false),
           ErrorCode::BadCheckpoint, {"granitemoe.rope.scaling.finetuned", "RoPE"});
    refuse(mixture("gpt-oss").integer("gpt-oss.expert_gating_func", 1), ErrorCode::BadCheckpoint,
           {"gpt-oss.expert_gating_func", "3, this family's"});
    refuse(mixture("llama4").integer("llama4.attention.sliding_window", 0),
           ErrorCode::BadCheckpoint, {"llama4.attention.sliding_window", "8192"});
    refuse(mixture("phimoe").text("phimoe.rope.scaling.type", "longrope"), ErrorCode::Unsupported,
           {"longrope", "rope_factors_long"});
    refuse(mixture("bailingmoe2").integer("bailingmoe2.expert_gating_func", 2),
           ErrorCode::BadCheckpoint, {"bailingmoe2.expert_group_count", "absent"});
    refuse(mixture("qwen3next"), ErrorCode::BadCheckpoint, {"qwen3next.ssm.time_step_rank"});
    refuse(mixture("gemma4").integer("gemma4.attention.sliding_window_pattern", 1),
           ErrorCode::BadCheckpoint, {"gemma4.attention.sliding_window"});
    // Divisors of the file and a scaling of its settings: neither may be dropped silently.
    auto both = minimal("llama", 1);
    both.text("llama.rope.scaling.type", "linear")
        .number("llama.rope.scaling.factor", kFloat, 2.0F)
        .tensor("rope_freqs.weight", {64}, 0, 32);
    tests::checkThrows([&] { (void)configOf(both, 20); }, ErrorCode::Unsupported,
                       {"m.gguf", "divided", "linear"});
}

TEST_CASE("GGUF: converted models give the values of their fixtures", "[core][engine]") {
    const auto [name, fixture] =
        GENERATE(table<std::string, std::string>({{"mixtral-00001-of-00003", "mixtral"},
                                                  {"mixtral-unmerged", "mixtral"},
                                                  {"mixtral-quantised", ""},
                                                  {"mixtral-k-quantised", ""},
                                                  {"llama", "llama"},
                                                  {"deepseek", "deepseek"},
                                                  {"deepseek_v2-lite", "deepseek_v2-lite"},
                                                  {"deepseek_v2", "deepseek_v2"},
                                                  {"deepseek_v3", "deepseek_v3"},
                                                  {"qwen2_moe", "qwen2_moe"},
                                                  {"qwen3_moe", "qwen3_moe"},
                                                  {"olmoe", "olmoe"},
                                                  {"glm4_moe", "glm4_moe"},
                                                  {"dots1", "dots1"},
                                                  {"ernie4_5_moe", "ernie4_5_moe"},
                                                  {"hunyuan_v1_moe", "hunyuan_v1_moe"},
                                                  {"minimax_m2", "minimax_m2"},
                                                  {"granitemoe", "granitemoe"},
                                                  {"granitemoeshared", "granitemoeshared"},
                                                  {"gpt_oss", "gpt_oss"},
                                                  {"phimoe", "phimoe"},
                                                  {"dbrx", "dbrx"},
                                                  {"grok1", "grok1"},
                                                  {"bailing_moe", "bailing_moe"},
                                                  {"bailing_moe-variant", "bailing_moe-variant"},
                                                  {"bailing_moe_v2", "bailing_moe_v2"},
                                                  {"llama4", "llama4"},
                                                  {"qwen3_next", "qwen3_next"},
                                                  {"qwen3_next-packed", "qwen3_next"},
                                                  {"qwen3_5_moe", "qwen3_5_moe"},
                                                  {"gemma4", "gemma4"}}));
    INFO(name);
    const ReferenceModel model(ggufDir() / (name + ".gguf"), expectedOf(name, fixture));
    compare(model);
    if (!fixture.empty()) {
        const ReferenceModel hub(fixture);
        CHECK(model.spec.family == hub.spec.family);
        CHECK(model::sum(model::countParameters(model.spec).total) ==
              model::sum(model::countParameters(hub.spec).total));
        CHECK(model.checkpoint.identity() != hub.checkpoint.identity());
    }
}

TEST_CASE("GGUF: a split model, a folder, and what is in the way", "[core][engine]") {
    using checkpoint::Checkpoint;
    const Checkpoint split(ggufDir() / "mixtral-00002-of-00003.gguf");
    CHECK(split.files().size() == 3);
    CHECK(split.displayName() == "mixtral");
    CHECK(split.tokenizerPath().filename() == "mixtral-00001-of-00003.gguf");
    tests::checkThrows([] { (void)Checkpoint(ggufDir()); }, ErrorCode::BadCheckpoint,
                       {"GGUF models", "choose one", "dots1.gguf"});
    CHECK(checkpoint::findCheckpoints(ggufDir()).size() == 31);

    const tests::TemporaryFolder root;
    fs::copy_file(ggufDir() / "mixtral-00001-of-00003.gguf", root / "m-00001-of-00003.gguf");
    tests::checkThrows([&] { (void)Checkpoint(root.path()); }, ErrorCode::FileNotFound,
                       {"m-00002-of-00003.gguf", "one of 3"});
    fs::remove(root / "m-00001-of-00003.gguf");
    fs::copy_file(ggufDir() / "olmoe.gguf", root / "olmoe.gguf");
    tests::writeFile(root / "mmproj-olmoe.gguf", "not looked at");
    CHECK(Checkpoint(root.path()).displayName() == "olmoe");
    CHECK(Checkpoint(root.path()).identity() == Checkpoint(ggufDir() / "olmoe.gguf").identity());
    tests::writeFile(root / "model.safetensors", "weights win, but need a config.json");
    CHECK(Checkpoint(root.path()).displayName() == "olmoe");
}

TEST_CASE("GGUF: architectures, types and settings that are not known", "[core][engine]") {
    const std::string file = readTextFile(ggufDir() / "qwen3_moe.gguf");
    const tests::TemporaryFolder root;
    const auto changed = [&](const std::string& from, const std::string& to) {
        std::string text = file;
        for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + 1)) {
            text.replace(at, from.size(), to);
        }
        REQUIRE(text != file);
        tests::writeFile(root / "m.gguf", text);
        return [&root] { (void)checkpoint::Checkpoint(root / "m.gguf"); };
    };
    tests::checkThrows(changed("qwen3moe", "mamba999"), ErrorCode::UnknownFamily,
                       {"m.gguf", "mamba999", "qwen3moe", "deepseek2"});
    tests::checkThrows(changed("qwen3moe.expert_used_count", "qwen3moe.expert_used_kount"),
                       ErrorCode::BadCheckpoint, {"expert_used_count", "absent"});
    tests::checkThrows(
        changed("attention.layer_norm_rms_epsilon", "attention.layer_norm_rmx_epsilon"),
        ErrorCode::Unsupported, {"layer_norm_rmx_epsilon", "1e-06"});
    const ReferenceModel model(ggufDir() / "qwen3_moe.gguf", expectedOf("qwen3_moe", "qwen3_moe"));
    CHECK(model.checkpoint.configText().find("\"norm_topk_prob\": true") != std::string::npos);
    (void)changed("ffn_norm.weight", "ffn_nork.weight");
    tests::checkThrows([&] { (void)model::loadSpec(checkpoint::Checkpoint(root / "m.gguf")); },
                       ErrorCode::MissingTensor, {"post_attention_layernorm"});
}
