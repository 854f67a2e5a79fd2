// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/probe.h"
#include "core/experiments/options.h"

#include <memory>

namespace moescope::experiments {

/// B4: act(gate x) of every column. Kept for the tokens that the options name: "states" [kept, E
/// and whatever columns are as wide, m] and "states_LABEL" [kept, 1, m'] of each other column; over
/// all counted tokens, per column: the share of neurons whose magnitude is above the threshold and
/// the mean magnitude, summed over neurons in float32 and over tokens in float64.
[[nodiscard]] std::unique_ptr<engine::DynamicProbe> makeIntermediateStates(
    const ExperimentOptions& options);

}  // namespace moescope::experiments
