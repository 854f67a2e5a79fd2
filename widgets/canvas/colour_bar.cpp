// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/canvas/colour_bar.h"

#include "core/figures/bar_marks.h"
#include "widgets/support/colour_maps.h"

#include <QFontMetricsF>
#include <QLinearGradient>
#include <QPainter>

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

namespace moescope::widgets {
namespace {

constexpr double kArrow = 6.0;
constexpr int kStops = 32;
constexpr double kLinesPerTick = 2.2;
constexpr double kStripHeight = 10.0;
constexpr double kLeastStrip = 120.0;  // length beside its label
constexpr double kMostStrip = 280.0;
constexpr double kStripGap = 8.0;
constexpr double kStripMargin = 4.0;  // characters
constexpr double kStripTick = 4.0;
constexpr double kStripSpace = 1.5;  // characters between numbers

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
    double share = 0.0;  // of the way from the low to the high end
    QString text;
};

QString typeset(const std::string& number) {
    return QString::fromStdString(number).replace(QLatin1Char('-'), QChar(0x2212));
}

/// How much of a bar a mark's text takes along it.
using Extent = std::function<double(const QString&)>;

/// Round numbers on a bar of this length, as many as have room; an end beyond which values lie is
/// told as well, with its sign, and takes the room of round numbers that would meet it.
std::vector<Mark> marksOf(double length, const Extent& extent, const figures::ScaleBar& bar) {
    const double apart = kLinesPerTick * extent(QStringLiteral("0.00"));
    const auto most = static_cast<std::size_t>(std::clamp(
        std::floor(length / apart) + 1.0, 2.0, static_cast<double>(figures::kMostBarMarks)));
    std::vector<Mark> marks;
    for (const figures::BarMark& candidate : figures::barMarks(bar, most)) {
        const Mark mark{candidate.share, typeset(candidate.text)};
        const bool isFree = std::all_of(marks.begin(), marks.end(), [&](const Mark& other) {
            const double room = (extent(mark.text) + extent(other.text)) / 2.0;
            return std::abs(other.share - mark.share) * length >= room;
        });
        if (isFree) {
            marks.push_back(mark);
        }
    }
    return marks;
}

QColor endColour(const figures::ColourScale& scale, double end, const FigureStyle& style) {
    return colourOn(style.theme.isDark, scale.map, scale.position(end));
}

void fillBar(QPainter& painter, const QRectF& rect, const QPointF& low, const QPointF& high,
             const figures::ColourScale& scale, const FigureStyle& style) {
    QLinearGradient gradient(low, high);
    for (int i = 0; i <= kStops; ++i) {
        const double share = double(i) / kStops;
        const double position = scale.position(scale.low + share * (scale.high - scale.low));
        gradient.setColorAt(share, colourOn(style.theme.isDark, scale.map, position));
    }
    painter.setPen(Qt::NoPen);
    painter.setBrush(gradient);
    painter.drawRect(rect);
}

/// What lies side by side for a width.
struct Strip {
    QRectF bar, label;
    double height = 0.0;
};

Strip layOutStrip(double width, const figures::ScaleBar& bar, const FigureStyle& style) {
    const QFontMetricsF metrics(style.font);
    const double line = style.lineHeight();
    const double name = metrics.horizontalAdvance(QString::fromStdString(bar.label)) + 2.0;
    const double margin = kStripMargin * metrics.averageCharWidth();  // half a number, the arrow
    Strip strip;
    const double beside = width - 2.0 * margin - name - kStripGap;
    const bool fits = beside >= kLeastStrip;
    const double length = std::clamp(fits ? beside : width - 2.0 * margin, 20.0, kMostStrip);
    const double top = fits ? 0.0 : line;  // the label above
    strip.bar = QRectF(margin, top + 1.0, length, kStripHeight);
    strip.label = fits ? QRectF(strip.bar.right() + margin + kStripGap,
                                strip.bar.center().y() - line / 2.0, name, line)
                       : QRectF(0.0, 0.0, width, line);
    strip.height = std::ceil(strip.bar.bottom() + kStripTick + line);
    return strip;
}

}  // namespace

void paintColourBar(QPainter& painter, const QRectF& rect, const figures::ScaleBar& bar,
                    const FigureStyle& style) {
    const figures::ColourScale& scale = bar.scale;
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    fillBar(painter, rect, rect.bottomLeft(), rect.topLeft(), scale, style);
    if (scale.hasAbove) {
        paintArrow(painter, rect, true, endColour(scale, scale.high, style));
    }
    if (scale.hasBelow) {
        paintArrow(painter, rect, false, endColour(scale, scale.low, style));
    }
    painter.setFont(style.font);
    double widest = 0.0;
    const Extent extent = [&](const QString&) { return style.lineHeight(); };
    for (const Mark& mark : marksOf(rect.height(), extent, bar)) {
        paintTick(painter, rect, rect.bottom() - mark.share * rect.height(), mark.text, style);
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

double colourStripHeight(double width, const figures::ScaleBar& bar, const FigureStyle& style) {
    return layOutStrip(width, bar, style).height;
}

void paintColourStrip(QPainter& painter, double width, const figures::ScaleBar& bar,
                      const FigureStyle& style) {
    const Strip strip = layOutStrip(width, bar, style);
    const figures::ColourScale& scale = bar.scale;
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    fillBar(painter, strip.bar, strip.bar.topLeft(), strip.bar.topRight(), scale, style);
    const auto arrow = [&](double base, double tip, double end) {
        painter.setBrush(endColour(scale, end, style));
        painter.drawPolygon(QPolygonF{
            {base, strip.bar.top()}, {base, strip.bar.bottom()}, {tip, strip.bar.center().y()}});
    };
    if (scale.hasAbove) {
        arrow(strip.bar.right(), strip.bar.right() + kArrow, scale.high);
    }
    if (scale.hasBelow) {
        arrow(strip.bar.left(), strip.bar.left() - kArrow, scale.low);
    }
    painter.setFont(style.font);
    const QFontMetricsF metrics(style.font);
    const Extent extent = [&](const QString& text) {
        return metrics.horizontalAdvance(text) + kStripSpace * metrics.averageCharWidth();
    };
    for (const Mark& mark : marksOf(strip.bar.width(), extent, bar)) {
        const double x = strip.bar.left() + mark.share * strip.bar.width();
        painter.setPen(QPen(style.theme.axis, 0.75));
        painter.drawLine(QPointF(x, strip.bar.bottom()), QPointF(x, strip.bar.bottom() + 3.0));
        painter.setPen(style.theme.text);
        painter.drawText(
            QRectF(x - 40.0, strip.bar.bottom() + kStripTick - 1.0, 80.0, style.lineHeight()),
            Qt::AlignHCenter | Qt::AlignTop, mark.text);
    }
    painter.setPen(style.theme.secondaryText);
    painter.drawText(strip.label, Qt::AlignLeft | Qt::AlignVCenter,
                     QString::fromStdString(bar.label));
    painter.restore();
}

}  // namespace moescope::widgets
