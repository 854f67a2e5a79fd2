// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/quantisation.h"

#include "core/base/error.h"
#include "core/model/spec_tensors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string_view>

// Sources: the configs of DeepSeek-V3, MiniMax-M2, gpt-oss and Kimi-K2-Thinking;
// compressed-tensors' quantization_args and quantization_config.
namespace moescope::model {
namespace {

using checkpoint::Dtype;
using checkpoint::Packing;
using Kind = Quantisation::Kind;

/// Refuses a value other than those listed.
std::string oneOf(const Config& config, std::string_view key, std::string_view fallback,
                  std::initializer_list<std::string_view> known) {
    std::string value = config.text({key}, fallback);
    if (std::find(known.begin(), known.end(), value) == known.end()) {
        throw Error(ErrorCode::Unsupported,
                    fmt::format("{}: \"{}\" is {}; Moescope knows {}.", config.where(), key,
                                config.has(key) ? config.valueText(key) : "missing",
                                fmt::join(known, ", ")));
    }
    return value;
}

/// Keys that say which tensors are packed, which the tensors themselves tell, or how activations
/// are treated, which are not quantised here.
constexpr auto kWithoutEffect = std::to_array<std::string_view>({
    "actorder",
    "activation_scheme",
    "block_structure",
    "dequantize",
    "dynamic",
    "global_compression_ratio",
    "ignore",
    "ignored_layers",
    "input_activations",
    "modules_to_not_convert",
    "observer",
    "observer_kwargs",
    "output_activations",
    "quantization_status",
    "scale_dtype",
    "targets",
    "use_fp8",
    "version",
    "zp_dtype",
});

void noteUnread(const Config& config, std::vector<std::string>& notes) {
    std::vector<std::string> unknown;
    for (const auto& key : config.unreadKeys()) {
        if (std::find(kWithoutEffect.begin(), kWithoutEffect.end(), key) == kWithoutEffect.end()) {
            unknown.push_back(key);
        }
    }
    if (!unknown.empty()) {
        notes.push_back(fmt::format("quantization_config keys without a known meaning: {}",
                                    fmt::join(unknown, ", ")));
    }
}

/// A pair of positive whole numbers.
void readBlock(const Config& config, std::string_view key, Quantisation& result) {
    const auto sizes = config.numbers(key);
    const auto fits = [](double value) {
        return value >= 1.0 && value <= kCountRange.most && value == static_cast<int>(value);
    };
    if (sizes.size() != 2 || !std::all_of(sizes.begin(), sizes.end(), fits)) {
        config.refuse(key, "two positive numbers");
    }
    result.tileRows = static_cast<int>(sizes[0]);
    result.tileColumns = static_cast<int>(sizes[1]);
}

/// DeepSeek-V3's form, which transformers calls "fp8".
Quantisation readFp8(const Config& config) {
    static_cast<void>(oneOf(config, "fmt", "e4m3", {"e4m3", "float8_e4m3fn"}));
    static_cast<void>(oneOf(config, "scale_fmt", "float", {"float", "ue8m0"}));
    Quantisation result{.kind = Kind::Fp8};
    if (config.has("weight_block_size")) {
        readBlock(config, "weight_block_size", result);
    }
    return result;
}

void requireEmpty(const Config& config, std::string_view key) {
    const std::string value = config.has(key) ? config.valueText(key) : "null";
    if (value != "null" && value != "{}" && value != "[]") {
        throw Error(ErrorCode::Unsupported,
                    fmt::format("{}: \"{}\" is {}, which Moescope does not support.",
                                config.where(), key, value));
    }
}

/// The weights' part of the only group.
std::unique_ptr<Config> weightsOf(const Config& config) {
    const auto groups = config.section("config_groups");
    const auto names = groups ? groups->unreadKeys() : std::vector<std::string>{};
    if (names.size() != 1) {
        config.refuse("config_groups", "one group");
    }
    const auto group = groups->section(names.front());
    auto weights = group->section("weights");
    if (!weights) {
        group->refuse("weights", "an object");
    }
    return weights;
}

void readStrategy(const Config& weights, Quantisation& result) {
    const std::string strategy =
        oneOf(weights, "strategy", "", {"tensor", "channel", "group", "block"});
    if (result.kind == Kind::Int4 && strategy != "group") {
        weights.refuse("strategy", "\"group\" for packed integers");
    }
    if (strategy == "channel") {
        result.tileRows = 1;
    } else if (strategy == "group") {
        result.tileRows = 1;
        result.tileColumns = weights.integer({"group_size"}, 0, kCountRange);
    } else if (strategy == "block") {
        readBlock(weights, "block_structure", result);
    }
}

/// compressed-tensors' form.
Quantisation readCompressed(const Config& config, std::vector<std::string>& notes) {
    const std::string format =
        oneOf(config, "format", "", {"pack-quantized", "float-quantized", "int-quantized"});
    static_cast<void>(oneOf(config, "quantization_status", "compressed", {"compressed"}));
    requireEmpty(config, "sparsity_config");
    requireEmpty(config, "kv_cache_scheme");
    const auto weights = weightsOf(config);
    Quantisation result;
    result.kind = format == "pack-quantized"    ? Kind::Int4
                  : format == "float-quantized" ? Kind::Fp8
                                                : Kind::Int8;
    const int bits = result.kind == Kind::Int4 ? 4 : 8;
    if (weights->integer({"num_bits"}, 8) != bits) {
        weights->refuse("num_bits", fmt::format("{} for the format \"{}\"", bits, format));
    }
    static_cast<void>(oneOf(*weights, "type", "int", {result.kind == Kind::Fp8 ? "float" : "int"}));
    if (!weights->flag({"symmetric"}, true)) {
        weights->refuse("symmetric", "true");
    }
    requireEmpty(*weights, "actorder");
    readStrategy(*weights, result);
    noteUnread(*weights, notes);
    return result;
}

std::string without(const std::string& text, std::string_view ending) {
    return text.ends_with(ending) ? text.substr(0, text.size() - ending.size()) : std::string();
}

}  // namespace

Quantisation readQuantisation(const Config& config, std::vector<std::string>& notes) {
    const auto section = config.section("quantization_config");
    if (!section) {
        return {};
    }
    const std::string method =
        oneOf(*section, "quant_method", "", {"fp8", "mxfp4", "compressed-tensors"});
    Quantisation result;
    if (method == "fp8") {
        result = readFp8(*section);
    } else if (method == "mxfp4") {
        result = {.kind = Kind::Mxfp4};
    } else {
        result = readCompressed(*section, notes);
    }
    noteUnread(*section, notes);
    return result;
}

std::string quantisationText(const Quantisation& quantisation) {
    std::string shared = "a scale per tensor";
    if (quantisation.tileRows == 1 && quantisation.tileColumns == 0) {
        shared = "a scale per row";
    } else if (quantisation.tileRows == 1) {
        shared = fmt::format("a scale per {} values of a row", quantisation.tileColumns);
    } else if (quantisation.tileRows > 1) {
        shared = fmt::format("a scale per tile of {} x {}", quantisation.tileRows,
                             quantisation.tileColumns);
    }
    switch (quantisation.kind) {
        case Kind::None:
            return "";
        case Kind::Fp8:
            return "FP8 (E4M3), " + shared;
        case Kind::Int8:
            return "int8, " + shared;
        case Kind::Int4:
            return "int4, " + shared;
        case Kind::Mxfp4:
            return "MXFP4, a power of two per 32 values of a row";
    }
    return "";
}

namespace {

/// FP8 and int8 keep their tensor's name; the scales stand beside it.
void applyTiles(const Quantisation& quantisation, const checkpoint::Checkpoint& checkpoint,
                TensorRef& ref) {
    const auto found = checkpoint.find(ref.name);
    const Dtype packed = quantisation.kind == Kind::Fp8 ? Dtype::F8_E4M3 : Dtype::I8;
    if (!found || found->dtype != packed) {
        return;
    }
    ref.packing = Packing::Tiles;
    ref.scales = ref.name + "_scale_inv";
    if (!checkpoint.find(ref.scales)) {
        ref.scales = ref.name + "_scale";
    }
    ref.tileRows = static_cast<std::uint64_t>(quantisation.tileRows);
    ref.tileColumns = static_cast<std::uint64_t>(quantisation.tileColumns);
}

void applyMxfp4(const checkpoint::Checkpoint& checkpoint, TensorRef& ref) {
    if (checkpoint.find(ref.name + "_blocks")) {
        ref.packing = Packing::Mxfp4;
        ref.scales = ref.name + "_scales";
        ref.name += "_blocks";
    }
}

void applyInt4(const Quantisation& quantisation, const checkpoint::Checkpoint& checkpoint,
               TensorRef& ref, const Shape& shape) {
    if (!checkpoint.find(ref.name + "_packed")) {
        return;
    }
    ref.packing = Packing::Int4;
    ref.scales = ref.name + "_scale";
    ref.tileRows = 1;
    ref.tileColumns = static_cast<std::uint64_t>(quantisation.tileColumns);
    ref.name += "_packed";
    if (!ref.part) {
        // Words hold eight values each: how many of the last are meant only the shape tells.
        ref.part = checkpoint::rowsOf(ref.name, shape, 0, shape.front()).part;
    }
}

}  // namespace

void applyQuantisation(const Quantisation& quantisation, const checkpoint::Checkpoint& checkpoint,
                       ModelSpec& spec) {
    if (quantisation.kind == Kind::None) {
        return;
    }
    forEachTensor(spec, [&](TensorRef& ref, const SpecTensor& tensor) {
        switch (quantisation.kind) {
            case Kind::None:
                break;
            case Kind::Fp8:
            case Kind::Int8:
                applyTiles(quantisation, checkpoint, ref);
                break;
            case Kind::Mxfp4:
                applyMxfp4(checkpoint, ref);
                break;
            case Kind::Int4:
                if (tensor.shape.size() == 2) {
                    applyInt4(quantisation, checkpoint, ref, tensor.shape);
                }
                break;
        }
    });
}

std::vector<std::string> companions(const TensorRef& ref) {
    switch (ref.packing) {
        case Packing::None:
        case Packing::Mxfp4:
            return {};
        case Packing::Tiles: {
            // Scales of activations, which are not quantised here.
            const std::string base = without(ref.name, "weight");
            return base.empty()
                       ? std::vector<std::string>{}
                       : std::vector<std::string>{base + "input_scale", base + "output_scale"};
        }
        case Packing::Int4:
            return {without(ref.name, "_packed") + "_shape"};
    }
    return {};
}

}  // namespace moescope::model
