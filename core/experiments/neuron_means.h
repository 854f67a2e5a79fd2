// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/probe.h"

#include <ATen/ATen.h>

#include <vector>

/// Mean neurons of a layer. For .cpp files of this folder only.
namespace moescope::experiments {

/// [N, d] in float64: the mean over the rows of gate and up, over the columns of down.
[[nodiscard]] at::Tensor neuronMeans(const engine::WeightSums& sums, engine::Role role,
                                     const std::vector<engine::Column>& columns);
/// The work of adding up neurons.
[[nodiscard]] engine::Effort neuronEffort(const engine::LayerContext& layer);

/// Cosines of all pairs of rows, [N, N], from products in float64.
[[nodiscard]] std::vector<double> rowCosines(const at::Tensor& rows);

}  // namespace moescope::experiments
