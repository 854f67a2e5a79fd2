// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/quantisation.h"

#include "core/base/error.h"
#include "core/model/load_spec.h"
#include "core/model/parameters.h"
#include "tests/support/catch.h"
#include "tests/support/model_shapes.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/throws.h"

#include <nlohmann/json.hpp>

using namespace moescope;
using namespace moescope::model;
using checkpoint::Checkpoint;
using checkpoint::Contents;
using checkpoint::Dtype;
using nlohmann::json;
using tests::checkThrows;
using tests::ShapeWriter;
using tests::TemporaryFolder;

namespace {

/// What is read from a config.json with this section.
struct Reading {
    Quantisation quantisation;
    std::vector<std::string> notes;
};
Reading read(const json& section) {
    const Config config(json{{"quantization_config", section}}.dump(), "config.json");
    Reading result;
    result.quantisation = readQuantisation(config, result.notes);
    return result;
}

json fp8() {
    return {{"quant_method", "fp8"},
            {"fmt", "e4m3"},
            {"activation_scheme", "dynamic"},
            {"weight_block_size", {128, 128}}};
}

json int4() {
    return {{"quant_method", "compressed-tensors"},
            {"format", "pack-quantized"},
            {"quantization_status", "compressed"},
            {"kv_cache_scheme", nullptr},
            {"sparsity_config", json::object()},
            {"ignore", {"lm_head"}},
            {"config_groups",
             {{"group_0",
               {{"targets", {"Linear"}},
                {"weights",
                 {{"num_bits", 4},
                  {"type", "int"},
                  {"symmetric", true},
                  {"strategy", "group"},
                  {"group_size", 32},
                  {"actorder", nullptr}}}}}}}};
}

/// The weights' part of a compressed-tensors config with one key changed.
json withWeights(const std::string& format, const json& changes) {
    json section = int4();
    section["format"] = format;
    section["config_groups"]["group_0"]["weights"].update(changes);
    return section;
}

/// hidden 8, 2 layers, 3 experts of width 6, in float8 with 4 x 4 tiles.
ShapeWriter tinyFp8() {
    ShapeWriter writer({});
    const auto matrix = [&](const std::string& name, std::uint64_t rows, std::uint64_t columns) {
        writer.add(name, {rows, columns}, Dtype::F8_E4M3)
            .add(name + "_scale_inv", {(rows + 3) / 4, (columns + 3) / 4}, Dtype::F32);
    };
    writer.add("model.embed_tokens.weight", {32, 8})
        .add("model.norm.weight", {8})
        .add("lm_head.weight", {32, 8});
    for (std::uint64_t layer = 0; layer < 2; ++layer) {
        const std::string prefix = ShapeWriter::prefix(layer);
        writer.add(prefix + "input_layernorm.weight", {8})
            .add(prefix + "post_attention_layernorm.weight", {8})
            .add(prefix + "block_sparse_moe.gate.weight", {3, 8});
        matrix(prefix + "self_attn.q_proj.weight", 16, 8);
        matrix(prefix + "self_attn.k_proj.weight", 8, 8);
        matrix(prefix + "self_attn.v_proj.weight", 8, 8);
        matrix(prefix + "self_attn.o_proj.weight", 8, 16);
        for (int expert = 0; expert < 3; ++expert) {
            const std::string path =
                prefix + "block_sparse_moe.experts." + std::to_string(expert) + ".";
            matrix(path + "w1.weight", 6, 8);
            matrix(path + "w3.weight", 6, 8);
            matrix(path + "w2.weight", 8, 6);
        }
    }
    return writer;
}

json tinyConfig(const json& quantisation) {
    json config{{"architectures", {"MixtralForCausalLM"}},
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
    if (!quantisation.is_null()) {
        config["quantization_config"] = quantisation;
    }
    return config;
}

ModelSpec load(const ShapeWriter& tensors, const json& config) {
    const TemporaryFolder root;
    tensors.write(root / "tiny", config.dump());
    return loadSpec(Checkpoint(root / "tiny", Contents::HeadersOnly));
}

}  // namespace

TEST_CASE("Quantisation: the published forms are understood", "[core][model]") {
    const auto text = [](const json& section) {
        return quantisationText(read(section).quantisation);
    };
    CHECK(text(fp8()) == "FP8 (E4M3), a scale per tile of 128 x 128");
    CHECK(text({{"quant_method", "fp8"}, {"fmt", "float8_e4m3fn"}}) ==
          "FP8 (E4M3), a scale per tensor");
    CHECK(text({{"quant_method", "mxfp4"}, {"modules_to_not_convert", {"lm_head"}}}) ==
          "MXFP4, a power of two per 32 values of a row");
    CHECK(text(int4()) == "int4, a scale per 32 values of a row");
    CHECK(text(withWeights("float-quantized",
                           {{"num_bits", 8}, {"type", "float"}, {"strategy", "channel"}})) ==
          "FP8 (E4M3), a scale per row");
    CHECK(text(withWeights("int-quantized", {{"num_bits", 8}, {"strategy", "tensor"}})) ==
          "int8, a scale per tensor");
    CHECK(text(withWeights("float-quantized", {{"num_bits", 8},
                                               {"type", "float"},
                                               {"strategy", "block"},
                                               {"block_structure", {64, 32}}})) ==
          "FP8 (E4M3), a scale per tile of 64 x 32");
    CHECK(read(fp8()).notes.empty());
    CHECK(read(int4()).notes.empty());
    const Config none("{}", "config.json");
    std::vector<std::string> notes;
    CHECK(readQuantisation(none, notes).kind == Quantisation::Kind::None);
}

TEST_CASE("Quantisation: what is not understood is refused by key and value", "[core][model]") {
    const auto refused = [](const json& section, const std::string& key, const std::string& value) {
        INFO(section.dump());
        try {
            (void)read(section);
            FAIL_CHECK("nothing was thrown");
        } catch (const Error& error) {
            const std::string text = error.what();
            INFO(text);
            CHECK((error.code() == ErrorCode::Unsupported ||
                   error.code() == ErrorCode::BadCheckpoint));
            CHECK(text.find("\"" + key + "\"") != std::string::npos);
            CHECK(text.find(value) != std::string::npos);
        }
    };
    const auto changed = [](json section, const std::string& key, const json& value) {
        section[key] = value;
        return section;
    };
    refused(json::object(), "quant_method", "missing");
    for (const char* method : {"gptq", "awq", "bitsandbytes", "modelopt", "hqq"}) {
        refused({{"quant_method", method}}, "quant_method", method);
    }
    refused(changed(fp8(), "fmt", "e5m2"), "fmt", "e5m2");
    refused(changed(fp8(), "scale_fmt", "log"), "scale_fmt", "log");
    for (const json& block : {json(128), json({128}), json({0, 128}), json({1.5, 2}), json("x")}) {
        refused(changed(fp8(), "weight_block_size", block), "weight_block_size", block.dump());
    }
    refused(changed(int4(), "format", "nvfp4-pack-quantized"), "format", "nvfp4-pack-quantized");
    refused(changed(int4(), "kv_cache_scheme", {{"num_bits", 8}}), "kv_cache_scheme", "num_bits");
    refused(changed(int4(), "sparsity_config", {{"format", "dense"}}), "sparsity_config", "dense");
    refused(changed(int4(), "quantization_status", "frozen"), "quantization_status", "frozen");
    refused(changed(int4(), "config_groups", json::object()), "config_groups", "{}");
    const auto weights = [&](const std::string& key, const json& value, const std::string& text) {
        refused(withWeights("pack-quantized", {{key, value}}), key, text);
    };
    weights("num_bits", 8, "8");
    weights("type", "float", "float");
    weights("symmetric", false, "false");
    weights("strategy", "tensor", "tensor");
    weights("strategy", "tensor_group", "tensor_group");
    weights("group_size", -1, "-1");
    weights("actorder", "group", "group");
}

TEST_CASE("Quantisation: keys of unknown meaning are noted", "[core][model]") {
    json section = fp8();
    section["linear_class"] = "autobitlinear";
    const auto notes = read(section).notes;
    REQUIRE(notes.size() == 1);
    CHECK(notes.front().find("linear_class") != std::string::npos);
}

TEST_CASE("Quantisation: packed tensors count as what they stand for", "[core][model]") {
    json section = fp8();
    section["weight_block_size"] = {4, 4};
    const auto packed = load(tinyFp8(), tinyConfig(section));
    const auto plain = load(ShapeWriter({}).skeleton().mixtral(3, 6), tinyConfig(nullptr));
    CHECK(packed.storage == "FP8 (E4M3), a scale per tile of 4 x 4");
    CHECK(plain.storage.empty());
    CHECK(packed.notes.empty());
    CHECK(countParameters(packed).total == countParameters(plain).total);
    CHECK(countParameters(packed).active == countParameters(plain).active);
    const TensorRef& up = packed.layers[1].names.experts[2].up;
    CHECK(up.packing == checkpoint::Packing::Tiles);
    CHECK(up.scales == "model.layers.1.block_sparse_moe.experts.2.w3.weight_scale_inv");
    CHECK(packed.layers[1].names.router.weight.packing == checkpoint::Packing::None);
}

TEST_CASE("Quantisation: scales that do not fit are refused", "[core][model]") {
    json section = fp8();
    SECTION("other tiles than the scales have") {
        checkThrows([&] { (void)load(tinyFp8(), tinyConfig(section)); }, ErrorCode::BadShape,
                    {"q_proj.weight_scale_inv", "[4, 2]", "[1, 1]"});
    }
    SECTION("no scales") {
        section["weight_block_size"] = {4, 4};
        ShapeWriter all({.dtype = Dtype::F8_E4M3});
        checkThrows([&] { (void)load(all.skeleton().mixtral(3, 6), tinyConfig(section)); },
                    ErrorCode::MissingTensor, {"_scale"});
    }
    SECTION("float8 that config.json does not mention") {
        checkThrows([&] { (void)load(tinyFp8(), tinyConfig(nullptr)); }, ErrorCode::Unsupported,
                    {"F8_E4M3", "config.json"});
    }
    SECTION("scales of activations are left out") {
        section["weight_block_size"] = {4, 4};
        auto tensors = tinyFp8();
        tensors.add("model.layers.0.self_attn.q_proj.input_scale", {1}, Dtype::F32);
        CHECK_NOTHROW(load(tensors, tinyConfig(section)));
        tensors.add("model.layers.0.self_attn.q_proj.zero_point", {1}, Dtype::F32);
        checkThrows([&] { (void)load(tensors, tinyConfig(section)); }, ErrorCode::Unsupported,
                    {"zero_point"});
    }
}
