// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/probe.h"
#include "core/experiments/roles.h"

#include <ATen/ATen.h>

#include <array>
#include <vector>

/// Mean neurons of a layer, summed up in float64 on the run's device. For .cpp files of this folder
/// only.
namespace moescope::experiments {

class NeuronSums {
public:
    void begin(const engine::LayerContext& layer);
    void add(const engine::WeightBlock& block);
    /// [N, d]: the mean over the rows of gate and up, over the columns of down.
    [[nodiscard]] at::Tensor means(engine::Role role) const;
    void clear() { m_sums = {}; }
    /// State and temporaries.
    [[nodiscard]] static std::uint64_t bytes(const engine::LayerContext& layer);
    [[nodiscard]] static engine::Effort effort(const engine::LayerContext& layer);

private:
    std::vector<engine::Column> m_columns;
    std::int64_t m_hiddenSize = 0;
    std::array<at::Tensor, kRoles.size()> m_sums;  // [N, d] each
};

/// Cosines of all pairs of rows, [N, N], from products in float64.
[[nodiscard]] std::vector<double> rowCosines(const at::Tensor& rows);

}  // namespace moescope::experiments
