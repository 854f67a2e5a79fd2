// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/check_tensors.h"

#include "core/base/error.h"
#include "core/checkpoint/logical_tensor.h"
#include "core/model/quantisation.h"
#include "core/model/spec_tensors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace moescope::model {
namespace {

using checkpoint::Dtype;

std::string fileOf(const checkpoint::Checkpoint& checkpoint, const checkpoint::TensorView& tensor) {
    return checkpoint.files()[static_cast<std::size_t>(tensor.fileIndex)].path.string();
}

/// A vector may be stored as a matrix of one row.
bool isShape(const Shape& found, const Shape& expected) {
    return found == expected ||
           (expected.size() == 1 && found.size() == 2 && found[0] == 1 && found[1] == expected[0]);
}

void checkOne(const checkpoint::Checkpoint& checkpoint, const SpecTensor& expected) {
    const checkpoint::LogicalTensor found(checkpoint, expected.ref);
    if (!isShape(found.shape(), expected.shape)) {
        throw Error(ErrorCode::BadShape,
                    fmt::format("{}: tensor \"{}\" has the shape [{}], but config.json asks for "
                                "[{}].",
                                fileOf(checkpoint, found.view()), describe(expected.ref),
                                fmt::join(found.shape(), ", "), fmt::join(expected.shape, ", ")));
    }
    const bool usable = found.packing() != checkpoint::Packing::None ||
                        found.dtype() == Dtype::F64 || found.dtype() == Dtype::F32 ||
                        found.dtype() == Dtype::F16 || found.dtype() == Dtype::BF16 ||
                        checkpoint::blockElements(found.dtype()) > 1;
    if (!usable) {
        throw Error(
            ErrorCode::Unsupported,
            fmt::format("{}: tensor \"{}\" is stored as {}, but config.json names no quantisation "
                        "that would explain it; Moescope runs weights stored as BF16, F16, F32 or "
                        "F64, FP8, MXFP4 and int4 with their scales, and GGUF's quantised types.",
                        fileOf(checkpoint, found.view()), expected.ref.name,
                        checkpoint::name(found.dtype())));
    }
}

/// Adds up what the spec takes of each stored tensor.
class Coverage {
public:
    void add(const SpecTensor& tensor) {
        m_used[tensor.ref.name] += tensor.ref.part ? elementCount(tensor.shape) : 0;
        if (!tensor.ref.scales.empty()) {
            m_used[tensor.ref.scales] += 0;
            for (auto& name : companions(tensor.ref)) {
                m_companions.insert(std::move(name));
            }
        }
        if (tensor.ref.part) {
            m_whole[tensor.ref.name] = elementCount(tensor.ref.part->whole);
        }
    }
    [[nodiscard]] bool contains(std::string_view name) const {
        return m_used.contains(name) || m_companions.contains(name);
    }
    /// The parts of a tensor must be all of it: else the adapter or the checkpoint is wrong.
    void requireWhole(const checkpoint::Checkpoint& checkpoint) const {
        for (const auto& [name, elements] : m_whole) {
            if (m_used.at(name) != elements) {
                throw Error(
                    ErrorCode::Unsupported,
                    fmt::format("{}: of tensor \"{}\" with {} values the model uses {}.",
                                checkpoint.folder().string(), name, elements, m_used.at(name)));
            }
        }
    }

private:
    std::unordered_map<std::string_view, std::uint64_t> m_used;
    std::unordered_map<std::string_view, std::uint64_t> m_whole;
    std::set<std::string, std::less<>> m_companions;
};

/// The number after the prefix of layers in a tensor name.
std::optional<int> layerOf(std::string_view name, std::string_view prefix) {
    if (!name.starts_with(prefix)) {
        return std::nullopt;
    }
    const auto* first = name.data() + prefix.size();
    int layer = 0;
    const auto result = std::from_chars(first, name.data() + name.size(), layer);
    return result.ec == std::errc() ? std::optional<int>(layer) : std::nullopt;
}

/// Buffers that older checkpoints store beside the weights.
bool isBuffer(std::string_view name) {
    return name.ends_with("rotary_emb.inv_freq") || name.ends_with(".attn.masked_bias");
}

/// A checkpoint may store the head once more although config.json ties it to the embedding.
bool isTiedHead(const ModelSpec& spec, std::string_view name) {
    return spec.tiedHead && name.ends_with("lm_head.weight");
}

/// What a checkpoint may hold beside the language model.
enum class Extra { Unknown, NextTokens, Tower, Elsewhere };

bool hasPart(std::string_view name, std::initializer_list<std::string_view> parts) {
    return std::any_of(parts.begin(), parts.end(), [&](std::string_view part) {
        return name.find(part) != std::string_view::npos;
    });
}

/// A tensor below the language model's own prefix that has no such name is not to be left out.
Extra kindOf(const ModelSpec& spec, std::string_view name) {
    if (name.starts_with("mtp.") || hasPart(name, {".mtp.", ".mtp_"})) {
        return Extra::NextTokens;
    }
    if (hasPart(name, {"vision", "visual", "image", "audio", "multi_modal", "mm_projector"})) {
        return Extra::Tower;
    }
    const std::string_view layers = spec.layersPrefix;  // "model.layers."
    const std::string_view own = layers.substr(0, layers.rfind('.', layers.size() - 2) + 1);
    const std::string_view head = spec.head.weight.name;
    const bool ours = (!own.empty() && name.starts_with(own)) ||
                      name.starts_with(head.substr(0, head.rfind('.') + 1));
    return ours ? Extra::Unknown : Extra::Elsewhere;
}

/// Names left out for one reason.
void noteNames(const std::vector<std::string_view>& names, std::string_view what, ModelSpec& spec) {
    if (!names.empty()) {
        spec.notes.push_back(fmt::format("{} tensor{} {} left out, such as \"{}\"", names.size(),
                                         names.size() == 1 ? "" : "s", what, names.front()));
    }
}

[[noreturn]] void refuseTensor(const checkpoint::Checkpoint& checkpoint,
                               const checkpoint::TensorView& tensor, const ModelSpec& spec) {
    throw Error(ErrorCode::Unsupported,
                fmt::format("{}: tensor \"{}\" is not part of a {} model; this one is of "
                            "another kind than its config.json says, or a variant that "
                            "Moescope does not know.",
                            fileOf(checkpoint, tensor), tensor.name, spec.familyTitle));
}

void checkLeftOver(const checkpoint::Checkpoint& checkpoint, const Coverage& named,
                   ModelSpec& spec) {
    std::set<int> layersBeyond;
    std::map<Extra, std::vector<std::string_view>> extras;
    for (const auto& tensor : checkpoint.tensors()) {
        if (named.contains(tensor.name) || isBuffer(tensor.name) || isTiedHead(spec, tensor.name)) {
            continue;
        }
        const auto layer = layerOf(tensor.name, spec.layersPrefix);
        if (layer && *layer >= spec.layerCount()) {
            layersBeyond.insert(*layer);
            continue;
        }
        const Extra kind = kindOf(spec, tensor.name);
        if (layer || kind == Extra::Unknown) {
            refuseTensor(checkpoint, tensor, spec);
        }
        extras[kind].push_back(tensor.name);
    }
    if (!layersBeyond.empty()) {
        spec.notes.push_back(
            fmt::format("{} layer{} beyond the last ({}) left out, such as multi-token prediction "
                        "uses",
                        layersBeyond.size(), layersBeyond.size() == 1 ? "" : "s",
                        fmt::join(layersBeyond, ", ")));
    }
    noteNames(extras[Extra::NextTokens], "of multi-token prediction", spec);
    noteNames(extras[Extra::Tower], "of a vision or audio tower", spec);
    noteNames(extras[Extra::Elsewhere], "not part of the language model", spec);
}

}  // namespace

void checkTensors(const checkpoint::Checkpoint& checkpoint, ModelSpec& spec) {
    Coverage named;
    forEachTensor(spec, [&](const SpecTensor& tensor) {
        checkOne(checkpoint, tensor);
        named.add(tensor);
    });
    named.requireWhole(checkpoint);
    checkLeftOver(checkpoint, named, spec);
}

}  // namespace moescope::model
