// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/token_flow.h"
#include "widgets/canvas/figure_style.h"

#include <QFont>
#include <QRectF>
#include <QString>

#include <functional>

class QPainter;

namespace moescope::widgets {

/// How large tokens of a text are, and where those of a line stand. GUI thread only.
class TokenLook {
public:
    static constexpr double kSpacing = 0.25;  ///< character cells between tokens
    static constexpr double kLineGap = 4.0;
    static constexpr double kBarHeight = 5.0;

    /// What stands under each token.
    enum class Under { Nothing, Bar, Number };

    /// `zoom` pixels larger than the style's font.
    TokenLook(const FigureStyle& style, Under under, int zoom);

    [[nodiscard]] double cell() const { return m_cell; }              ///< width of a character
    [[nodiscard]] double textHeight() const { return m_textHeight; }  ///< of a token's box
    [[nodiscard]] double lineHeight() const { return m_lineHeight; }
    [[nodiscard]] int narrowest() const { return m_narrowest; }  ///< cells of a token
    [[nodiscard]] int columns(double width) const;
    [[nodiscard]] const Theme& theme() const { return m_theme; }
    [[nodiscard]] const QFont& font() const { return m_font; }
    [[nodiscard]] const QFont& numberFont() const { return m_numberFont; }

    using PaintToken =
        std::function<void(std::uint64_t token, const QString& text, const QRectF& box)>;
    /// A line of the flow at the left margin, with a rule above the first of a document.
    void paintTokens(QPainter& painter, const figures::TokenFlow& flow,
                     const figures::FlowLine& line, const figures::TokenTable& tokens,
                     const QRectF& area, const PaintToken& paintToken) const;
    /// The token's text on a colour, black or white.
    void paintBox(QPainter& painter, const QString& text, const QRectF& box,
                  const QColor& back) const;

private:
    Theme m_theme;
    QFont m_font, m_numberFont;
    double m_cell = 8.0;
    double m_textHeight = 0.0;
    double m_lineHeight = 0.0;
    int m_narrowest = 1;
};

}  // namespace moescope::widgets
