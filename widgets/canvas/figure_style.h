// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/geometry.h"
#include "widgets/support/theme.h"

#include <QFont>

namespace moescope::widgets {

/// How a figure is drawn: on the screen with the widget's font and palette, in files with the
/// figure font and the light theme. Sizes are logical pixels of 1/96 inch.
struct FigureStyle {
    Theme theme = Theme::light();
    QFont font;    ///< axis labels, caption
    QFont tokens;  ///< monospaced
    int fontPx = 11;
    double deviceScale = 1.0;  ///< device pixels per logical pixel, for what follows pixels
    bool isFile = false;       ///< nothing scrolls
    bool vectorCells = false;  ///< draw cells as shapes, not as images (SVG, PDF)
    bool withTitle = true;
    bool withCaption = true;

    [[nodiscard]] static FigureStyle forScreen(const QFont& widgetFont, const Theme& theme,
                                               double deviceScale);
    [[nodiscard]] static FigureStyle forExport(const Theme& theme);

    [[nodiscard]] QFont titleFont() const;
    [[nodiscard]] QFont smallFont() const;  ///< values in cells
    [[nodiscard]] double lineHeight() const;
};

/// Of a text in lines of this width, broken between words; 0 for none.
[[nodiscard]] double wrappedHeight(const QString& text, double width, const QFont& font);

/// Text measures of a font for layout without Qt.
[[nodiscard]] figures::TextMetrics metricsOf(const QFont& font);

[[nodiscard]] inline QRectF toQt(const figures::Rect& rect) {
    return {rect.x, rect.y, rect.width, rect.height};
}

}  // namespace moescope::widgets
