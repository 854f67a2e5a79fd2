// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/figure.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace moescope::figures {

/// B6: how the weight similarity of two experts goes along with the similarity of their outputs,
/// over the pairs of routed experts of one layer and role.
struct WeightOutputRelation {
    std::vector<float> weights, outputs;                           ///< [pairs]
    std::vector<std::pair<std::uint16_t, std::uint16_t>> experts;  ///< [pairs], row > column
    double pearson = 0.0, spearman = 0.0;  ///< NaN with fewer than two pairs or without variation
};

/// Of two maps whose first `experts` rows and columns are the routed experts. Pairs with a value
/// that is not finite are left out.
[[nodiscard]] WeightOutputRelation relate(const Matrix& weights, const Matrix& outputs,
                                          std::size_t experts);

/// A correlation for people: two decimals, with a true minus sign ("\u22120.25").
[[nodiscard]] std::string correlationText(double value);

}  // namespace moescope::figures
