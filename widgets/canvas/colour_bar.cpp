// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/canvas/colour_bar.h"

#include "widgets/support/colour_maps.h"

#include <QFontMetricsF>
#include <QLinearGradient>
#include <QPainter>

#include <cmath>

namespace moescope::widgets {
namespace {

constexpr double kArrow = 6.0;
constexpr int kStops = 32;

void paintArrow(QPainter& painter, const QRectF& rect, bool up, const QColor& colour) {
    const double base = up ? rect.top() : rect.bottom();
    const double tip = up ? base - kArrow : base + kArrow;
    painter.setBrush(colour);
    painter.setPen(Qt::NoPen);
    painter.drawPolygon(
        QPolygonF{{rect.left(), base}, {rect.right(), base}, {rect.center().x(), tip}});
}

void paintTick(QPainter& painter, const QRectF& rect, double y, const QString& text,
               const FigureStyle& style) {
    painter.setPen(QPen(style.theme.axis, 0.75));
    painter.drawLine(QPointF(rect.right(), y), QPointF(rect.right() + 3.0, y));
    painter.setPen(style.theme.text);
    const double height = style.lineHeight();
    painter.drawText(QRectF(rect.right() + 5.0, y - height / 2.0, 80.0, height),
                     Qt::AlignLeft | Qt::AlignVCenter, text);
}

}  // namespace

void paintColourBar(QPainter& painter, const QRectF& rect, const figures::ScaleBar& bar,
                    const FigureStyle& style) {
    const figures::ColourScale& scale = bar.scale;
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    QLinearGradient gradient(rect.bottomLeft(), rect.topLeft());
    for (int i = 0; i <= kStops; ++i) {
        const double position = double(i) / kStops;
        gradient.setColorAt(position, colourOn(style.theme.isDark, scale.map, position));
    }
    painter.setPen(Qt::NoPen);
    painter.setBrush(gradient);
    painter.drawRect(rect);
    if (scale.hasAbove) {
        paintArrow(painter, rect, true, colourOn(style.theme.isDark, scale.map, 1.0));
    }
    if (scale.hasBelow) {
        paintArrow(painter, rect, false, colourOn(style.theme.isDark, scale.map, 0.0));
    }
    painter.setFont(style.font);
    const double span = scale.high - scale.low;
    const auto label = [&](double value) {
        QString text = bar.integral ? QString::number(value, 'f', 0)
                                    : QString::fromStdString(figures::shortNumber(value, span));
        return text.replace(QLatin1Char('-'), QChar(0x2212));
    };
    const QString above = scale.hasAbove ? QString(QChar(0x2265)) : QString();
    const QString below = scale.hasBelow ? QString(QChar(0x2264)) : QString();
    paintTick(painter, rect, rect.top(), above + label(scale.high), style);
    paintTick(painter, rect, rect.bottom(), below + label(scale.low), style);
    double widest = std::max(QFontMetricsF(style.font).horizontalAdvance(above + label(scale.high)),
                             QFontMetricsF(style.font).horizontalAdvance(below + label(scale.low)));
    if (rect.height() > style.lineHeight() * 4.0) {
        const double middle = (scale.low + scale.high) / 2.0;
        paintTick(painter, rect, rect.center().y(), label(middle), style);
        widest = std::max(widest, QFontMetricsF(style.font).horizontalAdvance(label(middle)));
    }
    const QFontMetricsF metrics(style.font);
    const QString name = QString::fromStdString(bar.label);
    painter.setPen(style.theme.secondaryText);
    if (metrics.horizontalAdvance(name) < rect.height()) {
        painter.translate(rect.right() + 9.0 + widest, rect.center().y());
        painter.rotate(-90.0);
        painter.drawText(QRectF(-rect.height() / 2.0, 0.0, rect.height(), metrics.height()),
                         Qt::AlignHCenter | Qt::AlignTop, name);
    }
    painter.restore();
}

}  // namespace moescope::widgets
