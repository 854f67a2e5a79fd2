// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/numerics/rows_view.h"

#include <span>

/// Sums of float32 values in float64. Pure functions; safe from any thread.
namespace moescope::numerics {

/// sums [columns] += the rows of x.
void addRows(const RowsView& x, std::span<double> sums);
/// sums [rows] += the columns of x.
void addColumns(const RowsView& x, std::span<double> sums);

}  // namespace moescope::numerics
