// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/attention.h"

#include "core/engine/norm.h"
#include "core/engine/parallel_ranges.h"
#include "core/engine/softmax_rows.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

namespace moescope::engine {
namespace {

std::int64_t signedOf(std::uint64_t value) {
    return static_cast<std::int64_t>(value);
}

/// Calls visit(document's first row, its length, first row of the overlap, rows) for the documents
/// that overlap [first, first + rows).
template <typename Visit>
void forEachOverlap(std::span<const std::uint64_t> lengths, std::uint64_t first, std::uint64_t rows,
                    Visit visit) {
    std::uint64_t start = 0;
    for (const std::uint64_t length : lengths) {
        const std::uint64_t from = std::max(start, first);
        const std::uint64_t to = std::min(start + length, first + rows);
        if (from < to) {
            visit(start, length, from, to - from);
        }
        start += length;
        if (start >= first + rows) {
            return;
        }
    }
}

at::Tensor linearMap(const Linear& linear, const at::Tensor& x) {
    return at::linear(x, linear.weight, linear.bias);
}

/// True where a query must not see a key: [queries, keys].
at::Tensor hiddenKeys(std::uint64_t firstQuery, std::int64_t queries, std::uint64_t firstKey,
                      std::int64_t keys, const model::AttentionSpec& spec, at::Device device) {
    const auto options = at::TensorOptions().dtype(at::kLong).device(device);
    const at::Tensor query = at::arange(queries, options).add_(signedOf(firstQuery)).unsqueeze(1);
    const at::Tensor key = at::arange(keys, options).add_(signedOf(firstKey)).unsqueeze(0);
    at::Tensor hidden = key > query;
    if (spec.slidingWindow) {
        hidden.logical_or_((query - key) >= *spec.slidingWindow);
    }
    if (spec.chunk) {
        const auto chunkOf = [&](const at::Tensor& position) {
            return at::div(position, *spec.chunk, "floor");
        };
        hidden.logical_or_(chunkOf(key) != chunkOf(query));
    }
    return hidden;
}

}  // namespace

at::Tensor Attention::heads(at::Tensor projected, const Norm& norm, int count) const {
    const bool normNow = norm.present() && !m_spec.qkNormAfterRope;
    if (normNow && m_spec.qkNorm == model::QkNorm::FullProjection) {
        projected = normalise(projected, norm);
    }
    if (m_spec.clipQkv) {
        projected.clamp_(-*m_spec.clipQkv, *m_spec.clipQkv);
    }
    const at::Tensor split = projected.view({projected.size(0), count, m_spec.headDim});
    return normNow && m_spec.qkNorm == model::QkNorm::PerHead ? normalise(split, norm) : split;
}

void Attention::finishHeads(at::Tensor& x, const Norm& norm, std::uint64_t first,
                            std::span<const std::uint64_t> lengths) const {
    rotateRange(x, first, lengths);
    if (norm.present() && m_spec.qkNormAfterRope) {
        x = normalise(x, norm);
    }
}

void Attention::applyTemperature(at::Tensor& queries, std::uint64_t first,
                                 std::span<const std::uint64_t> lengths) const {
    forEachOverlap(lengths, first, static_cast<std::uint64_t>(queries.size(0)),
                   [&](std::uint64_t start, std::uint64_t, std::uint64_t from, std::uint64_t rows) {
                       const auto options =
                           at::TensorOptions().dtype(at::kFloat).device(queries.device());
                       const at::Tensor positions = at::arange(
                           signedOf(from - start), signedOf(from - start + rows), options);
                       const at::Tensor factors = ((positions + 1.0) / m_spec.temperature->step)
                                                      .floor_()
                                                      .log1p_()
                                                      .mul_(m_spec.temperature->strength)
                                                      .add_(1.0);
                       at::Tensor part = queries.narrow(0, signedOf(from - first), signedOf(rows));
                       part.copy_(part.to(at::kFloat) * factors.view({-1, 1, 1}));
                   });
}

void Attention::rotateRange(at::Tensor& x, std::uint64_t first,
                            std::span<const std::uint64_t> lengths) const {
    if (!m_spec.rope.enabled) {
        return;
    }
    forEachOverlap(
        lengths, first, static_cast<std::uint64_t>(x.size(0)),
        [&](std::uint64_t start, std::uint64_t length, std::uint64_t from, std::uint64_t rows) {
            const RopeTable& table = m_tables.get(m_spec.rope, length);
            at::Tensor part = x.narrow(0, signedOf(from - first), signedOf(rows));
            part.copy_(rotate(part, table, from - start, m_spec.rope.style));
        });
}

Attention::KeysValues Attention::keysValues(const at::Tensor& normed) const {
    if (m_spec.latent) {
        return latentKeysValues(normed);
    }
    const at::Tensor key = linearMap(m_weights.k, normed);
    // A copy where values are keys: clipping works in place.
    const at::Tensor value = m_spec.valueIsKey ? key.clone() : linearMap(m_weights.v, normed);
    at::Tensor values = heads(value, {}, m_spec.headsKv);
    if (m_weights.vNorm.present()) {
        values = normalise(values, m_weights.vNorm);
    }
    return {heads(key, m_weights.kNorm, m_spec.headsKv), values};
}

Attention::KeysValues Attention::latentKeysValues(const at::Tensor& normed) const {
    const model::LatentAttention& latent = *m_spec.latent;
    const std::int64_t rows = normed.size(0);
    const at::Tensor down = linearMap(m_weights.keyValueDown, normed);
    const at::Tensor narrow =
        normalise(down.narrow(1, 0, latent.keyValueRank), m_weights.keyValueDownNorm);
    const at::Tensor wide = linearMap(m_weights.keyValueUp, narrow)
                                .view({rows, m_spec.headsQ, latent.plainDim + latent.valueDim});
    const at::Tensor rotary = down.narrow(1, latent.keyValueRank, latent.rotaryDim)
                                  .unsqueeze(1)
                                  .expand({rows, m_spec.headsQ, latent.rotaryDim});
    return {at::cat({rotary, wide.narrow(2, 0, latent.plainDim)}, 2),
            wide.narrow(2, latent.plainDim, latent.valueDim)};
}

Attention::Queries Attention::queriesOf(const at::Tensor& normed) const {
    if (m_spec.latent) {
        return {latentQueries(normed), {}};
    }
    at::Tensor queries = linearMap(m_weights.q, normed);
    at::Tensor gate;
    if (m_spec.outputGate) {
        const std::int64_t rows = normed.size(0);
        const at::Tensor pairs = queries.view({rows, m_spec.headsQ, 2, m_spec.headDim});
        queries = pairs.select(2, 0).reshape({rows, -1});
        gate = pairs.select(2, 1).reshape({rows, -1});
    }
    return {heads(queries, m_weights.qNorm, m_spec.headsQ), gate};
}

at::Tensor Attention::latentQueries(const at::Tensor& normed) const {
    at::Tensor from = normed;
    if (m_weights.queryDown.weight.defined()) {
        from = normalise(linearMap(m_weights.queryDown, normed), m_weights.queryDownNorm);
    }
    const at::Tensor queries = heads(linearMap(m_weights.q, from), {}, m_spec.headsQ);
    // Here as in the keys the rotated part stands first, where rotate() expects it: products of
    // queries and keys do not depend on the order.
    const model::LatentAttention& latent = *m_spec.latent;
    return at::cat({queries.narrow(2, latent.plainDim, latent.rotaryDim),
                    queries.narrow(2, 0, latent.plainDim)},
                   2);
}

Attention::KeysValues Attention::project(const at::Tensor& hidden,
                                         std::span<const std::uint64_t> lengths) const {
    const std::int64_t tokens = hidden.size(0);
    KeysValues result;
    result.keys = at::empty({m_spec.headsKv, tokens, m_spec.headDim}, hidden.options());
    result.values = at::empty({m_spec.headsKv, tokens, m_spec.valueDim()}, hidden.options());
    const std::int64_t step = signedOf(m_limits.queryRows);
    for (std::int64_t first = 0; first < tokens; first += step) {
        const std::int64_t rows = std::min(step, tokens - first);
        KeysValues block = keysValues(normalise(hidden.narrow(0, first, rows), m_norm));
        finishHeads(block.keys, m_weights.kNorm, static_cast<std::uint64_t>(first), lengths);
        result.keys.narrow(1, first, rows).copy_(block.keys.transpose(0, 1));
        result.values.narrow(1, first, rows).copy_(block.values.transpose(0, 1));
    }
    return result;
}

void Attention::apply(at::Tensor& hidden, std::span<const std::uint64_t> lengths,
                      const std::function<void()>& poll, const Relief& relief) const {
    const KeysValues cache = withRelief(relief, [&] { return project(hidden, lengths); });
    const std::int64_t tokens = hidden.size(0);
    const std::int64_t step = signedOf(m_limits.queryRows);
    for (std::int64_t first = 0; first < tokens; first += step) {
        poll();
        const std::int64_t count = std::min(step, tokens - first);
        withRelief(relief, [&] {
            at::Tensor block = hidden.narrow(0, first, count);
            addTo(block, linearMap(m_weights.o, mixedValues(block, first, lengths, cache)), m_join);
        });
    }
}

at::Tensor Attention::mixedValues(const at::Tensor& block, std::int64_t first,
                                  std::span<const std::uint64_t> lengths,
                                  const KeysValues& cache) const {
    const std::int64_t count = block.size(0);
    auto [queries, gate] = queriesOf(normalise(block, m_norm));
    const auto begin = static_cast<std::uint64_t>(first);
    finishHeads(queries, m_weights.qNorm, begin, lengths);
    if (m_spec.temperature) {
        applyTemperature(queries, begin, lengths);
    }
    at::Tensor mixed = at::empty({count, mixedWidth()}, block.options());
    forEachOverlap(
        lengths, begin, static_cast<std::uint64_t>(count),
        [&, &rotated = queries](std::uint64_t start, std::uint64_t length, std::uint64_t from,
                                std::uint64_t rows) {
            const std::int64_t at = signedOf(from - begin);
            const at::Tensor keys = cache.keys.narrow(1, signedOf(start), signedOf(length));
            const at::Tensor values = cache.values.narrow(1, signedOf(start), signedOf(length));
            mixed.narrow(0, at, signedOf(rows))
                .copy_(attend(rotated.narrow(0, at, signedOf(rows)), from - start, keys, values));
        });
    if (gate.defined()) {
        mixed.mul_(at::sigmoid(gate));
    }
    return mixed;
}

std::uint64_t Attention::firstVisible(std::uint64_t position) const {
    if (m_spec.chunk) {
        const auto chunk = static_cast<std::uint64_t>(*m_spec.chunk);
        return position / chunk * chunk;
    }
    const auto window = static_cast<std::uint64_t>(m_spec.slidingWindow.value_or(0));
    return m_spec.slidingWindow && position + 1 > window ? position + 1 - window : 0;
}

at::Tensor Attention::attend(const at::Tensor& queries, std::uint64_t first, const at::Tensor& keys,
                             const at::Tensor& values) const {
    const std::int64_t total = queries.size(0);
    const std::optional<int> bound = m_spec.reach();
    const std::uint64_t reach = std::min(first + static_cast<std::uint64_t>(total),
                                         bound ? static_cast<std::uint64_t>(*bound + total)
                                               : std::numeric_limits<std::uint64_t>::max());
    const std::uint64_t rowBytes =
        std::max<std::uint64_t>(1, reach * static_cast<std::uint64_t>(m_spec.headsQ) * 4);
    const std::int64_t step =
        std::clamp<std::int64_t>(signedOf(m_limits.scoreBytes / rowBytes), 1, total);
    if (step == total) {
        return attendBlock(queries, first, keys, values, {});
    }
    // One after another in the same memory: touching as much anew costs more than filling it.
    const at::Tensor room = at::empty({step * m_spec.headsQ * signedOf(reach)}, queries.options());
    at::Tensor result = at::empty({total, mixedWidth()}, queries.options());
    for (std::int64_t at = 0; at < total; at += step) {
        const std::int64_t rows = std::min(step, total - at);
        result.narrow(0, at, rows)
            .copy_(attendBlock(queries.narrow(0, at, rows), first + static_cast<std::uint64_t>(at),
                               keys, values, room));
    }
    return result;
}

at::Tensor Attention::attendBlock(const at::Tensor& queries, std::uint64_t first,
                                  const at::Tensor& keys, const at::Tensor& values,
                                  const at::Tensor& room) const {
    const std::int64_t rows = queries.size(0);
    const std::int64_t group = m_spec.headsQ / m_spec.headsKv;
    const std::uint64_t firstKey = firstVisible(first);
    const Block block{first, firstKey, rows, signedOf(first - firstKey) + rows};
    const at::Tensor visibleKeys = keys.narrow(1, signedOf(firstKey), block.keys);
    const at::Tensor visibleValues = values.narrow(1, signedOf(firstKey), block.keys);
    // Heads of one group lie together: query head h belongs to key head h / group.
    const at::Tensor grouped =
        queries.transpose(0, 1).reshape({m_spec.headsKv, group * rows, m_spec.headDim});
    at::Tensor products =
        room.defined() ? room.narrow(0, 0, m_spec.headsQ * rows * block.keys)
                             .view({m_spec.headsKv, group * rows, block.keys})
                       : at::empty({m_spec.headsKv, group * rows, block.keys}, queries.options());
    at::bmm_out(products, grouped, visibleKeys.transpose(1, 2));
    return at::bmm(shares(std::move(products), block), visibleValues)
        .view({m_spec.headsQ, rows, m_spec.valueDim()})
        .transpose(0, 1)
        .reshape({rows, mixedWidth()});
}

template <typename Score>
void Attention::softmaxRows(at::Tensor& products, const Block& block) const {
    constexpr std::int64_t kElementGrain = 1 << 14;
    auto* const scores = static_cast<Score*>(products.data_ptr());
    const at::Tensor sinks =
        m_weights.sinks.defined() ? m_weights.sinks.contiguous() : at::Tensor();
    const std::int64_t grain =
        std::max<std::int64_t>(1, kElementGrain / std::max<std::int64_t>(block.keys, 1));
    const auto some = [&](std::int64_t from, std::int64_t end) {
        std::vector<float> room;
        for (std::int64_t i = from; i < end; ++i) {
            const std::uint64_t position =
                block.firstQuery + static_cast<std::uint64_t>(i % block.rows);
            ScoreRow row;
            row.keys = static_cast<std::size_t>(block.keys);
            row.first = std::max(firstVisible(position), block.firstKey) - block.firstKey;
            row.end = position + 1 - block.firstKey;
            row.scale = static_cast<float>(m_spec.scale);
            if (sinks.defined()) {
                row.sink = sinks.data_ptr<float>()[i / block.rows];
            }
            if constexpr (std::is_same_v<Score, float>) {
                softmaxRow(scores + i * block.keys, row);
            } else {
                room.resize(std::max(room.size(), row.end - row.first));
                softmaxRow(scores + i * block.keys, row, room.data());
            }
        }
    };
    parallelRanges(std::int64_t{m_spec.headsQ} * block.rows, grain, some);
}

at::Tensor Attention::shares(at::Tensor products, const Block& block) const {
    if (products.is_cpu() && products.is_contiguous() && !m_spec.logitCap) {
        if (products.scalar_type() == at::kFloat) {
            softmaxRows<float>(products, block);
            return products;
        }
        if (products.scalar_type() == at::kBFloat16) {
            softmaxRows<Bfloat16Bits>(products, block);
            return products;
        }
    }
    const at::Tensor mask = hiddenKeys(block.firstQuery, block.rows, block.firstKey, block.keys,
                                       m_spec, products.device());
    const at::ScalarType type = products.scalar_type();
    at::Tensor scores = std::move(products);
    if (m_spec.logitCap) {
        scores = scores.to(at::kFloat).mul_(m_spec.scale / *m_spec.logitCap);
        scores.tanh_().mul_(*m_spec.logitCap);
    } else {
        scores.mul_(m_spec.scale);
    }
    scores.view({m_spec.headsKv, -1, block.rows, block.keys})
        .masked_fill_(mask, -std::numeric_limits<double>::infinity());
    if (!m_weights.sinks.defined()) {
        return at::softmax(scores, -1, at::kFloat).to(type);
    }
    // The sink's logit stands beside the keys': [kv heads, group * rows, 1].
    const at::Tensor sinks =
        m_weights.sinks.view({m_spec.headsKv, -1, 1}).repeat_interleave(block.rows, 1);
    scores = scores.to(at::kFloat);
    const at::Tensor largest = at::maximum(scores.amax(-1, /*keepdim=*/true), sinks);
    scores.sub_(largest).exp_();
    const at::Tensor total = scores.sum(-1, /*keepdim=*/true) + (sinks - largest).exp();
    return scores.div_(total).to(type);
}

}  // namespace moescope::engine
