// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/figure.h"

#include <memory>

/// Charts of made-up numbers, the same at each call, as builders make them of a session.
namespace moescope::tests {

using FigurePointer = std::shared_ptr<const figures::Figure>;

/// Experts and F in two or three dimensions, three roles.
[[nodiscard]] FigurePointer madeProjection(int experts, bool deep = false);
/// Neurons of all experts, three roles of `points` each.
[[nodiscard]] FigurePointer madeNeuronCloud(int experts, std::size_t points, bool deep = false);
/// Router similarity over weight similarity of all pairs, with the fitted line of each layer.
[[nodiscard]] FigurePointer madeRegression(int experts, int layers);
/// A row for each layer and a summary.
[[nodiscard]] FigurePointer madeTable(int layers);
/// Intermediate states of `tokens` tokens, with a row F.
[[nodiscard]] FigurePointer madeNeuronMap(int experts, std::size_t neurons, int tokens);

}  // namespace moescope::tests
