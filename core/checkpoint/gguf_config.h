// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/nd_array.h"
#include "core/gguf/metadata.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace moescope::checkpoint {

/// Tensors of a GGUF model by name, over all its files.
using GgufShapes = std::map<std::string_view, Shape, std::less<>>;

/// Divisors of RoPE's frequencies, one for each pair; empty: there are none.
struct GgufRopeDivisors {
    std::vector<double> always;        ///< whatever the length of the text (Llama 3)
    std::vector<double> small, large;  ///< up to the original number of positions, and beyond
};

/// Writes the config.json that a GGUF file's metadata and tensors amount to. Keys of the metadata
/// are given without the architecture before them: "block_count" for "qwen3moe.block_count". What
/// is read is remembered, so that a setting that nobody understood is refused, not ignored.
/// All look-ups throw Error(BadCheckpoint) naming file and key for a value of another type.
class GgufConfig {
public:
    GgufConfig(const gguf::Metadata& metadata, const GgufShapes& shapes,
               std::string_view architecture);
    ~GgufConfig();
    GgufConfig(const GgufConfig&) = delete;
    GgufConfig& operator=(const GgufConfig&) = delete;

    [[nodiscard]] std::optional<std::int64_t> integer(std::string_view key);
    [[nodiscard]] std::int64_t requireInteger(std::string_view key);
    /// A setting that may be given once or for each layer.
    [[nodiscard]] std::vector<std::int64_t> perLayer(std::string_view key);
    [[nodiscard]] std::optional<double> number(std::string_view key);
    [[nodiscard]] std::optional<bool> flag(std::string_view key);
    [[nodiscard]] std::optional<std::string_view> text(std::string_view key);

    /// Layers of the language model, without those of multi-token prediction.
    [[nodiscard]] std::int64_t layers();
    /// Of a head's query and key.
    [[nodiscard]] std::int64_t headDim();
    [[nodiscard]] bool hasTensor(std::string_view name) const { return m_shapes.contains(name); }
    /// In any layer: "attn_q.bias".
    [[nodiscard]] bool anyLayerHas(std::string_view name) const;
    /// Dimension `axis` of the first layer's tensor of this name ("ffn_gate_exps.weight").
    [[nodiscard]] std::optional<std::int64_t> size(std::string_view name, std::size_t axis) const;
    /// Width of a routed expert.
    [[nodiscard]] std::int64_t expertWidth();
    [[nodiscard]] std::vector<std::int64_t> layersWith(std::string_view name);
    [[nodiscard]] std::vector<std::int64_t> layersWithout(std::string_view name);

    void set(std::string_view key, std::int64_t value);
    void set(std::string_view key, double value);
    void set(std::string_view key, bool value);
    void set(std::string_view key, std::string_view value);
    void set(std::string_view key, const char* value) { set(key, std::string_view(value)); }
    void set(std::string_view key, const std::vector<std::int64_t>& values);
    void set(std::string_view key, const std::vector<std::string>& values);
    void remove(std::string_view key);
    /// An entry of an object.
    void setIn(std::string_view object, std::string_view key, std::int64_t value);
    void setIn(std::string_view object, std::string_view key, double value);
    void setNull(std::string_view key);
    void setArchitecture(std::string_view name);  ///< the entry of "architectures"
    /// What tensors say RoPE's frequencies are divided by. Throws Error(Unsupported) for a file
    /// that says it has such tensors and has none.
    void setRopeDivisors(const GgufRopeDivisors& divisors);
    /// GgufRopeDivisors::always, of which config.json then says nothing.
    [[nodiscard]] std::vector<double> takeRopeDivisors();
    [[nodiscard]] bool scalesRope() const;
    /// RoPE of one kind of layers, an entry of `rope_parameters`.
    void setRopeOf(std::string_view kind, std::string_view type, double theta,
                   std::optional<double> rotatedShare);
    /// An entry of the `rope_scaling` object.
    void setRope(std::string_view key, double value);
    void setRope(std::string_view key, std::string_view value);
    void setRope(std::string_view key, const char* value) { setRope(key, std::string_view(value)); }
    void setRope(std::string_view key, bool value);

    /// What nearly every family has: widths, heads, layers, norms, RoPE, ties, special tokens; key
    /// and value heads apart where layers differ in them.
    void setCommon();
    void setKeyValueHeads();
    /// Throws Error(Unsupported) for settings that were not read and are not neutral.
    void refuseUnread() const;
    [[noreturn]] void refuse(std::string_view key, std::string_view expected) const;

    [[nodiscard]] std::string json() const;  ///< the text of config.json

private:
    struct Document;
    [[nodiscard]] std::string full(std::string_view key) const;
    [[nodiscard]] std::string read(std::string_view key);
    void setRopeScaling();
    void setYarn();
    void setTokens();

    const gguf::Metadata& m_metadata;
    const GgufShapes& m_shapes;
    std::string m_architecture;
    std::set<std::string, std::less<>> m_read;
    std::vector<double> m_ropeDivisors;  ///< GgufRopeDivisors::always
    std::unique_ptr<Document> m_document;
};

}  // namespace moescope::checkpoint
