// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/probe.h"
#include "core/experiments/options.h"

#include <memory>

namespace moescope::experiments {

/// A6: all neurons of the layer's columns as points [N, d], standardised by column (unbiased) or
/// only centred, on three principal components by way of the covariance [d, d]: N is never squared.
/// A unit of work is a role; it reads the weights twice, for the covariance and for the scores.
/// Products of some thousand rows in float32 around the first rows' mean, their sums in float64.
[[nodiscard]] std::unique_ptr<engine::UnitProbe> makeNeuronProjection(
    const ExperimentOptions& options);

}  // namespace moescope::experiments
