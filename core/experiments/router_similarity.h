// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/probe.h"
#include "core/experiments/options.h"

#include <memory>

namespace moescope::experiments {

/// A4: cosine of router rows [E, E], and per layer and role the linear regression of router
/// similarity (Y) on the similarity of the experts' weights (X: A2, or A1 as an option) over the
/// strictly lower triangle. About the whole model: the mean of r squared over layers per role,
/// unrounded. Sums in float64.
[[nodiscard]] std::unique_ptr<engine::StaticProbe> makeRouterSimilarity(
    const ExperimentOptions& options);

}  // namespace moescope::experiments
