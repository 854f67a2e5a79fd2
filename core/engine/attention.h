// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/layer_weights.h"
#include "core/engine/rope_tables.h"

#include <cstdint>
#include <functional>
#include <span>

namespace moescope::engine {

/// How much may be formed at once.
struct AttentionLimits {
    std::uint64_t queryRows = 2048;                       ///< tokens projected at once
    std::uint64_t scoreBytes = std::uint64_t{64} << 20U;  ///< of one block of scores, all heads
};

/// Causal grouped-query attention with its norms and residual, for whole documents:
/// hidden joins o(attention(q, k, v of norm(hidden))). Scores are formed for blocks of queries, so
/// that memory grows with the length of a document and not with its square.
class Attention {
public:
    Attention(const model::AttentionSpec& spec, const LayerWeights& layer, RopeTables& tables,
              const AttentionLimits& limits)
        : m_spec(spec),
          m_norm(layer.attentionNorm),
          m_weights(layer.attention),
          m_join(layer.attentionJoin),
          m_tables(tables),
          m_limits(limits) {}

    /// `hidden` [n, d] holds the documents one behind the other; `lengths` sums to n. `poll` is
    /// called between blocks and may throw; a block for which memory runs out begins again where
    /// there is relief.
    void apply(at::Tensor& hidden, std::span<const std::uint64_t> lengths,
               const std::function<void()>& poll, const Relief& relief = {}) const;

private:
    struct KeysValues {
        at::Tensor keys, values;  ///< [kv heads, n, headDim or valueDim], keys rotated
    };
    /// Keys and values [n, kv heads, headDim or valueDim] of a block, keys not yet rotated.
    [[nodiscard]] KeysValues keysValues(const at::Tensor& normed) const;
    [[nodiscard]] KeysValues latentKeysValues(const at::Tensor& normed) const;
    struct Queries {
        at::Tensor queries;  ///< [n, heads, headDim], not yet rotated
        at::Tensor gate;     ///< [n, heads * headDim] or undefined
    };
    [[nodiscard]] Queries queriesOf(const at::Tensor& normed) const;
    [[nodiscard]] at::Tensor latentQueries(const at::Tensor& normed) const;
    [[nodiscard]] KeysValues project(const at::Tensor& hidden,
                                     std::span<const std::uint64_t> lengths) const;
    /// What the heads of a block [n, d] beginning at row `first` read: [n, mixedWidth()].
    [[nodiscard]] at::Tensor mixedValues(const at::Tensor& block, std::int64_t first,
                                         std::span<const std::uint64_t> lengths,
                                         const KeysValues& cache) const;
    /// A projection normed (where `norm` is present and precedes the rotation), clipped and split
    /// into heads: [n, count, headDim].
    [[nodiscard]] at::Tensor heads(at::Tensor projected, const Norm& norm, int count) const;
    /// Rotation, and the norm where it follows the rotation.
    void finishHeads(at::Tensor& x, const Norm& norm, std::uint64_t first,
                     std::span<const std::uint64_t> lengths) const;
    void rotateRange(at::Tensor& x, std::uint64_t first,
                     std::span<const std::uint64_t> lengths) const;
    void applyTemperature(at::Tensor& queries, std::uint64_t first,
                          std::span<const std::uint64_t> lengths) const;
    /// The first key that a query at `position` sees.
    [[nodiscard]] std::uint64_t firstVisible(std::uint64_t position) const;
    /// Attention of queries [queries, heads, headDim] standing at `first` of a document whose keys
    /// and values are given.
    [[nodiscard]] at::Tensor attend(const at::Tensor& queries, std::uint64_t first,
                                    const at::Tensor& keys, const at::Tensor& values) const;
    /// `room`: memory for its scores, or undefined.
    [[nodiscard]] at::Tensor attendBlock(const at::Tensor& queries, std::uint64_t first,
                                         const at::Tensor& keys, const at::Tensor& values,
                                         const at::Tensor& room) const;
    /// A block of queries and the keys that any of them sees, by their positions in the document.
    struct Block {
        std::uint64_t firstQuery = 0, firstKey = 0;
        std::int64_t rows = 0, keys = 0;
    };
    /// Softmax of products [kv heads, group * rows, keys] of queries and keys, masked: what each
    /// key's value weighs, in the compute type.
    [[nodiscard]] at::Tensor shares(at::Tensor products, const Block& block) const;
    /// The same in place by loops of our own, where there are any for the type.
    template <typename Score>
    void softmaxRows(at::Tensor& products, const Block& block) const;

    /// Of all heads' values beside each other.
    [[nodiscard]] std::int64_t mixedWidth() const noexcept {
        return std::int64_t{m_spec.headsQ} * m_spec.valueDim();
    }

    const model::AttentionSpec& m_spec;
    const Norm& m_norm;
    const AttentionWeights& m_weights;
    const ResidualJoin& m_join;
    RopeTables& m_tables;
    AttentionLimits m_limits;
};

}  // namespace moescope::engine
