// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QColor>
#include <QFont>
#include <QPalette>

namespace moescope::widgets {

/// Every colour that figures and our own widgets use; the only place where colours are written
/// down. A value; take a fresh one on QEvent::PaletteChange.
struct Theme {
    bool isDark = false;
    QColor background, panel;  ///< of a figure; of a card
    QColor text, secondaryText;
    QColor axis, grid;
    QColor accent;                 ///< selection
    QColor missing, missingHatch;  ///< not-a-number, masked
    QColor error, warning, success;
    QColor barPrimary, barSecondary;  ///< paired bars

    [[nodiscard]] static Theme light();
    [[nodiscard]] static Theme dark();
    /// Light or dark by the palette's window colour; background and text are the palette's own.
    [[nodiscard]] static Theme fromPalette(const QPalette& palette);

    /// Colour of expert `index` of `count`: Okabe-Ito up to 8, an extended fixed set up to 20,
    /// beyond that hue by index. Always print the number beside it.
    [[nodiscard]] QColor expertColour(int index, int count) const;
    /// The expert's colour as a background behind text: 35 % on light, 45 % on dark, opaque.
    [[nodiscard]] QColor expertBackground(int index, int count) const;
    /// Colour of line `index` of a chart: blue, orange, green, purple, vermilion, grey, and again.
    [[nodiscard]] QColor seriesColour(int index) const;
    /// Black or white, whichever reads on `background`.
    [[nodiscard]] static QColor textOn(const QColor& background);
};

/// Application palettes for View > Light and View > Dark (Fusion).
[[nodiscard]] QPalette lightPalette();
[[nodiscard]] QPalette darkPalette();

}  // namespace moescope::widgets
