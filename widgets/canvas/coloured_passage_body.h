// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/figure.h"
#include "core/figures/token_flow.h"
#include "widgets/canvas/coloured_tokens.h"
#include "widgets/canvas/expert_legend.h"
#include "widgets/canvas/text_body.h"

namespace moescope::widgets {

/// One passage at several layers, a panel each, broken into the same lines everywhere. Higher than
/// the window, it scrolls by lines.
class ColouredPassageBody final : public ZoomedTextBody {
public:
    ColouredPassageBody(std::shared_ptr<const figures::Figure> figure, const FigureStyle& style,
                        int zoomLevel);

    [[nodiscard]] double naturalHeight(double width) const override;
    void resize(const QSizeF& size) override;
    void paint(QPainter& painter) const override;
    [[nodiscard]] figures::Hit hitAt(const QPointF& position) const override;
    [[nodiscard]] std::vector<QRectF> outlines(const figures::Selection& selection) const override;
    [[nodiscard]] QString cardAt(const QPointF& position) const override;
    [[nodiscard]] Scroll scroll() const override;
    void scrollTo(std::int64_t step) override;
    [[nodiscard]] std::int64_t scrollPosition() const override;
    [[nodiscard]] std::optional<figures::TokenRange> tokensInView() const override;

private:
    /// How the panels lie at a width.
    struct Grid {
        std::size_t columns = 1;
        double panelWidth = 0.0, panelHeight = 0.0;
        double top = 0.0, height = 0.0;  ///< of the legend; of everything
        figures::TokenFlow flow;
        std::uint64_t lines = 0;
    };
    /// What lies under a point.
    struct Found {
        std::size_t panel = 0;
        std::uint64_t row = 0;  ///< of the passage
    };

    [[nodiscard]] Grid gridFor(double width, ExpertLegend& legend) const;
    [[nodiscard]] QRectF panelRect(std::size_t panel) const;
    [[nodiscard]] double offset() const;
    [[nodiscard]] std::optional<Found> find(const QPointF& position) const;

    std::shared_ptr<const figures::Figure> m_figure;
    const figures::ColouredPassageFigure& m_text;
    FigureStyle m_style;
    ColouredTokens m_look;
    ExpertLegend m_legend;
    QSizeF m_size;
    mutable Grid m_grid;  // its flow breaks lines when asked for
    std::int64_t m_scrolled = 0;
};

}  // namespace moescope::widgets
