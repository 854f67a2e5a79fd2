// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/numerics/assignment_state.h"

#include <span>

/// Internal to the assignment solver.
namespace moescope::numerics::assignment {

/// First prices and a first partial matching: each column asks the most that any row gives for it,
/// and rows outbid each other (column reduction, augmenting row reduction).
void startDense(std::span<const float> values, State& state);

/// Matches every free row along a shortest augmenting path over the whole matrix.
void finishDense(std::span<const float> values, State& state);

}  // namespace moescope::numerics::assignment
