// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/canvas/chart_legend.h"

#include <QFontMetricsF>
#include <QPainter>
#include <QPolygonF>

#include <algorithm>
#include <array>
#include <utility>

namespace moescope::widgets {
namespace {

constexpr double kSwatch = 18.0;
constexpr double kPoint = 9.0;
constexpr double kTextGap = 5.0;
constexpr double kEntryGap = 14.0;
constexpr double kBelow = 6.0;
constexpr double kMark = 5.0;

// A heading has no swatch.
double swatchWidth(const LegendEntry& entry) {
    if (entry.swatch == LegendEntry::Swatch::None) {
        return -kTextGap;
    }
    const bool isSmall =
        entry.swatch == LegendEntry::Swatch::Point || entry.swatch == LegendEntry::Swatch::Fill;
    return isSmall ? kPoint : kSwatch;
}

}  // namespace

Mark markOf(std::size_t series) {
    constexpr std::array kMarks{Mark::Circle, Mark::Square, Mark::Triangle, Mark::Diamond};
    return kMarks[series % kMarks.size()];
}

void paintMark(QPainter& painter, Mark mark, const QPointF& at, double size) {
    const double r = size / 2.0;
    switch (mark) {
        case Mark::Circle:
            painter.drawEllipse(at, r, r);
            break;
        case Mark::Square:
            painter.drawRect(QRectF(at.x() - r * 0.9, at.y() - r * 0.9, r * 1.8, r * 1.8));
            break;
        case Mark::Triangle:
            painter.drawPolygon(QPolygonF{{at.x(), at.y() - r * 1.15},
                                          {at.x() + r * 1.1, at.y() + r * 0.8},
                                          {at.x() - r * 1.1, at.y() + r * 0.8}});
            break;
        case Mark::Diamond:
            painter.drawPolygon(QPolygonF{{at.x(), at.y() - r * 1.25},
                                          {at.x() + r * 1.25, at.y()},
                                          {at.x(), at.y() + r * 1.25},
                                          {at.x() - r * 1.25, at.y()}});
            break;
        case Mark::Star:
            painter.drawPolygon(QPolygonF{{at.x(), at.y() - r * 1.6},
                                          {at.x() + r * 0.45, at.y() - r * 0.45},
                                          {at.x() + r * 1.6, at.y()},
                                          {at.x() + r * 0.45, at.y() + r * 0.45},
                                          {at.x(), at.y() + r * 1.6},
                                          {at.x() - r * 0.45, at.y() + r * 0.45},
                                          {at.x() - r * 1.6, at.y()},
                                          {at.x() - r * 0.45, at.y() - r * 0.45}});
            break;
    }
}

ChartLegend::ChartLegend(std::vector<LegendEntry> entries, FigureStyle style)
    : m_entries(std::move(entries)), m_style(std::move(style)) {}

double ChartLegend::layout(double width) {
    const QFontMetricsF metrics(m_style.font);
    const double line = m_style.lineHeight() + 2.0;
    double x = 0.0;
    double y = 0.0;
    m_rects.clear();
    for (const LegendEntry& entry : m_entries) {
        const double needed = swatchWidth(entry) + kTextGap +
                              metrics.horizontalAdvance(QString::fromStdString(entry.name));
        if (x > 0.0 && x + needed > width) {
            x = 0.0;
            y += line;
        }
        m_rects.emplace_back(x, y, needed, line);
        x += needed + kEntryGap;
    }
    m_height = m_rects.empty() ? 0.0 : m_rects.back().bottom() + kBelow;
    return m_height;
}

void ChartLegend::paintSwatch(QPainter& painter, const LegendEntry& entry, const QRectF& area) {
    using Swatch = LegendEntry::Swatch;
    if (entry.swatch == Swatch::None) {
        return;
    }
    const QPointF middle = area.center();
    if (entry.swatch == Swatch::Line || entry.swatch == Swatch::Dash) {
        painter.setPen(QPen(entry.colour, entry.swatch == Swatch::Dash ? 0.75 : 1.25,
                            entry.swatch == Swatch::Dash ? Qt::DashLine : Qt::SolidLine));
        painter.drawLine(QPointF(area.left(), middle.y()), QPointF(area.right(), middle.y()));
    }
    painter.setPen(Qt::NoPen);
    painter.setBrush(entry.colour);
    if (entry.swatch == Swatch::Line || entry.swatch == Swatch::Point) {
        paintMark(painter, entry.mark, middle, entry.swatch == Swatch::Line ? kMark : kMark + 1.5);
    } else if (entry.swatch != Swatch::Dash) {
        painter.drawRect(QRectF(area.left(), middle.y() - 4.5, area.width(), 9.0));
    }
}

void ChartLegend::paint(QPainter& painter, const std::set<std::string>& hidden) const {
    painter.save();
    painter.setFont(m_style.font);
    for (std::size_t i = 0; i < m_entries.size() && i < m_rects.size(); ++i) {
        const LegendEntry& entry = m_entries[i];
        const QRectF& rect = m_rects[i];
        const QRectF area(rect.left(), rect.top(), swatchWidth(entry), rect.height());
        const bool isShown = !hidden.contains(entry.name);
        if (isShown) {
            paintSwatch(painter, entry, area);
        } else {
            painter.setBrush(Qt::NoBrush);
            painter.setPen(QPen(m_style.theme.axis, 0.75));
            painter.drawRect(QRectF(area.center().x() - 4.0, area.center().y() - 4.0, 8.0, 8.0));
        }
        const bool isHeading = entry.swatch == LegendEntry::Swatch::None;
        painter.setPen(isShown && !isHeading ? m_style.theme.text : m_style.theme.secondaryText);
        painter.drawText(rect.adjusted(area.width() + kTextGap, 0, kEntryGap, 0),
                         Qt::AlignLeft | Qt::AlignVCenter, QString::fromStdString(entry.name));
    }
    painter.restore();
}

const LegendEntry* ChartLegend::at(const QPointF& position) const {
    for (std::size_t i = 0; i < m_rects.size(); ++i) {
        if (m_rects[i].contains(position) && m_entries[i].canHide) {
            return &m_entries[i];
        }
    }
    return nullptr;
}

}  // namespace moescope::widgets
