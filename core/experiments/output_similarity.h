// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/probe.h"
#include "core/experiments/options.h"

#include <memory>

namespace moescope::experiments {

/// B1: similarity of the output vectors of all columns (experts, F, S) per token. Kept: the mean
/// over tokens of the angular similarity [N, N], the same on the experts' outputs minus their mean
/// [E, E], and the cosines [kept, N, N] of the tokens the options name. Products and sums in
/// float64.
[[nodiscard]] std::unique_ptr<engine::DynamicProbe> makeOutputSimilarity(
    const ExperimentOptions& options);

}  // namespace moescope::experiments
