// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/model/model_spec.h"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <mutex>
#include <vector>

namespace moescope::engine {

/// Cosines and sines of rotary embedding, [positions, rotaryDim / 2], multiplied by the scaling's
/// factor and rounded to the compute dtype as the reference implementation does.
struct RopeTable {
    at::Tensor cosines, sines;
};

/// Keeps the tables last used; layers and documents mostly share them. Thread-safe.
class RopeTables {
public:
    explicit RopeTables(const at::TensorOptions& options) : m_options(options) {}
    /// At least `length` positions, with the frequencies of a context of that length.
    [[nodiscard]] RopeTable get(const model::RopeSpec& spec, std::uint64_t length);

private:
    at::TensorOptions m_options;
    std::mutex m_mutex;  ///< guards what follows
    std::vector<float> m_inverse;
    float m_multiplier = 1.0F;
    std::uint64_t m_length = 0;
    RopeTable m_table;
};

/// Rotates the first rotary dimensions of each head of x [n, heads, headDim] whose first token
/// stands at `position` of its document.
[[nodiscard]] at::Tensor rotate(const at::Tensor& x, const RopeTable& table, std::uint64_t position,
                                model::RopeStyle style);

}  // namespace moescope::engine
