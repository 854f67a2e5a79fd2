// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/canvas/token_look.h"

#include <QFontMetricsF>
#include <QPainter>

#include <algorithm>
#include <cmath>

namespace moescope::widgets {
namespace {

constexpr double kNumberSize = 0.75;  // of the text, 6 pt in print
constexpr int kSmallest = 6;          // pixels

}  // namespace

TokenLook::TokenLook(const FigureStyle& style, Under under, int zoom)
    : m_theme(style.theme), m_font(style.tokens), m_narrowest(under == Under::Number ? 3 : 1) {
    m_font.setPixelSize(std::max(style.fontPx + zoom, kSmallest));
    m_numberFont = m_font;
    m_numberFont.setPixelSize(
        std::max(kSmallest, static_cast<int>(m_font.pixelSize() * kNumberSize)));
    const QFontMetricsF metrics(m_font);
    m_cell = metrics.horizontalAdvance(QLatin1Char('0'));
    m_textHeight = std::ceil(metrics.height()) + 2.0;
    m_lineHeight = m_textHeight + kLineGap;
    if (under == Under::Number) {
        m_lineHeight += std::ceil(metrics.height() * (kNumberSize + 0.04));
    } else if (under == Under::Bar) {
        m_lineHeight += kBarHeight;
    }
}

int TokenLook::columns(double width) const {
    return std::max(1, static_cast<int>(width / m_cell));
}

void TokenLook::paintTokens(QPainter& painter, const figures::TokenFlow& flow,
                            const figures::FlowLine& line, const figures::TokenTable& tokens,
                            const QRectF& area, const PaintToken& paintToken) const {
    if (flow.startsDocument(line)) {
        const double y = area.top() - kLineGap / 2.0;
        painter.setPen(QPen(m_theme.axis, 0.75));
        painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y));
    }
    double left = area.left();
    for (std::uint64_t token = flow.lineBegin(line); token < flow.lineEnd(line); ++token) {
        const double width = flow.widthOf(token) * m_cell;
        const std::string_view text = tokens.text(token);
        paintToken(token, QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size())),
                   QRectF(left, area.top(), width, m_textHeight));
        left += width + kSpacing * m_cell;
    }
}

void TokenLook::paintBox(QPainter& painter, const QString& text, const QRectF& box,
                         const QColor& back) const {
    painter.fillRect(box, back);
    painter.setFont(m_font);
    painter.setPen(Theme::textOn(back));
    painter.drawText(box, Qt::AlignLeft | Qt::AlignVCenter, text);
}

}  // namespace moescope::widgets
