// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QFont>

namespace moescope::widgets {

/// Sans-serif for figures; `pixelSize` in logical pixels; unhinted, so that it scales evenly.
[[nodiscard]] QFont figureFont(int pixelSize);
/// Monospaced, for token text.
[[nodiscard]] QFont tokenFont(int pixelSize);
/// The font with figures of equal width, for numbers in tables and labels.
[[nodiscard]] QFont withTabularFigures(const QFont& font);

}  // namespace moescope::widgets
