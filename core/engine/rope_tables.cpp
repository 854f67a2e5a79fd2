// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/rope_tables.h"

#include "core/engine/rope.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

namespace moescope::engine {

RopeTable RopeTables::get(const model::RopeSpec& spec, std::uint64_t length) {
    const RopeFrequencies frequencies = ropeFrequencies(spec, length);
    const std::vector<float> inverse(frequencies.inverse.begin(), frequencies.inverse.end());
    const auto multiplier = static_cast<float>(frequencies.multiplier);
    const std::lock_guard lock(m_mutex);
    if (m_table.cosines.defined() && length <= m_length && inverse == m_inverse &&
        multiplier == m_multiplier) {
        return m_table;
    }
    m_length = std::max(length, std::uint64_t{64});
    m_inverse = inverse;
    m_multiplier = multiplier;
    // Angles are formed in float32 as in the reference implementation: at long positions their
    // rounding shows in the logits.
    const at::Tensor positions = at::arange(static_cast<std::int64_t>(m_length), at::kFloat);
    const at::Tensor angles = at::outer(positions, at::tensor(m_inverse, at::kFloat));
    m_table = {};  // others may still use the tensors
    m_table.cosines = (angles.cos() * m_multiplier).to(m_options);
    m_table.sines = (angles.sin() * m_multiplier).to(m_options);
    return m_table;
}

at::Tensor rotate(const at::Tensor& x, const RopeTable& table, std::uint64_t position,
                  model::RopeStyle style) {
    const std::int64_t tokens = x.size(0);
    const std::int64_t half = table.cosines.size(1);
    const auto start = static_cast<std::int64_t>(position);
    const at::Tensor cosines = table.cosines.narrow(0, start, tokens).unsqueeze(1);
    const at::Tensor sines = table.sines.narrow(0, start, tokens).unsqueeze(1);
    const bool split = style == model::RopeStyle::HalfSplit;
    const at::Tensor rotary = x.narrow(2, 0, 2 * half);
    const at::Tensor first = split ? rotary.narrow(2, 0, half) : rotary.slice(2, 0, 2 * half, 2);
    const at::Tensor second =
        split ? rotary.narrow(2, half, half) : rotary.slice(2, 1, 2 * half, 2);

    at::Tensor result = at::empty_like(x, at::MemoryFormat::Contiguous);
    at::Tensor target = result.narrow(2, 0, 2 * half);
    at::Tensor targetFirst = split ? target.narrow(2, 0, half) : target.slice(2, 0, 2 * half, 2);
    at::Tensor targetSecond =
        split ? target.narrow(2, half, half) : target.slice(2, 1, 2 * half, 2);
    targetFirst.copy_(first * cosines - second * sines);
    targetSecond.copy_(second * cosines + first * sines);
    if (x.size(2) > 2 * half) {
        const std::int64_t rest = x.size(2) - 2 * half;
        result.narrow(2, 2 * half, rest).copy_(x.narrow(2, 2 * half, rest));
    }
    return result;
}

}  // namespace moescope::engine
