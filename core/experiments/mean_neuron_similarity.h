// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/probe.h"

#include <memory>

namespace moescope::experiments {

/// A2: per role the mean neuron [d] of each column (mean over rows of gate and up, over columns of
/// down), then cosines of all pairs, [N, N]; F and S always fit. Sums in float64.
[[nodiscard]] std::unique_ptr<engine::StaticProbe> makeMeanNeuronSimilarity();

}  // namespace moescope::experiments
