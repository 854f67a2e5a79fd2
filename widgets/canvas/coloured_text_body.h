// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/figure.h"
#include "widgets/canvas/coloured_tokens.h"
#include "widgets/canvas/expert_legend.h"
#include "widgets/canvas/text_body.h"

namespace moescope::widgets {

/// Text whose tokens stand on the colour of their first choice, under a legend with each expert's
/// load.
class ColouredTextBody final : public TextBody {
public:
    ColouredTextBody(std::shared_ptr<const figures::Figure> figure, const FigureStyle& style,
                     int zoomLevel, std::shared_ptr<FlowMemory> memory);

protected:
    [[nodiscard]] const TokenLook& look() const override { return m_look; }
    [[nodiscard]] double headHeight(double width) const override;
    void layoutHead(double width) override;
    void paintHead(QPainter& painter) const override;
    [[nodiscard]] figures::Hit headHit(const QPointF& position) const override;
    [[nodiscard]] std::optional<QRectF> headOutline(
        const figures::Selection& selection) const override;
    void paintLine(QPainter& painter, const figures::FlowLine& line,
                   const QRectF& area) const override;
    [[nodiscard]] figures::Hit hitOf(std::uint64_t token) const override;
    [[nodiscard]] QString cardOf(std::uint64_t token) const override;

private:
    std::shared_ptr<const figures::Figure> m_figure;
    const figures::ColouredTextFigure& m_text;
    ColouredTokens m_look;
    ExpertLegend m_legend;
};

}  // namespace moescope::widgets
