// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/figure.h"
#include "widgets/canvas/text_body.h"

namespace moescope::widgets {

/// Text whose tokens stand on the colour of how much their loss rises without some experts, under
/// the colour bar.
class LossTextBody final : public TextBody {
public:
    LossTextBody(std::shared_ptr<const figures::Figure> figure, FigureStyle style, int zoomLevel,
                 std::shared_ptr<FlowMemory> memory);

protected:
    [[nodiscard]] const TokenLook& look() const override { return m_look; }
    [[nodiscard]] double headHeight(double width) const override;
    void layoutHead(double width) override;
    void paintHead(QPainter& painter) const override;
    void paintLine(QPainter& painter, const figures::FlowLine& line,
                   const QRectF& area) const override;
    [[nodiscard]] figures::Hit hitOf(std::uint64_t token) const override;
    [[nodiscard]] QString cardOf(std::uint64_t token) const override;

private:
    [[nodiscard]] static QString predictionOf(const figures::PredictedTokens& predicted,
                                              std::uint64_t token);
    [[nodiscard]] QString textOfToken(std::uint64_t token) const;

    std::shared_ptr<const figures::Figure> m_figure;
    const figures::LossTextFigure& m_text;
    TokenLook m_look;
    double m_width = 0.0;
};

}  // namespace moescope::widgets
