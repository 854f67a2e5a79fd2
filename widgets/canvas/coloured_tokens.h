// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/figure.h"
#include "core/figures/token_flow.h"
#include "widgets/canvas/figure_style.h"

#include <QFont>
#include <QRectF>

class QPainter;

namespace moescope::widgets {

/// Colours no longer tell more experts apart: their numbers stand under the tokens.
inline constexpr int kMostTellingColours = 20;

/// How tokens look that stand on the colour of their first choice: under each, a bar as high as
/// that expert's weight, and with many experts its number. GUI thread only.
class ColouredTokens {
public:
    static constexpr double kSpacing = 0.25;  ///< character cells between tokens
    static constexpr double kLineGap = 4.0;

    /// `zoom` pixels larger than the style's font.
    ColouredTokens(const FigureStyle& style, int experts, double mostWeight, int zoom);

    [[nodiscard]] double cell() const { return m_cell; }  ///< width of a character
    [[nodiscard]] double textHeight() const { return m_textHeight; }
    [[nodiscard]] double lineHeight() const { return m_lineHeight; }
    [[nodiscard]] int narrowest() const { return m_numbered ? 3 : 1; }  ///< cells of a token
    [[nodiscard]] int columns(double width) const;

    /// A line of the flow at the left margin.
    void paintLine(QPainter& painter, const figures::TokenFlow& flow, const figures::FlowLine& line,
                   const figures::TokenTable& tokens, const figures::Routing& routing,
                   const QRectF& area) const;

private:
    void paintToken(QPainter& painter, const QString& text, const figures::Routing& routing,
                    std::uint64_t row, const QRectF& box) const;

    Theme m_theme;
    QFont m_font, m_numberFont;
    double m_cell = 8.0;
    double m_textHeight = 0.0;  // of a token's coloured box
    double m_lineHeight = 0.0;
    double m_mostWeight = 1.0;
    bool m_numbered = false;
};

}  // namespace moescope::widgets
