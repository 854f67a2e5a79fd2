// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/canvas/figure_style.h"

#include "widgets/support/fonts.h"

#include <QFontInfo>
#include <QFontMetricsF>

#include <algorithm>
#include <cmath>

namespace moescope::widgets {
namespace {

constexpr int kExportFontPx = 11;  // 8.25 pt

QFont resized(const QFont& font, int pixels) {
    QFont other = font;
    other.setPixelSize(std::max(pixels, 6));
    return other;
}

}  // namespace

FigureStyle FigureStyle::forScreen(const QFont& widgetFont, const Theme& theme,
                                   double deviceScale) {
    FigureStyle style;
    style.theme = theme;
    style.fontPx = std::clamp(QFontInfo(widgetFont).pixelSize(), 9, 48);
    style.font = withTabularFigures(resized(widgetFont, style.fontPx));
    style.tokens = tokenFont(style.fontPx);
    style.deviceScale = deviceScale;
    return style;
}

FigureStyle FigureStyle::forExport(const Theme& theme) {
    FigureStyle style;
    style.theme = theme;
    style.isFile = true;
    style.fontPx = kExportFontPx;
    style.font = figureFont(kExportFontPx);
    style.tokens = tokenFont(kExportFontPx);
    return style;
}

QFont FigureStyle::titleFont() const {
    return resized(font, fontPx + 1);
}

QFont FigureStyle::smallFont() const {
    return resized(font, fontPx - 2);
}

double FigureStyle::lineHeight() const {
    return QFontMetricsF(font).height();
}

double wrappedHeight(const QString& text, double width, const QFont& font) {
    if (text.isEmpty()) {
        return 0.0;
    }
    const QRectF room(0, 0, width, 1e6);
    return std::ceil(
        QFontMetricsF(font).boundingRect(room, Qt::AlignLeft | Qt::TextWordWrap, text).height());
}

figures::TextMetrics metricsOf(const QFont& font) {
    const QFontMetricsF metrics(font);
    return {metrics.height(), [metrics](std::string_view text) {
                return metrics.horizontalAdvance(
                    QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size())));
            }};
}

}  // namespace moescope::widgets
