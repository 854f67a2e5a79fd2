// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "tests/support/safetensors_builder.h"

#include <filesystem>
#include <string>
#include <string_view>

namespace moescope::tests {

/// Sizes of a model, for checkpoints whose shards hold only headers. Written from the published
/// shapes, independent of the code under test.
struct ModelShapes {
    std::uint64_t vocab = 32, hidden = 8, layers = 2, headsQ = 4, headsKv = 2, headDim = 4;
    checkpoint::Dtype dtype = checkpoint::Dtype::BF16;
};

/// Adds the tensors of well-known layouts to a file, name by name.
class ShapeWriter {
public:
    explicit ShapeWriter(ModelShapes shapes) : m_shapes(shapes) {}

    ShapeWriter& skeleton(bool tied = false) {
        const auto& s = m_shapes;
        add("model.embed_tokens.weight", {s.vocab, s.hidden});
        for (std::uint64_t i = 0; i < s.layers; ++i) {
            const std::string layer = prefix(i);
            add(layer + "input_layernorm.weight", {s.hidden});
            add(layer + "post_attention_layernorm.weight", {s.hidden});
            add(layer + "self_attn.q_proj.weight", {s.headsQ * s.headDim, s.hidden});
            add(layer + "self_attn.k_proj.weight", {s.headsKv * s.headDim, s.hidden});
            add(layer + "self_attn.v_proj.weight", {s.headsKv * s.headDim, s.hidden});
            add(layer + "self_attn.o_proj.weight", {s.hidden, s.headsQ * s.headDim});
        }
        add("model.norm.weight", {s.hidden});
        return tied ? *this : add("lm_head.weight", {s.vocab, s.hidden});
    }

    /// gate, up and down below `path`, which ends in a dot.
    ShapeWriter& gated(const std::string& path, std::uint64_t width, const std::string& gate,
                       const std::string& up, const std::string& down) {
        add(path + gate + ".weight", {width, m_shapes.hidden});
        add(path + up + ".weight", {width, m_shapes.hidden});
        return add(path + down + ".weight", {m_shapes.hidden, width});
    }
    ShapeWriter& projections(const std::string& path, std::uint64_t width) {
        return gated(path, width, "gate_proj", "up_proj", "down_proj");
    }

    ShapeWriter& dense(std::uint64_t width) {
        for (std::uint64_t i = 0; i < m_shapes.layers; ++i) {
            projections(prefix(i) + "mlp.", width);
        }
        return *this;
    }

    ShapeWriter& mixtral(std::uint64_t experts, std::uint64_t width,
                         const std::string& block = "block_sparse_moe.") {
        for (std::uint64_t i = 0; i < m_shapes.layers; ++i) {
            add(prefix(i) + block + "gate.weight", {experts, m_shapes.hidden});
            for (std::uint64_t e = 0; e < experts; ++e) {
                gated(prefix(i) + block + "experts." + std::to_string(e) + ".", width, "w1", "w3",
                      "w2");
            }
        }
        return *this;
    }

    ShapeWriter& add(const std::string& name, const Shape& shape) {
        return add(name, shape, m_shapes.dtype);
    }
    ShapeWriter& add(const std::string& name, const Shape& shape, checkpoint::Dtype dtype) {
        m_builder.addShape(name, dtype, shape);
        return *this;
    }
    /// float8 with a scale per 128 x 128 tile.
    ShapeWriter& addFp8(const std::string& name, std::uint64_t rows, std::uint64_t columns) {
        add(name, {rows, columns}, checkpoint::Dtype::F8_E4M3);
        return add(name + "_scale_inv", {(rows + 127) / 128, (columns + 127) / 128},
                   checkpoint::Dtype::F32);
    }

    [[nodiscard]] static std::string prefix(std::uint64_t layer) {
        return "model.layers." + std::to_string(layer) + ".";
    }

    /// Writes config.json and the header; open it with Contents::HeadersOnly.
    void write(const std::filesystem::path& folder, std::string_view config) const {
        std::filesystem::create_directories(folder);
        writeFile(folder / "config.json", config);
        m_builder.write(folder / "model.safetensors");
    }

private:
    ModelShapes m_shapes;
    SafetensorsBuilder m_builder;
};

}  // namespace moescope::tests
