// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/canvas/coloured_tokens.h"

#include <QFontMetricsF>
#include <QPainter>

#include <algorithm>
#include <cmath>

namespace moescope::widgets {
namespace {

constexpr double kBarHeight = 5.0;
constexpr double kNumberSize = 0.75;  // of the text, 6 pt in print
constexpr int kSmallest = 6;          // pixels

}  // namespace

ColouredTokens::ColouredTokens(const FigureStyle& style, int experts, double mostWeight, int zoom)
    : m_theme(style.theme),
      m_font(style.tokens),
      m_mostWeight(mostWeight > 0.0 ? mostWeight : 1.0),
      m_numbered(experts > kMostTellingColours) {
    m_font.setPixelSize(std::max(style.fontPx + zoom, kSmallest));
    m_numberFont = m_font;
    m_numberFont.setPixelSize(
        std::max(kSmallest, static_cast<int>(m_font.pixelSize() * kNumberSize)));
    const QFontMetricsF metrics(m_font);
    m_cell = metrics.horizontalAdvance(QLatin1Char('0'));
    m_textHeight = std::ceil(metrics.height()) + 2.0;
    const double under =
        m_numbered ? std::ceil(metrics.height() * (kNumberSize + 0.04)) : kBarHeight;
    m_lineHeight = m_textHeight + under + kLineGap;
}

int ColouredTokens::columns(double width) const {
    return std::max(1, static_cast<int>(width / m_cell));
}

void ColouredTokens::paintLine(QPainter& painter, const figures::TokenFlow& flow,
                               const figures::FlowLine& line, const figures::TokenTable& tokens,
                               const figures::Routing& routing, const QRectF& area) const {
    if (flow.startsDocument(line)) {
        const double y = area.top() - kLineGap / 2.0;
        painter.setPen(QPen(m_theme.axis, 0.75));
        painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y));
    }
    double left = area.left();
    for (std::uint64_t token = flow.lineBegin(line); token < flow.lineEnd(line); ++token) {
        const double width = flow.widthOf(token) * m_cell;
        const std::string_view text = tokens.text(token);
        paintToken(painter, QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size())),
                   routing, token - routing.firstToken(),
                   QRectF(left, area.top(), width, m_textHeight));
        left += width + kSpacing * m_cell;
    }
}

void ColouredTokens::paintToken(QPainter& painter, const QString& text,
                                const figures::Routing& routing, std::uint64_t row,
                                const QRectF& box) const {
    const int expert = routing.id(row, 0);
    const QColor back = m_theme.expertBackground(expert, routing.experts);
    painter.fillRect(box, back);
    painter.setFont(m_font);
    painter.setPen(Theme::textOn(back));
    painter.drawText(box, Qt::AlignLeft | Qt::AlignVCenter, text);
    const float weight = routing.weight(row, 0);
    if (std::isfinite(weight)) {
        const double height = std::max(
            1.0, kBarHeight * std::clamp(static_cast<double>(weight) / m_mostWeight, 0.0, 1.0));
        painter.fillRect(QRectF(box.left(), box.bottom() + 0.5, box.width(), height),
                         m_theme.expertColour(expert, routing.experts));
    }
    if (m_numbered) {
        painter.setFont(m_numberFont);
        painter.setPen(m_theme.secondaryText);
        const double under = box.bottom() + 0.5 + kBarHeight;
        painter.drawText(
            QRectF(box.left(), under - 1.0, box.width() + 20.0, m_lineHeight - m_textHeight),
            Qt::AlignLeft | Qt::AlignTop, QString::number(expert));
    }
}

}  // namespace moescope::widgets
