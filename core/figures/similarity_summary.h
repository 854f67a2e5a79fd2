// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/figure.h"

#include <string>
#include <vector>

namespace moescope::figures {

/// A similarity map [N, N] in a few numbers. Experts are the rows with a number as label; F, S and
/// the like come after them. Values that are not available do not count; NaN where none is left.
struct SimilaritySummary {
    double mean = 0.0, low = 0.0, high = 0.0;  ///< over pairs of different experts
    std::vector<double> withOthers;  ///< for each other row: mean over the experts, [others]
};

[[nodiscard]] SimilaritySummary summarise(const Matrix& map, std::size_t experts);

}  // namespace moescope::figures
