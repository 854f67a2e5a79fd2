// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checkpoint/logical_tensor.h"
#include "core/engine/run.h"
#include "core/engine/weight_reader.h"
#include "core/experiments/catalogue.h"
#include "core/experiments/factory.h"
#include "core/model/parameters.h"
#include "tests/core/engine/reference_model.h"
#include "tests/core/engine/restored.h"
#include "tests/core/engine/session_compare.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

// The same weights in another storage must give the same numbers, to the last bit: every forward
// pass and every experiment.
using namespace moescope;
using checkpoint::Dtype;
using checkpoint::TensorView;
using tests::Restored;

namespace {

constexpr std::array<std::string_view, 3> kRoles{"gate_proj", "up_proj", "down_proj"};

/// "prefix.experts.3.gate_proj.weight" taken apart.
struct ExpertName {
    std::string prefix;  ///< ends in "experts."
    std::size_t expert = 0;
    std::string role;
};
std::optional<ExpertName> expertName(std::string_view name) {
    constexpr std::string_view kMark = ".experts.";
    const auto mark = name.find(kMark);
    if (mark == std::string_view::npos) {
        return std::nullopt;
    }
    const auto number = mark + kMark.size();
    const auto dot = name.find('.', number);
    const auto end = name.rfind('.');
    return ExpertName{std::string(name.substr(0, number)),
                      std::stoul(std::string(name.substr(number, dot - number))),
                      std::string(name.substr(dot + 1, end - dot - 1))};
}

/// Puts the experts of each layer into two tensors, as transformers 5 keeps them.
void fuse(const std::filesystem::path& from, const std::filesystem::path& to) {
    Restored restored(from);
    std::map<std::string, std::map<std::size_t, std::map<std::string, TensorView>>> layers;
    for (const auto& tensor : restored.from().tensors()) {
        if (const auto part = expertName(tensor.name)) {
            layers[part->prefix][part->expert][part->role] = tensor;
        } else {
            restored.copy(tensor);
        }
    }
    REQUIRE_FALSE(layers.empty());
    for (const auto& [prefix, experts] : layers) {
        std::string gateUp;
        std::string down;
        for (const auto& [expert, roles] : experts) {
            for (const auto role : kRoles) {
                const auto& bytes = roles.at(std::string(role)).bytes;
                (role == "down_proj" ? down : gateUp)
                    .append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
            }
        }
        const auto& gate = experts.at(0).at("gate_proj");
        restored.add(prefix + "gate_up_proj", gate.dtype,
                     {experts.size(), 2 * gate.shape[0], gate.shape[1]}, gateUp);
        restored.add(prefix + "down_proj", gate.dtype,
                     {experts.size(), gate.shape[1], gate.shape[0]}, down);
    }
    restored.write(to);
}

class Silent final : public engine::RunObserver {
public:
    void onEvent(const session::RunEvent& /*event*/) override {}
};

engine::RunReport runAll(const std::filesystem::path& checkpoint, const std::string& fixture,
                         const std::filesystem::path& session) {
    engine::RunRequest request;
    request.checkpoint = checkpoint;
    request.session = session;
    request.corpus = tests::ReferenceModel(fixture).corpus;
    for (const auto& info : experiments::catalogue()) {
        request.experiments.push_back({std::string(info.id), "{}"});
    }
    request.dtype = "float32";
    request.device = "cpu";
    Silent observer;
    return engine::run(request, experiments::makeProbes, observer, {});
}

/// Packs the matrices of attention and feed-forwards; `plain` holds what they stand for.
struct Pair {
    Restored packed, plain;
    explicit Pair(const std::filesystem::path& from) : packed(from), plain(from) {}

    using Pack = std::function<std::vector<float>(Restored& packed, const std::string& name,
                                                  const Shape& shape, std::vector<float> values)>;
    /// Each matrix below a layer but the router; the rest is copied.
    void build(bool expertsOnly, const Pack& pack) {
        for (const auto& tensor : packed.from().tensors()) {
            const bool matrix = tensor.shape.size() == 2 &&
                                tensor.name.find("layers.") != std::string_view::npos &&
                                tensor.name.find("proj") != std::string_view::npos &&
                                (!expertsOnly || expertName(tensor.name).has_value());
            if (matrix) {
                const std::string name(tensor.name);
                plain.addFloats(name, tensor.shape,
                                pack(packed, name, tensor.shape, packed.values(name)));
            } else {
                packed.copy(tensor);
                plain.copy(tensor);
            }
        }
    }
};

/// The E4M3 code nearest to a value, found by trying all.
std::uint8_t nearestE4M3(float value) {
    static const std::vector<float> codes = [] {
        std::vector<std::byte> bytes(256);
        for (unsigned i = 0; i < 256; ++i) {
            bytes[i] = static_cast<std::byte>(i);
        }
        std::vector<float> values(256);
        checkpoint::decodeToFloat(Dtype::F8_E4M3, bytes, values, checkpoint::SimdLevel::Portable);
        return values;
    }();
    std::uint8_t best = 0;
    for (unsigned i = 0; i < 256; ++i) {
        if (std::abs(codes[i] - value) < std::abs(codes[best] - value)) {
            best = static_cast<std::uint8_t>(i);
        }
    }
    return best;
}

float e4m3(std::uint8_t code) {
    float value = 0.0F;
    const auto byte = static_cast<std::byte>(code);
    checkpoint::decodeToFloat(Dtype::F8_E4M3, {&byte, 1}, {&value, 1});
    return value;
}

/// float8 with a float32 scale per tile.
std::vector<float> packTiles(Restored& packed, const std::string& name, const Shape& shape,
                             std::vector<float> values, std::uint64_t tileRows,
                             std::uint64_t tileColumns) {
    const std::uint64_t rows = (shape[0] + tileRows - 1) / tileRows;
    const std::uint64_t columns = (shape[1] + tileColumns - 1) / tileColumns;
    std::vector<float> scales(rows * columns);
    std::vector<std::uint8_t> codes(values.size());
    const auto scaleOf = [&](std::uint64_t i) -> float& {
        return scales[i / shape[1] / tileRows * columns + i % shape[1] / tileColumns];
    };
    for (std::uint64_t i = 0; i < values.size(); ++i) {
        scaleOf(i) = std::max(scaleOf(i), std::abs(values[i]) / 448.0F);
    }
    for (std::uint64_t i = 0; i < values.size(); ++i) {
        codes[i] = nearestE4M3(values[i] / scaleOf(i));
        values[i] = e4m3(codes[i]) * scaleOf(i);
    }
    packed.add(name, Dtype::F8_E4M3, shape, tests::bytesOf(codes));
    packed.addFloats(name + "_scale_inv", {rows, columns}, scales);
    return values;
}

/// Four bits with a bfloat16 scale per group, eight to a word, the last padded.
std::vector<float> packInt4(Restored& packed, const std::string& name, const Shape& shape,
                            std::vector<float> values, std::uint64_t group) {
    const std::uint64_t groups = (shape[1] + group - 1) / group;
    const std::uint64_t words = (shape[1] + 7) / 8;
    std::vector<std::uint16_t> scales(shape[0] * groups);
    std::vector<std::uint32_t> packedWords(shape[0] * words);
    for (std::uint64_t i = 0; i < values.size(); ++i) {
        const std::uint64_t row = i / shape[1];
        const std::uint64_t column = i % shape[1];
        auto& scale = scales[row * groups + column / group];
        if (column % group == 0) {
            float largest = 1e-3F;
            for (std::uint64_t c = column; c < std::min(column + group, shape[1]); ++c) {
                largest = std::max(largest, std::abs(values[row * shape[1] + c]));
            }
            scale = checkpoint::toBfloat16(largest / 7.0F);
        }
        const auto wide = std::bit_cast<float>(std::uint32_t{scale} << 16U);
        const auto code = std::clamp(std::lround(values[i] / wide), -8L, 7L);
        packedWords[row * words + column / 8] |= static_cast<std::uint32_t>(code + 8)
                                                 << (4 * (column % 8));
        values[i] = static_cast<float>(code) * wide;
    }
    const std::string base = name.substr(0, name.size() - std::string("weight").size());
    packed.add(base + "weight_packed", Dtype::I32, {shape[0], words}, tests::bytesOf(packedWords));
    packed.add(base + "weight_scale", Dtype::BF16, {shape[0], groups}, tests::bytesOf(scales));
    packed.add(base + "weight_shape", Dtype::I64, {2},
               tests::bytesOf(std::vector<std::uint64_t>{shape[0], shape[1]}));
    return values;
}

void checkSameTrace(const std::filesystem::path& a, const std::filesystem::path& b,
                    const std::string& fixture) {
    const auto expected = tests::referenceDir() / "models" / fixture / "expected.safetensors";
    const tests::ReferenceModel first(a, expected);
    const tests::ReferenceModel second(b, expected);
    for (const char* dtype : {"float32", "bfloat16"}) {
        INFO(dtype);
        engine::TraceRequest request;
        request.dtype = dtype;
        const auto one = first.trace(request);
        const auto two = second.trace(request);
        CHECK(one.logits == two.logits);
        CHECK(one.finalHidden == two.finalHidden);
        for (const auto& [layer, routed] : one.routed) {
            CHECK(routed.chosen == two.routed.at(layer).chosen);
            CHECK(routed.outputs == two.routed.at(layer).outputs);
        }
    }
    CHECK(model::sum(model::countParameters(first.spec).total) ==
          model::sum(model::countParameters(second.spec).total));
    CHECK(model::countParameters(first.spec).active == model::countParameters(second.spec).active);
}

/// The language model as Kimi-K2.5 publishes it: below another prefix, its config.json inside that
/// of the whole, a vision tower beside it.
void wrapAsKimi25(const std::filesystem::path& from, const std::filesystem::path& to) {
    Restored restored(from);
    for (const auto& tensor : restored.from().tensors()) {
        restored.add("language_model." + std::string(tensor.name), tensor.dtype, tensor.shape,
                     {reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size()});
    }
    restored.addFloats("vision_tower.patch_embed.proj.weight", {2, 3}, std::vector<float>(6));
    restored.addFloats("mm_projector.pre_norm.weight", {2}, std::vector<float>(2));
    restored.write(to);
    const nlohmann::json config{
        {"architectures", {"KimiK25ForConditionalGeneration"}},
        {"model_type", "kimi_k25"},
        {"media_placeholder_token_id", 90},
        {"tie_word_embeddings", false},
        {"text_config", nlohmann::json::parse(restored.from().configText())},
        {"vision_config", {{"hidden_size", 2}}}};
    tests::writeFile(to / "config.json", config.dump());
}

}  // namespace

TEST_CASE("Stored forms: fused experts give every experiment the same numbers", "[core][engine]") {
    const tests::TemporaryFolder folder;
    const std::string fixture = GENERATE("olmoe", "deepseek", "glm4_moe");
    INFO(fixture);
    const auto separate = tests::referenceDir() / "models" / fixture;
    fuse(separate, folder / "fused");
    const auto one = runAll(separate, fixture, folder / "separate.h5");
    const auto two = runAll(folder / "fused", fixture, folder / "fused.h5");
    CHECK(one.bytesRead == two.bytesRead);
    tests::checkSameResults(folder / "separate.h5", folder / "fused.h5", 0.0);
}

TEST_CASE("Stored forms: parts of bfloat16 tensors are used where they lie", "[core][engine]") {
    const tests::TemporaryFolder folder;
    fuse(tests::referenceDir() / "models" / "olmoe", folder / "fused");
    const tests::ReferenceModel model(
        folder / "fused", tests::referenceDir() / "models" / "olmoe" / "expected.safetensors");
    engine::WeightReader reader(model.checkpoint, {at::kCPU, at::kBFloat16});
    for (const auto& expert : model.spec.layers[0].names.experts) {
        for (const auto* ref : {&expert.gate, &expert.up, &expert.down}) {
            REQUIRE(ref->part);
            CHECK(reader.isDirect(*ref));
            const auto tensor = reader.load(*ref);
            const auto& whole = model.checkpoint.require(ref->name).bytes;
            const auto* at = static_cast<const std::byte*>(tensor.data_ptr());
            CHECK((at >= whole.data() && at < whole.data() + whole.size()));
        }
    }
    std::uint64_t experts = 0;
    for (const auto& tensor : model.checkpoint.tensors()) {
        if (tensor.name.find("layers.0.mlp.experts") != std::string_view::npos) {
            experts += tensor.bytes.size();
        }
    }
    CHECK(reader.bytesRead() == experts);
}

TEST_CASE("Stored forms: float8 with tiles is what it stands for", "[core][engine]") {
    const tests::TemporaryFolder folder;
    const std::string fixture = GENERATE("deepseek_v3", "qwen3_moe");
    INFO(fixture);
    Pair pair(tests::referenceDir() / "models" / fixture);
    // Tiles that divide neither rows nor columns.
    pair.build(false, [](Restored& packed, const std::string& name, const Shape& shape,
                         std::vector<float> values) {
        return packTiles(packed, name, shape, std::move(values), 4, 5);
    });
    pair.packed.write(folder / "packed", {{"quantization_config",
                                           {{"quant_method", "fp8"},
                                            {"fmt", "e4m3"},
                                            {"activation_scheme", "dynamic"},
                                            {"weight_block_size", {4, 5}}}}});
    pair.plain.write(folder / "plain");
    checkSameTrace(folder / "packed", folder / "plain", fixture);
    const tests::ReferenceModel packed(
        folder / "packed", tests::referenceDir() / "models" / fixture / "expected.safetensors");
    CHECK(packed.spec.storage == "FP8 (E4M3), a scale per tile of 4 x 5");
    if (fixture == "qwen3_moe") {  // the other has tensors that no model needs
        CHECK(packed.trace().bytesRead == packed.neededBytes(true));
    }
}

TEST_CASE("Stored forms: packed int4 experts are what they stand for", "[core][engine]") {
    const tests::TemporaryFolder folder;
    Pair pair(tests::referenceDir() / "models" / "kimi_k2");
    pair.build(true, [](Restored& packed, const std::string& name, const Shape& shape,
                        std::vector<float> values) {
        return packInt4(packed, name, shape, std::move(values), 3);
    });
    // As Kimi-K2-Thinking has it.
    const nlohmann::json weights{{"actorder", nullptr},
                                 {"block_structure", nullptr},
                                 {"dynamic", false},
                                 {"group_size", 3},
                                 {"num_bits", 4},
                                 {"observer", "minmax"},
                                 {"observer_kwargs", nlohmann::json::object()},
                                 {"strategy", "group"},
                                 {"symmetric", true},
                                 {"type", "int"}};
    pair.packed.write(folder / "packed", {{"quantization_config",
                                           {{"config_groups",
                                             {{"group_0",
                                               {{"input_activations", nullptr},
                                                {"output_activations", nullptr},
                                                {"targets", {"Linear"}},
                                                {"weights", weights}}}}},
                                            {"format", "pack-quantized"},
                                            {"ignore", {"lm_head", "re:.*self_attn.*"}},
                                            {"kv_cache_scheme", nullptr},
                                            {"quant_method", "compressed-tensors"},
                                            {"quantization_status", "compressed"}}}});
    pair.plain.write(folder / "plain");
    checkSameTrace(folder / "packed", folder / "plain", "kimi_k2");

    wrapAsKimi25(folder / "packed", folder / "wrapped");
    checkSameTrace(folder / "wrapped", folder / "packed", "kimi_k2");
    const auto wrapped = model::loadSpec(checkpoint::Checkpoint(folder / "wrapped"));
    CHECK(wrapped.family == "deepseek_v3");
    CHECK(wrapped.architecture == "KimiK25ForConditionalGeneration");
    CHECK_THAT(wrapped.notes.back(), Catch::Contains("vision or audio tower"));
}
