// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/probe.h"
#include "core/experiments/options.h"

#include <memory>

namespace moescope::experiments {

/// B3: count[score rank, norm rank] over experts and counted tokens, [E, E] per layer with the
/// share on the diagonal, Spearman's rho and the number of agreeing ranks; the sum over layers for
/// the whole model where all layers have as many experts.
[[nodiscard]] std::unique_ptr<engine::DynamicProbe> makeRankCounts(
    const ExperimentOptions& options);

}  // namespace moescope::experiments
