// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/canvas/chart_axes.h"

#include <QFontMetricsF>
#include <QPainter>

#include <algorithm>

namespace moescope::widgets {
namespace {

constexpr double kTick = 3.0;
constexpr double kLine = 0.67;  // 0.5 pt

void paintXTicks(QPainter& painter, const PanelAxes& axes, const AxesLook& look,
                 const FigureStyle& style) {
    const QFontMetricsF metrics(style.font);
    for (const double value : axes.x.ticks.values) {
        const double x = axes.px(value);
        if (look.xGrid) {
            painter.setPen(QPen(style.theme.grid, kLine));
            painter.drawLine(QPointF(x, axes.plot.top()), QPointF(x, axes.plot.bottom()));
        }
        painter.setPen(QPen(style.theme.axis, kLine));
        painter.drawLine(QPointF(x, axes.plot.bottom()), QPointF(x, axes.plot.bottom() + kTick));
        if (look.xLabels) {
            const QString text = axisText(value, axes.x.stepAt(value));
            const double half = metrics.horizontalAdvance(text) / 2.0 + 1.0;
            painter.setPen(style.theme.secondaryText);
            painter.drawText(
                QRectF(x - half, axes.plot.bottom() + kTick + 1.0, 2.0 * half, metrics.height()),
                Qt::AlignHCenter | Qt::AlignTop, text);
        }
    }
}

void paintYTicks(QPainter& painter, const PanelAxes& axes, const AxesLook& look,
                 const FigureStyle& style) {
    const double height = style.lineHeight();
    for (const double value : axes.y.ticks.values) {
        const double y = axes.py(value);
        if (look.yGrid) {
            painter.setPen(QPen(style.theme.grid, kLine));
            painter.drawLine(QPointF(axes.plot.left(), y), QPointF(axes.plot.right(), y));
        }
        if (!look.yLabels) {
            continue;
        }
        painter.setPen(QPen(style.theme.axis, kLine));
        painter.drawLine(QPointF(axes.plot.left() - kTick, y), QPointF(axes.plot.left(), y));
        painter.setPen(style.theme.secondaryText);
        painter.drawText(QRectF(axes.plot.left() - kTick - 102.0, y - height / 2.0, 100.0, height),
                         Qt::AlignRight | Qt::AlignVCenter, axisText(value, axes.y.stepAt(value)));
    }
}

}  // namespace

QString axisText(double value, double step) {
    return QString::fromStdString(figures::tickText(value, step))
        .replace(QLatin1Char('-'), QChar(0x2212));
}

double widestTick(const figures::NumericAxis& axis, const FigureStyle& style) {
    const QFontMetricsF metrics(style.font);
    double widest = 0.0;
    for (const double value : axis.ticks.values) {
        widest = std::max(widest, metrics.horizontalAdvance(axisText(value, axis.stepAt(value))));
    }
    return widest + kTick + 2.0;
}

double widestTickOf(double low, double high, double padding, double perTick,
                    const FigureStyle& style) {
    double widest = 0.0;
    for (const double length : {50.0, 90.0, 140.0, 200.0, 280.0}) {
        widest = std::max(
            widest, widestTick(figures::makeAxis(low, high, padding, length, perTick), style));
    }
    return widest;
}

figures::NumericAxis zoomed(const figures::NumericAxis& whole, double low, double high,
                            double length, double perTick, bool integral) {
    if (low <= 0.0 && high >= 1.0) {
        return whole;
    }
    if (whole.logarithmic) {
        return figures::makeLogAxis(whole.value(low, 1.0), whole.value(high, 1.0), 0.0, length,
                                    perTick);
    }
    const double span = whole.high - whole.low;
    return figures::makeAxis(whole.low + low * span, whole.low + high * span, 0.0, length, perTick,
                             integral);
}

void paintUpwards(QPainter& painter, double x, const QRectF& beside, const QString& text,
                  const FigureStyle& style) {
    const QFontMetricsF metrics(style.font);
    // Longer than the edge: it may reach beyond, but not by much.
    const double room = beside.height() + 2.0 * metrics.height();
    painter.save();
    painter.translate(x, beside.center().y());
    painter.rotate(-90.0);
    painter.drawText(QRectF(-room / 2.0, 0.0, room, metrics.height()),
                     Qt::AlignHCenter | Qt::AlignTop,
                     metrics.elidedText(text, Qt::ElideRight, room));
    painter.restore();
}

void paintAxes(QPainter& painter, const PanelAxes& axes, const AxesLook& look,
               const FigureStyle& style) {
    painter.save();
    painter.setFont(style.font);
    painter.setBrush(Qt::NoBrush);
    paintYTicks(painter, axes, look, style);
    paintXTicks(painter, axes, look, style);
    painter.setPen(QPen(style.theme.axis, kLine));
    painter.drawLine(axes.plot.bottomLeft(), axes.plot.bottomRight());
    painter.drawLine(axes.plot.topLeft(), axes.plot.bottomLeft());
    painter.setPen(style.theme.text);
    const double line = style.lineHeight();
    if (!look.xTitle.isEmpty()) {
        const double below = axes.plot.bottom() + kTick + 1.0 + (look.xLabels ? line : 0.0);
        const QFontMetricsF metrics(style.font);
        const double width = std::max(axes.plot.width(), metrics.horizontalAdvance(look.xTitle));
        painter.drawText(QRectF(axes.plot.center().x() - width / 2.0, below, width, line),
                         Qt::AlignHCenter | Qt::AlignTop, look.xTitle);
    }
    if (!look.yTitle.isEmpty()) {
        paintUpwards(painter, axes.plot.left() - look.yTitleOffset - line, axes.plot, look.yTitle,
                     style);
    }
    painter.restore();
}

void paintRightAxis(QPainter& painter, const PanelAxes& axes, const QString& title,
                    const FigureStyle& style) {
    painter.save();
    painter.setFont(style.font);
    const double height = style.lineHeight();
    const double x = axes.plot.right();
    painter.setPen(QPen(style.theme.axis, kLine));
    painter.drawLine(axes.plot.topRight(), axes.plot.bottomRight());
    for (const double value : axes.y.ticks.values) {
        const double y = axes.py(value);
        painter.setPen(QPen(style.theme.axis, kLine));
        painter.drawLine(QPointF(x, y), QPointF(x + kTick, y));
        painter.setPen(style.theme.secondaryText);
        painter.drawText(QRectF(x + kTick + 2.0, y - height / 2.0, 100.0, height),
                         Qt::AlignLeft | Qt::AlignVCenter, axisText(value, axes.y.stepAt(value)));
    }
    painter.setPen(style.theme.text);
    paintUpwards(painter, x + widestTick(axes.y, style) + 2.0, axes.plot, title, style);
    painter.restore();
}

}  // namespace moescope::widgets
