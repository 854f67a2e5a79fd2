// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/canvas/coloured_tokens.h"

#include <QPainter>

#include <algorithm>
#include <cmath>

namespace moescope::widgets {

ColouredTokens::ColouredTokens(const FigureStyle& style, int experts, double mostWeight, int zoom)
    : TokenLook(style, experts > kMostTellingColours ? Under::Number : Under::Bar, zoom),
      m_mostWeight(mostWeight > 0.0 ? mostWeight : 1.0),
      m_numbered(experts > kMostTellingColours) {}

void ColouredTokens::paintLine(QPainter& painter, const figures::TokenFlow& flow,
                               const figures::FlowLine& line, const figures::TokenTable& tokens,
                               const figures::Routing& routing, const QRectF& area) const {
    paintTokens(painter, flow, line, tokens, area,
                [&](std::uint64_t token, const QString& text, const QRectF& box) {
                    paintToken(painter, text, routing, token - routing.firstToken(), box);
                });
}

void ColouredTokens::paintToken(QPainter& painter, const QString& text,
                                const figures::Routing& routing, std::uint64_t row,
                                const QRectF& box) const {
    const int expert = routing.id(row, 0);
    paintBox(painter, text, box, theme().expertBackground(expert, routing.experts));
    const float weight = routing.weight(row, 0);
    if (std::isfinite(weight)) {
        const double height = std::max(
            1.0, kBarHeight * std::clamp(static_cast<double>(weight) / m_mostWeight, 0.0, 1.0));
        painter.fillRect(QRectF(box.left(), box.bottom() + 0.5, box.width(), height),
                         theme().expertColour(expert, routing.experts));
    }
    if (m_numbered) {
        painter.setFont(numberFont());
        painter.setPen(theme().secondaryText);
        const double under = box.bottom() + 0.5 + kBarHeight;
        painter.drawText(
            QRectF(box.left(), under - 1.0, box.width() + 20.0, lineHeight() - textHeight()),
            Qt::AlignLeft | Qt::AlignTop, QString::number(expert));
    }
}

}  // namespace moescope::widgets
