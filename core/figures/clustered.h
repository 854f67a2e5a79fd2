// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/figure.h"

#include <cstddef>

/// Maps of pairs of experts in an order that shows which belong together. Private to the builders.
namespace moescope::figures {

/// How alike experts i and j are, of a map's values; NaN: not known.
using Alikeness = double (*)(const Matrix& map, std::size_t i, std::size_t j);
/// Of similarities: the mean of both halves.
[[nodiscard]] double meanOfHalves(const Matrix& map, std::size_t i, std::size_t j);

/// What a caption says of the order of similarities.
inline constexpr const char* kClusteredText =
    " Experts stand in the order of an average-linkage clustering of 1 - similarity.";

/// Puts experts beside those that they are alike, by average linkage of 1 - alikeness; baselines
/// and shared experts stay behind them. Panels of layers have an order each, since experts of
/// different layers have nothing to do with each other; panels of one layer share that of their
/// mean.
void orderByClustering(HeatMapFigure& body, Alikeness alikeness);

}  // namespace moescope::figures
