// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/canvas/colour_bar.h"

#include "widgets/support/colour_maps.h"

#include <QFontMetricsF>
#include <QLinearGradient>
#include <QPainter>

#include <algorithm>
#include <cmath>
#include <vector>

namespace moescope::widgets {
namespace {

constexpr double kArrow = 6.0;
constexpr int kStops = 32;
constexpr double kLinesPerTick = 2.2;
constexpr double kMostTicks = 6.0;

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

struct Mark {
    double y = 0.0;
    QString text;
};

QString typeset(const std::string& number) {
    return QString::fromStdString(number).replace(QLatin1Char('-'), QChar(0x2212));
}

// Round numbers; an end beyond which values lie is told as well, with its sign.
std::vector<Mark> marksOf(const QRectF& rect, const figures::ScaleBar& bar,
                          const FigureStyle& style) {
    const figures::ColourScale& scale = bar.scale;
    const double line = style.lineHeight();
    const auto place = [&](double value) {
        return rect.bottom() - (value - scale.low) / (scale.high - scale.low) * rect.height();
    };
    std::vector<Mark> marks;
    const auto addEnd = [&](double value, const QString& sign) {
        const double span = bar.integral ? 0.0 : scale.high - scale.low;
        marks.push_back(
            {place(value), sign + (bar.integral ? QString::number(value, 'f', 0)
                                                : typeset(figures::shortNumber(value, span)))});
    };
    if (scale.hasAbove) {
        addEnd(scale.high, QString(QChar(0x2265)));
    }
    if (scale.hasBelow) {
        addEnd(scale.low, QString(QChar(0x2264)));
    }
    const auto most = static_cast<std::size_t>(
        std::clamp(std::floor(rect.height() / (kLinesPerTick * line)) + 1.0, 2.0, kMostTicks));
    const figures::Ticks ticks = figures::roundTicks(scale.low, scale.high, most, bar.integral);
    if (ticks.values.size() < 2 && marks.empty()) {
        addEnd(scale.high, {});
        addEnd(scale.low, {});
        return marks;
    }
    const std::size_t ends = marks.size();
    for (const double value : ticks.values) {
        const double y = place(value);
        const bool isFree =
            std::all_of(marks.begin(), marks.begin() + static_cast<std::ptrdiff_t>(ends),
                        [&](const Mark& end) { return std::abs(end.y - y) > line; });
        if (isFree) {
            marks.push_back({y, typeset(figures::tickText(value, ticks.step))});
        }
    }
    return marks;
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
    double widest = 0.0;
    for (const Mark& mark : marksOf(rect, bar, style)) {
        paintTick(painter, rect, mark.y, mark.text, style);
        widest = std::max(widest, QFontMetricsF(style.font).horizontalAdvance(mark.text));
    }
    const QFontMetricsF metrics(style.font);
    const QString name = QString::fromStdString(bar.label);
    painter.setPen(style.theme.secondaryText);
    if (metrics.horizontalAdvance(name) <= rect.height()) {
        painter.translate(rect.right() + 9.0 + widest, rect.center().y());
        painter.rotate(-90.0);
        painter.drawText(QRectF(-rect.height() / 2.0, 0.0, rect.height(), metrics.height()),
                         Qt::AlignHCenter | Qt::AlignTop, name);
    }
    painter.restore();
}

}  // namespace moescope::widgets
