// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checkpoint/gguf_config.h"

#include "core/base/error.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace moescope::checkpoint {
namespace {

/// Settings that say nothing about the computation, or nothing that the tensors do not say too.
constexpr auto kHarmless = std::to_array<std::string_view>({
    "attention.causal",
    "attention.key_length",
    "attention.value_length",
    "context_length",
    "expert_feed_forward_length",
    "expert_shared_feed_forward_length",
    "feed_forward_length",
    "leading_dense_block_count",
    "nextn_predict_layers",
    "rope.dimension_count",
    "rope.dimension_sections",  // of positions that are equal for text
    "rope.scaling.finetuned",
    "rope.scaling.original_context_length",
    "tensor_data_layout",
    "vocab_size",
});

/// float32 settings were decimal numbers before: 9.99999975e-06 was 1e-05.
double asWritten(double value) {
    std::array<char, 32> text{};
    const auto* end =
        std::to_chars(text.data(), text.data() + text.size(), static_cast<float>(value)).ptr;
    double result = 0.0;
    std::from_chars(text.data(), end, result);
    return static_cast<double>(static_cast<float>(value)) == value ? result : value;
}

bool isNeutral(const std::string& shown) {
    return shown == "0" || shown == "false" || shown == "\"none\"";
}

}  // namespace

struct GgufConfig::Document {  // NOLINT(bugprone-exception-escape): json moves without throwing
    nlohmann::ordered_json root;
};

GgufConfig::GgufConfig(const gguf::Metadata& metadata, const GgufShapes& shapes,
                       std::string_view architecture)
    : m_metadata(metadata),
      m_shapes(shapes),
      m_architecture(architecture),
      m_document(std::make_unique<Document>()) {}

GgufConfig::~GgufConfig() = default;

std::string GgufConfig::full(std::string_view key) const {
    return fmt::format("{}.{}", m_architecture, key);
}

std::string GgufConfig::read(std::string_view key) {
    std::string name = full(key);
    m_read.insert(name);
    return name;
}

void GgufConfig::refuse(std::string_view key, std::string_view expected) const {
    const std::string name = full(key);
    throw Error(ErrorCode::BadCheckpoint,
                fmt::format("{}: the metadata value \"{}\" is {}; expected {}.", m_metadata.where(),
                            name, m_metadata.shown(name), expected));
}

std::optional<std::int64_t> GgufConfig::integer(std::string_view key) {
    const std::string name = read(key);
    if (!m_metadata.isArray(name)) {
        return m_metadata.integer(name);
    }
    // Some settings may be given for each layer.
    const auto values = m_metadata.integers(name);
    if (values->empty() || std::any_of(values->begin(), values->end(), [&](std::int64_t value) {
            return value != values->front();
        })) {
        refuse(key, "the same value for all layers");
    }
    return values->front();
}

std::int64_t GgufConfig::requireInteger(std::string_view key) {
    const auto value = integer(key);
    if (!value || *value < 0 || *value > std::numeric_limits<std::int32_t>::max()) {
        refuse(key, "a count");
    }
    return *value;
}

std::vector<std::int64_t> GgufConfig::perLayer(std::string_view key) {
    const std::string name = read(key);
    const auto count = static_cast<std::size_t>(layers());
    if (!m_metadata.isArray(name)) {
        return std::vector<std::int64_t>(count, requireInteger(key));
    }
    auto values = *m_metadata.integers(name);
    if (values.size() < count) {
        refuse(key, fmt::format("{} values, one for each layer", count));
    }
    values.resize(count);
    return values;
}

std::optional<double> GgufConfig::number(std::string_view key) {
    const auto value = m_metadata.number(read(key));
    if (value && !std::isfinite(*value)) {
        refuse(key, "a finite number");
    }
    return value ? std::optional(asWritten(*value)) : std::nullopt;
}

std::optional<bool> GgufConfig::flag(std::string_view key) {
    return m_metadata.flag(read(key));
}

std::optional<std::string_view> GgufConfig::text(std::string_view key) {
    return m_metadata.text(read(key));
}

std::int64_t GgufConfig::layers() {
    const std::int64_t blocks = requireInteger("block_count");
    const std::int64_t extra = integer("nextn_predict_layers").value_or(0);
    // Every layer has tensors: no loop over more layers than the file can hold.
    if (blocks < 1 || static_cast<std::size_t>(blocks) > m_shapes.size() || extra < 0 ||
        extra >= blocks) {
        refuse("block_count", fmt::format("a number of layers for {} tensors", m_shapes.size()));
    }
    return blocks - extra;
}

std::int64_t GgufConfig::headDim() {
    if (const auto length = integer("attention.key_length")) {
        return *length;
    }
    const std::int64_t heads = requireInteger("attention.head_count");
    if (heads < 1) {
        refuse("attention.head_count", "at least 1");
    }
    return requireInteger("embedding_length") / heads;
}

bool GgufConfig::anyLayerHas(std::string_view name) const {
    return std::any_of(m_shapes.begin(), m_shapes.end(), [&](const auto& entry) {
        const std::string_view full = entry.first;
        return full.starts_with("blk.") && full.ends_with(name) && full.size() > name.size() &&
               full[full.size() - name.size() - 1] == '.';
    });
}

std::optional<std::int64_t> GgufConfig::size(std::string_view name, std::size_t axis) const {
    for (const auto& [full, shape] : m_shapes) {
        const bool match = full == name || (full.starts_with("blk.") && full.ends_with(name) &&
                                            full.size() > name.size() &&
                                            full[full.size() - name.size() - 1] == '.');
        if (match && axis < shape.size()) {
            return static_cast<std::int64_t>(
                std::min<std::uint64_t>(shape[axis], std::numeric_limits<std::int32_t>::max()));
        }
    }
    return std::nullopt;
}

std::int64_t GgufConfig::expertWidth() {
    for (const auto& [name, axis] :
         {std::pair<std::string_view, std::size_t>{"ffn_gate_exps.weight", 1},
          {"ffn_gate.0.weight", 0}}) {
        if (const auto width = size(name, axis)) {
            return *width;
        }
    }
    if (const auto width = integer("expert_feed_forward_length")) {
        return *width;
    }
    return requireInteger("feed_forward_length");
}

std::vector<std::int64_t> GgufConfig::layersWith(std::string_view name) {
    std::vector<std::int64_t> result;
    const std::int64_t count = layers();
    for (std::int64_t layer = 0; layer < count; ++layer) {
        if (m_shapes.contains(fmt::format("blk.{}.{}", layer, name))) {
            result.push_back(layer);
        }
    }
    return result;
}

std::vector<std::int64_t> GgufConfig::layersWithout(std::string_view name) {
    const auto with = layersWith(name);
    std::vector<std::int64_t> result;
    const std::int64_t count = layers();
    for (std::int64_t layer = 0; layer < count; ++layer) {
        if (!std::binary_search(with.begin(), with.end(), layer)) {
            result.push_back(layer);
        }
    }
    return result;
}

void GgufConfig::set(std::string_view key, std::int64_t value) {
    m_document->root[std::string(key)] = value;
}
void GgufConfig::set(std::string_view key, double value) {
    m_document->root[std::string(key)] = value;
}
void GgufConfig::set(std::string_view key, bool value) {
    m_document->root[std::string(key)] = value;
}
void GgufConfig::set(std::string_view key, std::string_view value) {
    m_document->root[std::string(key)] = std::string(value);
}
void GgufConfig::set(std::string_view key, const std::vector<std::int64_t>& values) {
    m_document->root[std::string(key)] = values;
}
void GgufConfig::set(std::string_view key, const std::vector<std::string>& values) {
    m_document->root[std::string(key)] = values;
}
void GgufConfig::remove(std::string_view key) {
    m_document->root.erase(std::string(key));
}
void GgufConfig::setNull(std::string_view key) {
    m_document->root[std::string(key)] = nullptr;
}
void GgufConfig::setArchitecture(std::string_view name) {
    m_document->root["architectures"] = nlohmann::ordered_json::array({std::string(name)});
}
void GgufConfig::setRope(std::string_view key, double value) {
    m_document->root["rope_scaling"][std::string(key)] = value;
}
void GgufConfig::setRope(std::string_view key, std::string_view value) {
    m_document->root["rope_scaling"][std::string(key)] = std::string(value);
}

void GgufConfig::setRope(std::string_view key, bool value) {
    m_document->root["rope_scaling"][std::string(key)] = value;
}
void GgufConfig::setIn(std::string_view object, std::string_view key, std::int64_t value) {
    m_document->root[std::string(object)][std::string(key)] = value;
}
void GgufConfig::setIn(std::string_view object, std::string_view key, double value) {
    m_document->root[std::string(object)][std::string(key)] = value;
}

void GgufConfig::setRopeDivisors(const GgufRopeDivisors& divisors) {
    const bool byLength = !divisors.small.empty() || !divisors.large.empty();
    if (text("rope.scaling.type") == "longrope" && !byLength) {
        throw Error(ErrorCode::Unsupported,
                    fmt::format("{}: the RoPE scaling is \"longrope\", but the file has no tensors "
                                "rope_factors_long and rope_factors_short. Get the model as "
                                "safetensors.",
                                m_metadata.where()));
    }
    if (!byLength && divisors.always.empty()) {
        return;
    }
    if (const auto type = text("rope.scaling.type");
        type && *type != "none" && *type != "longrope") {
        throw Error(
            ErrorCode::Unsupported,
            fmt::format("{}: RoPE is divided by tensors of the file and scaled by \"{}\" as "
                        "well; how both go together is not known. Get the model as "
                        "safetensors.",
                        m_metadata.where(), *type));
    }
    m_ropeDivisors = divisors.always;
    setRope("rope_type", "longrope");
    m_document->root["rope_scaling"]["short_factor"] = byLength ? divisors.small : divisors.always;
    m_document->root["rope_scaling"]["long_factor"] = byLength ? divisors.large : divisors.always;
    if (!byLength) {
        setRope("attention_factor", 1.0);
        return;
    }
    if (const auto factor = number("rope.scaling.attn_factor")) {
        setRope("attention_factor", *factor);
    }
    setRope("original_max_position_embeddings",
            static_cast<double>(requireInteger("rope.scaling.original_context_length")));
}

bool GgufConfig::scalesRope() const {
    return m_document->root.contains("rope_scaling");
}

std::vector<double> GgufConfig::takeRopeDivisors() {
    remove("rope_scaling");
    return std::move(m_ropeDivisors);
}

void GgufConfig::setRopeOf(std::string_view kind, std::string_view type, double theta,
                           std::optional<double> rotatedShare) {
    auto& block = m_document->root["rope_parameters"][std::string(kind)];
    block["rope_type"] = std::string(type);
    block["rope_theta"] = theta;
    if (rotatedShare) {
        block["partial_rotary_factor"] = *rotatedShare;
    }
}

void GgufConfig::setRopeScaling() {
    const auto type = text("rope.scaling.type").value_or("none");
    const auto factor = number("rope.scaling.factor");
    if (type == "none" || type == "longrope" || (type == "linear" && factor.value_or(1.0) == 1.0)) {
        return;  // longrope's numbers are in tensors: setRopeDivisors()
    }
    if (type != "linear" && type != "yarn") {
        throw Error(ErrorCode::Unsupported,
                    fmt::format("{}: RoPE scaling \"{}\" is not read from GGUF files; known are "
                                "none, linear, yarn and longrope. Get the model as safetensors.",
                                m_metadata.where(), type));
    }
    setRope("rope_type", type);
    setRope("factor", factor.value_or(1.0));
    if (type == "yarn") {
        setYarn();
    }
}

void GgufConfig::setYarn() {
    if (const auto positions = integer("rope.scaling.original_context_length")) {
        setRope("original_max_position_embeddings", static_cast<double>(*positions));
    }
    if (const auto beta = number("rope.scaling.yarn_beta_fast")) {
        setRope("beta_fast", *beta);
    }
    if (const auto beta = number("rope.scaling.yarn_beta_slow")) {
        setRope("beta_slow", *beta);
    }
    for (const std::string_view key :
         {"rope.scaling.yarn_ext_factor", "rope.scaling.yarn_attn_factor"}) {
        if (number(key).value_or(1.0) != 1.0) {
            refuse(key, "1");
        }
    }
}

void GgufConfig::setTokens() {
    for (const auto& [key, name] : {std::pair{"tokenizer.ggml.bos_token_id", "bos_token_id"},
                                    std::pair{"tokenizer.ggml.eos_token_id", "eos_token_id"}}) {
        if (const auto id = m_metadata.integer(key)) {
            set(name, *id);
        }
    }
}

void GgufConfig::setCommon() {
    const std::int64_t heads = requireInteger("attention.head_count");
    set("hidden_size", requireInteger("embedding_length"));
    set("num_hidden_layers", layers());
    set("num_attention_heads", heads);
    set("head_dim", headDim());
    if (const auto rows = size("token_embd.weight", 0)) {
        set("vocab_size", *rows);
    }
    if (const auto positions = integer("context_length")) {
        set("max_position_embeddings", *positions);
    }
    if (const auto epsilon = number("attention.layer_norm_rms_epsilon")) {
        set("rms_norm_eps", *epsilon);
    }
    set("rope_theta", number("rope.freq_base").value_or(10000.0));
    set("tie_word_embeddings", !hasTensor("output.weight"));
    if (flag("attention.causal") == false) {
        refuse("attention.causal", "true: Moescope runs decoders only");
    }
    setRopeScaling();
    setTokens();
}

void GgufConfig::setKeyValueHeads() {
    set("num_key_value_heads",
        integer("attention.head_count_kv").value_or(requireInteger("attention.head_count")));
}

void GgufConfig::refuseUnread() const {
    const std::string prefix = m_architecture + ".";
    for (const auto key : m_metadata.keys()) {
        if (!key.starts_with(prefix) || m_read.contains(key)) {
            continue;
        }
        const std::string_view rest = key.substr(prefix.size());
        const bool harmless =
            std::find(kHarmless.begin(), kHarmless.end(), rest) != kHarmless.end();
        if (!harmless && !isNeutral(m_metadata.shown(key))) {
            throw Error(ErrorCode::Unsupported,
                        fmt::format("{}: the metadata value \"{}\" is {}, a setting that Moescope "
                                    "does not know for this architecture. Get the model as "
                                    "safetensors.",
                                    m_metadata.where(), key, m_metadata.shown(key)));
        }
    }
}

std::string GgufConfig::json() const {
    return m_document->root.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace moescope::checkpoint
