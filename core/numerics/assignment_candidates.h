// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/numerics/assignment_core.h"

#include <span>

/// Internal to the assignment solver.
namespace moescope::numerics::assignment {

/// The entries that a solution most likely uses: the best few of each row and of each column, and
/// the diagonal, so that there is a perfect matching. One pass over the matrix; n is at least 16.
[[nodiscard]] Core firstCore(std::span<const float> values, std::size_t n);

}  // namespace moescope::numerics::assignment
