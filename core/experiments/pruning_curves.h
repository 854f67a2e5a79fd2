// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/numerics/expert_use.h"

#include <cstddef>

namespace moescope::experiments {

/// Draws at random beside the measures of importance.
inline constexpr std::size_t kRandomDraws = 3;
/// Passes that the pruning curves (E1b) take beside the intact model's, one for each of their
/// points.
inline constexpr std::size_t kCurveBranches =
    (numerics::kUseMeasures.size() + kRandomDraws) * numerics::kPrunedShares.size();

}  // namespace moescope::experiments
