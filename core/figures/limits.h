// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/build_context.h"

#include <string>

namespace moescope::figures {

/// The figure's limits widened by a matrix; with `offDiagonal` its diagonal does not count.
[[nodiscard]] Limits widened(Limits limits, const Matrix& matrix, bool offDiagonal);

/// Limits of a quantity over all its layers.
[[nodiscard]] Limits limitsOverLayers(const FigureSource& source, const session::QuantityInfo& info,
                                      bool offDiagonal);

/// The scale for values within `limits`: widened where both ends meet, symmetric about 0 for the
/// diverging map.
[[nodiscard]] ColourScale makeScale(ColourMap map, Limits limits);

/// Limits between which a few large values do not make all others pale: those of the matrix, but
/// where the largest magnitude is more than one and a half times the 98th percentile of magnitudes
/// (the next lower value) they end at that percentile. Of finite values; nullopt when there are
/// none.
[[nodiscard]] Limits usualLimits(const Matrix& matrix);

/// makeScale() for rises: the diverging map ends where the values do and takes in 0, the same
/// distance to either side has the same strength of colour, and no part of the bar stands for
/// values that there are not.
[[nodiscard]] ColourScale makeRiseScale(ColourMap map, Limits limits);

/// usualLimits() or, as the request says, its own limits or those of all values.
[[nodiscard]] Limits limitsAsked(const ColourRange& range, const Matrix& matrix);

/// " Colours end at +0.029; 3 cells are beyond."; nothing where none is.
[[nodiscard]] std::string beyondText(const ColourScale& scale, const Matrix& matrix);

/// Marks a scale's ends when values of the matrix lie beyond them.
void markBeyond(ColourScale& scale, const Matrix& matrix, bool offDiagonal);

}  // namespace moescope::figures
