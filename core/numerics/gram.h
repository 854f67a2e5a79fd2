// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/numerics/rows_view.h"

#include <cstddef>
#include <cstdint>
#include <span>

/// Products of all pairs of a few very long rows, the one step that similarities of whole weight
/// matrices need. Pure functions; safe from any thread.
namespace moescope::numerics {

/// What is done to each column before the products.
enum class Centring {
    None,
    Row,          ///< a reference row is taken off
    Mean,         ///< the mean over the rows is taken off
    Standardised  ///< and the column divided by its unbiased deviation; a constant one becomes 0
};

struct GramOptions {
    Centring centring = Centring::None;
    std::size_t count = 0;      ///< rows that the Gram matrix and the mean are of; the first ones
    std::size_t reference = 0;  ///< of Centring::Row, any row of x
    unsigned threads = 1;
};

/// gram [count, count] += y y^T, y = the first `count` rows of x after centring. Means and
/// deviations are in float64, values of y in float32; products are summed in float32 over at most
/// 2,048 columns, from there on in float64. The same to the bit for any number of threads.
void addGram(const RowsView& x, const GramOptions& options, std::span<double> gram);

/// Memory that addGram() takes beside its arguments.
[[nodiscard]] std::uint64_t gramBytes(std::size_t count, unsigned threads);

}  // namespace moescope::numerics
