// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/probe.h"
#include "core/experiments/options.h"

#include <memory>

namespace moescope::experiments {

/// A1: cosine of the flattened matrices, [N, N] per role over the experts and every F and S of
/// equal shape, and the same on expert - F or expert - mean of the experts, [E, E]. Products are
/// summed as numerics/matrix_sums.h says: slabs of any size give the same numbers to 1e-7.
[[nodiscard]] std::unique_ptr<engine::StaticProbe> makeWeightSimilarity(
    const ExperimentOptions& options);

}  // namespace moescope::experiments
