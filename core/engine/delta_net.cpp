// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/delta_net.h"

#include "core/engine/norm.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

namespace moescope::engine {
namespace {

/// Added to the squared length of queries and keys.
constexpr double kLengthEps = 1e-6;

at::Tensor linearMap(const Linear& linear, const at::Tensor& x) {
    return at::linear(x, linear.weight, linear.bias);
}

at::Tensor unitLength(const at::Tensor& x) {
    return x * (x.square().sum(-1, /*keepdim=*/true) + kLengthEps).rsqrt();
}

/// [heads, m, ...] as [heads, chunks, size, ...]; zeros fill the last chunk. A position of zeros
/// leaves the state as it is.
at::Tensor inChunks(const at::Tensor& x, std::int64_t size) {
    const std::int64_t missing = (size - x.size(1) % size) % size;
    std::vector<std::int64_t> shape = x.sizes().vec();
    shape[1] = missing;
    const at::Tensor padded = missing == 0 ? x : at::cat({x, at::zeros(shape, x.options())}, 1);
    shape[1] = padded.size(1) / size;
    shape.insert(shape.begin() + 2, size);
    return padded.reshape(shape);
}

}  // namespace

at::Tensor gatedDeltaRule(const DeltaInput& input, at::Tensor& state) {
    const std::int64_t positions = input.value.size(1);
    const std::int64_t size = std::min(static_cast<std::int64_t>(kDeltaChunk), positions);
    const at::Tensor query = inChunks(input.query, size);
    const at::Tensor key = inChunks(input.key, size);
    const at::Tensor strength = inChunks(input.strength, size).unsqueeze(-1);
    const at::Tensor sum = inChunks(input.logDecay, size).cumsum(-1);
    const at::Tensor grown = sum.exp().unsqueeze(-1);
    // What is left at position i of what position j of the same chunk stored; exponents above the
    // diagonal may be large and are taken out before.
    const at::Tensor left = (sum.unsqueeze(-1) - sum.unsqueeze(-2)).tril().exp().tril();
    const at::Tensor weak = key * strength;
    const at::Tensor system = (at::matmul(weak, key.transpose(-1, -2)) * left).tril(-1);
    const at::Tensor right = at::cat({inChunks(input.value, size) * strength, weak * grown}, -1);
    const at::Tensor solved =
        at::linalg_solve_triangular(system, right, /*upper=*/false, /*left=*/true,
                                    /*unitriangular=*/true);
    const std::int64_t width = input.value.size(2);
    const at::Tensor within = at::matmul(query, key.transpose(-1, -2)) * left;
    const at::Tensor last = sum.narrow(-1, size - 1, 1);
    const at::Tensor stored = key * (last - sum).exp().unsqueeze(-1);
    const at::Tensor asked = query * grown;

    std::vector<at::Tensor> outputs;
    for (std::int64_t c = 0; c < key.size(1); ++c) {
        const at::Tensor parts = solved.select(1, c);
        const at::Tensor value =
            parts.narrow(-1, 0, width) - at::matmul(parts.narrow(-1, width, key.size(-1)), state);
        outputs.push_back(at::matmul(asked.select(1, c), state) +
                          at::matmul(within.select(1, c), value));
        state = state * last.select(1, c).exp().unsqueeze(-1) +
                at::matmul(stored.select(1, c).transpose(-1, -2), value);
    }
    return at::cat(outputs, 1).narrow(1, 0, positions);
}

DeltaNet::Carry DeltaNet::start(at::Device device) const {
    const auto options = at::TensorOptions().dtype(at::kFloat).device(device);
    return {at::zeros({m_spec.valueHeads, m_spec.keyDim, m_spec.valueDim}, options),
            at::zeros({m_spec.kernel - 1, m_spec.channels()}, options)};
}

DeltaNet::Projected DeltaNet::project(const at::Tensor& normed) const {
    const std::int64_t rows = normed.size(0);
    const at::Tensor all = linearMap(m_weights.queryKeyValue, normed);
    const at::Tensor strength = linearMap(m_weights.strength, normed);
    if (!m_spec.packedByKeyHead) {
        return {all, linearMap(m_weights.gate, normed), strength,
                linearMap(m_weights.decay, normed)};
    }
    const std::int64_t perKey = m_spec.valueHeads / m_spec.keyHeads;
    const std::int64_t values = perKey * m_spec.valueDim;
    const at::Tensor byKey = all.view({rows, m_spec.keyHeads, 2 * (m_spec.keyDim + values)});
    const at::Tensor byKeySmall = strength.view({rows, m_spec.keyHeads, 2 * perKey});
    const auto part = [&](const at::Tensor& from, std::int64_t first, std::int64_t width) {
        return from.narrow(2, first, width).reshape({rows, -1});
    };
    return {at::cat({part(byKey, 0, m_spec.keyDim), part(byKey, m_spec.keyDim, m_spec.keyDim),
                     part(byKey, 2L * m_spec.keyDim, values)},
                    1),
            part(byKey, 2L * m_spec.keyDim + values, values), part(byKeySmall, 0, perKey),
            part(byKeySmall, perKey, perKey)};
}

at::Tensor DeltaNet::convolve(const at::Tensor& mixed, Carry& carry) const {
    const std::int64_t rows = mixed.size(0);
    const at::Tensor inputs = at::cat({carry.tail, mixed.to(at::kFloat)}, 0);
    at::Tensor sum = at::zeros({rows, inputs.size(1)}, inputs.options());
    for (std::int64_t tap = 0; tap < m_spec.kernel; ++tap) {
        sum.addcmul_(inputs.narrow(0, tap, rows), m_weights.convolution.select(1, tap));
    }
    carry.tail = inputs.narrow(0, rows, m_spec.kernel - 1).clone();
    return at::silu(sum.to(mixed.scalar_type())).to(at::kFloat);
}

at::Tensor DeltaNet::mix(const Projected& block, std::int64_t first, std::int64_t rows,
                         Carry& carry) const {
    const at::Tensor channels = convolve(block.mixed.narrow(0, first, rows), carry);
    const std::int64_t perKey = m_spec.valueHeads / m_spec.keyHeads;
    const auto heads = [&](std::int64_t from, std::int64_t count, std::int64_t dim) {
        return channels.narrow(1, from, count * dim).view({rows, count, dim}).transpose(0, 1);
    };
    const auto perValueHead = [&](const at::Tensor& x) {
        const at::Tensor unit = unitLength(x);
        return m_spec.tiledKeyHeads ? unit.repeat({perKey, 1, 1})
                                    : unit.repeat_interleave(perKey, 0);
    };
    const std::int64_t keyWidth = m_spec.keyWidth();
    const auto narrow = [&](const at::Tensor& x) { return x.narrow(0, first, rows).t(); };
    const at::Tensor time = narrow(block.decay).to(at::kFloat) + m_weights.timeBias.unsqueeze(1);
    DeltaInput input;
    input.query = perValueHead(heads(0, m_spec.keyHeads, m_spec.keyDim)) *
                  (1.0 / std::sqrt(static_cast<double>(m_spec.keyDim)));
    input.key = perValueHead(heads(keyWidth, m_spec.keyHeads, m_spec.keyDim));
    input.value = heads(2 * keyWidth, m_spec.valueHeads, m_spec.valueDim);
    input.strength = at::sigmoid(narrow(block.strength)).to(at::kFloat);
    input.logDecay = at::softplus(time) * m_weights.decayRate.unsqueeze(1);
    return gatedDeltaRule(input, carry.state)
        .transpose(0, 1)
        .to(block.mixed.scalar_type())
        .contiguous();
}

void DeltaNet::apply(at::Tensor& hidden, std::span<const std::uint64_t> lengths,
                     const std::function<void()>& poll, const Relief& relief) const {
    const std::int64_t tokens = hidden.size(0);
    const auto step = static_cast<std::int64_t>(m_blockRows);
    Walk walk{withRelief(relief, [&] { return start(hidden.device()); }), 0, 0};
    for (std::int64_t first = 0; first < tokens; first += step) {
        poll();
        at::Tensor block = hidden.narrow(0, first, std::min(step, tokens - first));
        walk = withRelief(relief, [&] { return applyBlock(block, first, lengths, walk); });
    }
}

DeltaNet::Walk DeltaNet::applyBlock(at::Tensor& block, std::int64_t first,
                                    std::span<const std::uint64_t> lengths, Walk walk) const {
    const std::int64_t count = block.size(0);
    const Projected projected = project(normalise(block, m_layer.attentionNorm));
    std::vector<at::Tensor> parts;
    for (std::int64_t at = first; at < first + count;) {
        if (at == walk.documentEnd) {
            walk.carry = start(block.device());
            walk.documentEnd += static_cast<std::int64_t>(lengths[walk.document++]);
            continue;
        }
        const std::int64_t rows = std::min(walk.documentEnd, first + count) - at;
        parts.push_back(mix(projected, at - first, rows, walk.carry));
        at += rows;
    }
    const at::Tensor normed = normalise(at::cat(parts, 0), m_weights.outputNorm);
    const at::Tensor gate = projected.gate.view(normed.sizes()).to(at::kFloat);
    const at::Tensor gated = (normed.to(at::kFloat) * at::silu(gate)).to(block.scalar_type());
    addTo(block, linearMap(m_weights.output, gated.reshape({count, -1})), m_layer.attentionJoin);
    return walk;
}

}  // namespace moescope::engine
