// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/probe.h"
#include "core/experiments/options.h"

#include <memory>

namespace moescope::experiments {

/// A3: for every pair of {experts, F, and S where it is as wide} and every role the permutation of
/// neurons that maximises the sum of their cosines; cosine of the flattened matrices after it, its
/// growth over A1, Kendall's tau-b against the identity and the mean cosine of matched neurons;
/// [N, N] matrices with diagonals 1 (growth 0). Pairs that were not asked for are NaN. A unit of
/// work is a pair with all its roles; one more, common to all layers of a shape, matches Gaussian
/// neurons (the baseline at random).
[[nodiscard]] std::unique_ptr<engine::UnitProbe> makeMatchedSimilarity(
    const ExperimentOptions& options);

}  // namespace moescope::experiments
