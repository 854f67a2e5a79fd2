// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/figure.h"
#include "widgets/canvas/figure_style.h"

class QPainter;

namespace moescope::widgets {

/// A vertical colour bar in `rect` with its round numbers and label to the right. Ends beyond
/// which values lie carry an arrow head and a sign at the number.
void paintColourBar(QPainter& painter, const QRectF& rect, const figures::ScaleBar& bar,
                    const FigureStyle& style);

/// The same lying, at the origin: as long as the width allows up to a limit, its numbers below and
/// its label to the right, or above where there is little room.
void paintColourStrip(QPainter& painter, double width, const figures::ScaleBar& bar,
                      const FigureStyle& style);
[[nodiscard]] double colourStripHeight(double width, const figures::ScaleBar& bar,
                                       const FigureStyle& style);

}  // namespace moescope::widgets
