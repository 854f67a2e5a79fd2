// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QColor>

namespace moescope::widgets {

/// Oklab, a perceptual colour space (B. Ottosson, 2020): equal steps look about equally large.
struct Oklab {
    double l = 0.0, a = 0.0, b = 0.0;
};

[[nodiscard]] Oklab toOklab(const QColor& colour);
/// Clipped to sRGB.
[[nodiscard]] QColor fromOklab(const Oklab& colour);

}  // namespace moescope::widgets
