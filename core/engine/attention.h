// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/rope_tables.h"
#include "core/engine/weights.h"

#include <cstdint>
#include <functional>
#include <span>

namespace moescope::engine {

/// How much may be formed at once.
struct AttentionLimits {
    std::uint64_t queryRows = 2048;                       ///< tokens projected at once
    std::uint64_t scoreBytes = std::uint64_t{64} << 20U;  ///< of one block of scores, all heads
};

/// Causal grouped-query attention with its norm and residual, for whole documents:
/// hidden += o(attention(q, k, v of norm(hidden))). Scores are formed for blocks of queries, so
/// that memory grows with the length of a document and not with its square.
class Attention {
public:
    Attention(const model::AttentionSpec& spec, const Norm& norm, const AttentionWeights& weights,
              RopeTables& tables, const AttentionLimits& limits)
        : m_spec(spec), m_norm(norm), m_weights(weights), m_tables(tables), m_limits(limits) {}

    /// `hidden` [n, d] holds the documents one behind the other; `lengths` sums to n. `poll` is
    /// called between blocks and may throw.
    void apply(at::Tensor& hidden, std::span<const std::uint64_t> lengths,
               const std::function<void()>& poll) const;

private:
    struct KeysValues {
        at::Tensor keys, values;  ///< [kv heads, n, headDim or valueDim], keys rotated
    };
    /// Keys and values [n, kv heads, headDim or valueDim] of a block, keys not yet rotated.
    [[nodiscard]] KeysValues keysValues(const at::Tensor& normed) const;
    [[nodiscard]] KeysValues latentKeysValues(const at::Tensor& normed) const;
    [[nodiscard]] at::Tensor queriesOf(const at::Tensor& normed) const;
    [[nodiscard]] KeysValues project(const at::Tensor& hidden,
                                     std::span<const std::uint64_t> lengths) const;
    /// Projected, normed (where `norm` is defined), clipped and split into heads:
    /// [n, count, headDim].
    [[nodiscard]] at::Tensor heads(const at::Tensor& normed, const Linear& linear, const Norm& norm,
                                   int count) const;
    /// Rotation, and the norm where it follows the rotation.
    void finishHeads(at::Tensor& x, const Norm& norm, std::uint64_t first,
                     std::span<const std::uint64_t> lengths) const;
    void rotateRange(at::Tensor& x, std::uint64_t first,
                     std::span<const std::uint64_t> lengths) const;
    /// Attention of queries [queries, heads, headDim] standing at `first` of a document whose keys
    /// and values are given.
    [[nodiscard]] at::Tensor attend(const at::Tensor& queries, std::uint64_t first,
                                    const at::Tensor& keys, const at::Tensor& values) const;
    [[nodiscard]] at::Tensor attendBlock(const at::Tensor& queries, std::uint64_t first,
                                         const at::Tensor& keys, const at::Tensor& values) const;

    const model::AttentionSpec& m_spec;
    const Norm& m_norm;
    const AttentionWeights& m_weights;
    RopeTables& m_tables;
    AttentionLimits m_limits;
};

}  // namespace moescope::engine
