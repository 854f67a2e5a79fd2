// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/figure.h"
#include "widgets/canvas/token_look.h"

namespace moescope::widgets {

/// Colours no longer tell more experts apart: their numbers stand under the tokens.
inline constexpr int kMostTellingColours = 20;

/// How tokens look that stand on the colour of their first choice: under each, a bar as high as
/// that expert's weight, and with many experts its number. GUI thread only.
class ColouredTokens : public TokenLook {
public:
    ColouredTokens(const FigureStyle& style, int experts, double mostWeight, int zoom);

    /// A line of the flow at the left margin.
    void paintLine(QPainter& painter, const figures::TokenFlow& flow, const figures::FlowLine& line,
                   const figures::TokenTable& tokens, const figures::Routing& routing,
                   const QRectF& area) const;

private:
    void paintToken(QPainter& painter, const QString& text, const figures::Routing& routing,
                    std::uint64_t row, const QRectF& box) const;

    double m_mostWeight = 1.0;
    bool m_numbered = false;
};

}  // namespace moescope::widgets
