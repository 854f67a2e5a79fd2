// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/numerics/sums.h"

#include <algorithm>

namespace moescope::numerics {
namespace {

/// Sums that stay in the first-level cache while rows pass.
constexpr std::size_t kGroup = 512;
/// Sums of a row kept apart, so that additions do not wait for each other.
constexpr std::size_t kLanes = 16;

}  // namespace

void addRows(const RowsView& x, std::span<double> sums) {
    for (std::size_t k = 0; k < x.columns; k += kGroup) {
        const std::size_t width = std::min(kGroup, x.columns - k);
        double* const to = sums.data() + k;
        for (std::size_t r = 0; r < x.rows; ++r) {
            const float* const row = x.data + r * x.stride + k;
            for (std::size_t i = 0; i < width; ++i) {
                to[i] += static_cast<double>(row[i]);
            }
        }
    }
}

void addColumns(const RowsView& x, std::span<double> sums) {
    const std::size_t whole = x.columns - x.columns % kLanes;
    for (std::size_t r = 0; r < x.rows; ++r) {
        const float* const row = x.data + r * x.stride;
        double lanes[kLanes] = {};
        for (std::size_t k = 0; k < whole; k += kLanes) {
            for (std::size_t i = 0; i < kLanes; ++i) {
                lanes[i] += static_cast<double>(row[k + i]);
            }
        }
        double sum = 0.0;
        for (const double lane : lanes) {
            sum += lane;
        }
        for (std::size_t k = whole; k < x.columns; ++k) {
            sum += static_cast<double>(row[k]);
        }
        sums[r] += sum;
    }
}

}  // namespace moescope::numerics
