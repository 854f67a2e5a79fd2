// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/layer_weights.h"

#include <cstdint>
#include <functional>
#include <span>

namespace moescope::engine {

/// Positions of the recurrence that are solved together.
inline constexpr std::uint64_t kDeltaChunk = 64;

/// What the recurrence of a gated DeltaNet takes for m consecutive positions, float32.
struct DeltaInput {
    at::Tensor query, key;  ///< [value heads, m, key dim], each of length 1, query also scaled
    at::Tensor value;       ///< [value heads, m, value dim]
    at::Tensor strength;    ///< beta [value heads, m], how far a value replaces what is stored
    at::Tensor logDecay;    ///< g [value heads, m], at most 0
};

/// The gated delta rule (arXiv 2412.06464, eq. 10) over m positions of one document: at each,
///     S = exp(g) S,  S = S + k (beta (v - S^T k))^T,  o = S^T q.
/// `state` S [value heads, key dim, value dim] goes in as the positions before left it and comes
/// out changed. Returns o [value heads, m, value dim]. Computed in chunks: within one the rule is a
/// triangular system (same paper, section 3.3), so memory grows with m times the chunk.
[[nodiscard]] at::Tensor gatedDeltaRule(const DeltaInput& input, at::Tensor& state);

/// A gated DeltaNet with its norms and residual in place of attention, for whole documents. Tokens
/// pass in blocks; between blocks only the state and the convolution's last inputs are kept.
class DeltaNet {
public:
    DeltaNet(const model::DeltaNetSpec& spec, const LayerWeights& layer, std::uint64_t blockRows)
        : m_spec(spec), m_layer(layer), m_weights(layer.delta), m_blockRows(blockRows) {}

    /// `hidden` [n, d] holds the documents one behind the other; `lengths` sums to n. `poll` is
    /// called between blocks and may throw; a block for which memory runs out begins again where
    /// there is relief.
    void apply(at::Tensor& hidden, std::span<const std::uint64_t> lengths,
               const std::function<void()>& poll, const Relief& relief = {}) const;

private:
    struct Projected {
        at::Tensor mixed;     ///< [n, channels] queries, keys, values
        at::Tensor gate;      ///< [n, value heads * value dim]
        at::Tensor strength;  ///< [n, value heads]
        at::Tensor decay;     ///< [n, value heads]
    };
    /// What a document carries from block to block.
    struct Carry {
        at::Tensor state;  ///< [value heads, key dim, value dim]
        at::Tensor tail;   ///< [kernel - 1, channels], float32: the convolution's last inputs
    };
    /// How far a pass over documents is, and what it carries; tensors are replaced, never changed.
    struct Walk {
        Carry carry;
        std::size_t document = 0;  ///< the next one
        std::int64_t documentEnd = 0;
    };
    /// Rows beginning at `first` join; returns the walk behind them.
    [[nodiscard]] Walk applyBlock(at::Tensor& block, std::int64_t first,
                                  std::span<const std::uint64_t> lengths, Walk walk) const;
    [[nodiscard]] Carry start(at::Device device) const;
    [[nodiscard]] Projected project(const at::Tensor& normed) const;
    /// Output [rows, value heads * value dim] of a document's rows, before the gate.
    [[nodiscard]] at::Tensor mix(const Projected& block, std::int64_t first, std::int64_t rows,
                                 Carry& carry) const;
    [[nodiscard]] at::Tensor convolve(const at::Tensor& mixed, Carry& carry) const;

    const model::DeltaNetSpec& m_spec;
    const LayerWeights& m_layer;
    const DeltaNetWeights& m_weights;
    std::uint64_t m_blockRows;
};

}  // namespace moescope::engine
