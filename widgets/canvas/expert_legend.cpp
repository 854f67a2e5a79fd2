// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/canvas/expert_legend.h"

#include "widgets/canvas/coloured_tokens.h"
#include "widgets/support/format.h"

#include <QFontMetricsF>
#include <QPainter>

#include <algorithm>
#include <utility>

namespace moescope::widgets {
namespace {

constexpr double kSwatch = 12.0;
constexpr double kBars = 20.0;  // height of the fullest one
constexpr double kWidestBar = 18.0;
constexpr double kGapBelow = 6.0;
constexpr double kLabelRoom = 6.0;  // between numbers under bars

QString heading() {
    return QStringLiteral("expert");
}

}  // namespace

ExpertLegend::ExpertLegend(FigureStyle style, int experts, std::vector<double> loads)
    : m_style(std::move(style)), m_experts(std::max(experts, 0)), m_loads(std::move(loads)) {
    m_loads.resize(m_loads.empty() ? 0 : static_cast<std::size_t>(m_experts));
    for (const double load : m_loads) {
        m_most = std::max(m_most, load);
    }
}

bool ExpertLegend::hasBars() const {
    return m_experts > kMostTellingColours;
}

QString ExpertLegend::entryText(std::size_t expert) const {
    const QString number = QString::number(expert);
    return m_loads.empty() ? number
                           : number + QStringLiteral("  ") + formatPercent(m_loads[expert]);
}

double ExpertLegend::layout(double width) {
    m_rects.clear();
    if (m_experts == 0 || (hasBars() && m_loads.empty())) {
        return 0.0;
    }
    return (hasBars() ? layoutBars(width) : layoutSwatches(width)) + kGapBelow;
}

double ExpertLegend::layoutSwatches(double width) {
    const QFontMetricsF metrics(m_style.font);
    const double height = metrics.height() + 4.0;
    double x = metrics.horizontalAdvance(heading()) + 10.0;
    double y = 0.0;
    for (std::size_t expert = 0; expert < static_cast<std::size_t>(m_experts); ++expert) {
        const double w = kSwatch + 6.0 + metrics.horizontalAdvance(entryText(expert)) + 10.0;
        if (x + w > width && x > 0.0) {
            x = 0.0;
            y += height;
        }
        m_rects.emplace_back(x, y, w, height);
        x += w;
    }
    return y + height;
}

double ExpertLegend::layoutBars(double width) {
    const QFontMetricsF metrics(m_style.font);
    const double left = metrics.horizontalAdvance(heading()) + 10.0;
    const double bar = std::clamp((width - left) / static_cast<double>(m_experts), 1.0, kWidestBar);
    for (int expert = 0; expert < m_experts; ++expert) {
        m_rects.emplace_back(left + expert * bar, 0.0, bar, kBars);
    }
    return kBars + metrics.height();
}

void ExpertLegend::paintSwatch(QPainter& painter, std::size_t expert) const {
    const QRectF& rect = m_rects[expert];
    const QRectF swatch(rect.left(), rect.center().y() - kSwatch / 2.0, kSwatch, kSwatch);
    const auto index = static_cast<int>(expert);
    painter.fillRect(swatch, m_style.theme.expertBackground(index, m_experts));
    painter.fillRect(QRectF(swatch.left(), swatch.bottom() - 3.0, kSwatch, 3.0),
                     m_style.theme.expertColour(index, m_experts));
    const QString number = QString::number(expert);
    const QRectF text = rect.adjusted(kSwatch + 4.0, 0, 0, 0);
    const int flags = static_cast<int>(Qt::AlignLeft | Qt::AlignVCenter);
    painter.setPen(m_style.theme.text);
    painter.drawText(text, flags, number);
    if (!m_loads.empty()) {
        const double after =
            QFontMetricsF(m_style.font).horizontalAdvance(number + QStringLiteral("  "));
        painter.setPen(m_style.theme.secondaryText);
        painter.drawText(text.adjusted(after, 0, 0, 0), flags, formatPercent(m_loads[expert]));
    }
}

void ExpertLegend::paintBars(QPainter& painter) const {
    const QFontMetricsF metrics(m_style.font);
    const double even = m_most > 0.0 ? 1.0 / m_experts / m_most : 0.0;
    const double bar = m_rects.front().width();
    for (std::size_t expert = 0; expert < m_rects.size(); ++expert) {
        const QRectF& rect = m_rects[expert];
        const double height = m_most > 0.0 ? m_loads[expert] / m_most * kBars : 0.0;
        painter.fillRect(QRectF(rect.left(), kBars - height, std::max(bar - 1.0, 0.8), height),
                         m_style.theme.expertColour(static_cast<int>(expert), m_experts));
    }
    painter.setPen(QPen(m_style.theme.axis, 0.5));
    painter.drawLine(QPointF(m_rects.front().left(), kBars),
                     QPointF(m_rects.back().right(), kBars));
    painter.setPen(QPen(m_style.theme.text, 0.75, Qt::DashLine));
    painter.drawLine(QPointF(m_rects.front().left(), kBars * (1.0 - even)),
                     QPointF(m_rects.back().right(), kBars * (1.0 - even)));
    painter.setPen(m_style.theme.secondaryText);
    const double label = metrics.horizontalAdvance(QString::number(m_experts - 1)) + kLabelRoom;
    std::size_t thin = 1;
    while (static_cast<double>(thin) * bar < label) {
        thin *= 2;
    }
    for (std::size_t expert = 0; expert < m_rects.size(); expert += thin) {
        painter.drawText(
            QRectF(m_rects[expert].center().x() - label, kBars, 2.0 * label, metrics.height()),
            Qt::AlignHCenter | Qt::AlignTop, QString::number(expert));
    }
}

void ExpertLegend::paint(QPainter& painter) const {
    if (m_rects.empty()) {
        return;
    }
    const double height = hasBars() ? kBars : m_rects.front().height();
    painter.setFont(m_style.font);
    painter.setPen(m_style.theme.secondaryText);
    painter.drawText(QRectF(0, 0, 200, height), Qt::AlignLeft | Qt::AlignVCenter, heading());
    if (hasBars()) {
        paintBars(painter);
        return;
    }
    for (std::size_t expert = 0; expert < m_rects.size(); ++expert) {
        paintSwatch(painter, expert);
    }
}

std::optional<int> ExpertLegend::expertAt(const QPointF& position) const {
    const auto found = std::find_if(m_rects.begin(), m_rects.end(),
                                    [&](const QRectF& rect) { return rect.contains(position); });
    return found == m_rects.end() ? std::nullopt
                                  : std::optional(static_cast<int>(found - m_rects.begin()));
}

std::string ExpertLegend::readOut(int expert) const {
    const std::string name = "expert " + std::to_string(expert);
    const auto at = static_cast<std::size_t>(expert);
    return at < m_loads.size()
               ? name + ": " + formatPercent(m_loads[at]).toStdString() + " of first choices"
               : name;
}

figures::Hit ExpertLegend::hitAt(const QPointF& position) const {
    figures::Hit hit;
    hit.expert = expertAt(position);
    hit.readOut = hit.expert ? readOut(*hit.expert) : std::string();
    return hit;
}

std::optional<QRectF> ExpertLegend::rectOf(std::optional<int> expert) const {
    if (!expert || *expert < 0 || static_cast<std::size_t>(*expert) >= m_rects.size()) {
        return std::nullopt;
    }
    const QRectF& rect = m_rects[static_cast<std::size_t>(*expert)];
    return hasBars() ? rect : rect.adjusted(-2, 0, -6, 0);
}

}  // namespace moescope::widgets
