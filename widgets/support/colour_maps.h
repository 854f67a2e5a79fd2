// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/colour.h"

#include <QColor>

#include <array>

namespace moescope::widgets {

/// 256 colours of a map, first = low end, as on a light background.
[[nodiscard]] const std::array<QRgb, 256>& colourTable(figures::ColourMap map);
/// The colour at `position` in [0, 1].
[[nodiscard]] QColor colourAt(figures::ColourMap map, double position);
/// The same on a background: on a dark one white-blue runs the other way, so that the high end
/// always stands out, and the diverging map has a dark middle.
[[nodiscard]] QColor colourOn(bool darkBackground, figures::ColourMap map, double position);

}  // namespace moescope::widgets
