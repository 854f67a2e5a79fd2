// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/layer_neurons.h"

#include <ATen/ATen.h>

namespace moescope::engine {

at::Tensor LayerNeurons::read(int column, Role role, std::uint64_t first,
                              std::uint64_t count) const {
    const ColumnWeights& from = m_columns[static_cast<std::size_t>(column)];
    const auto neurons = static_cast<std::int64_t>(count);
    const bool isDown = role == Role::Down;
    const at::Tensor slab = isDown ? at::empty({m_hiddenSize, neurons}, at::kFloat)
                                   : at::empty({neurons, m_hiddenSize}, at::kFloat);
    from.reader->loadSlab(matrixName(*from.names, role), isDown, first, count,
                          {slab.data_ptr<float>(), static_cast<std::size_t>(slab.numel())});
    const at::Tensor placed = m_device.is_cpu() ? slab : slab.to(m_device);
    return isDown ? placed.t() : placed;
}

}  // namespace moescope::engine
