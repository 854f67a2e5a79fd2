// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/figure.h"
#include "core/figures/token_flow.h"
#include "widgets/canvas/coloured_tokens.h"
#include "widgets/canvas/expert_legend.h"
#include "widgets/canvas/figure_body.h"

namespace moescope::widgets {

/// Line breaks and the place in the text, kept from one body to the next: a layer step changes
/// colours, not lines.
struct FlowMemory {
    std::shared_ptr<const figures::TokenTable> tokens;
    std::uint64_t first = 0, count = 0;
    int columns = 0, narrowest = 0;
    figures::TokenFlow flow;
    std::uint64_t topToken = 0;  ///< the first one in view
};

/// Text whose tokens stand on the colour of their first choice, under a legend with each expert's
/// load. Nothing here grows with the text: only lines near the view are broken, placed and painted.
class ColouredTextBody final : public FigureBody {
public:
    ColouredTextBody(std::shared_ptr<const figures::Figure> figure, const FigureStyle& style,
                     int zoomLevel, std::shared_ptr<FlowMemory> memory);

    [[nodiscard]] double naturalHeight(double width) const override;
    void resize(const QSizeF& size) override;
    void paint(QPainter& painter) const override;
    [[nodiscard]] figures::Hit hitAt(const QPointF& position) const override;
    [[nodiscard]] std::vector<QRectF> outlines(const figures::Selection& selection) const override;
    [[nodiscard]] std::optional<figures::Hit> step(const figures::Selection& from, int dx,
                                                   int dy) const override;
    [[nodiscard]] QString cardAt(const QPointF& position) const override;
    [[nodiscard]] Scroll scroll() const override;
    void scrollTo(std::int64_t step) override;
    [[nodiscard]] std::int64_t scrollPosition() const override;
    [[nodiscard]] std::int64_t stepOf(std::uint64_t token) const override;
    [[nodiscard]] std::optional<figures::TokenRange> tokensInView() const override;
    bool zoom(int direction) override;
    [[nodiscard]] int zoomLevel() const override;

private:
    [[nodiscard]] figures::TokenFlow& flowFor(double width) const;
    [[nodiscard]] figures::TokenFlow& flow() const { return m_memory->flow; }
    [[nodiscard]] std::int64_t page() const;
    [[nodiscard]] figures::FlowLine lastTop() const;
    void setTop(const figures::FlowLine& line);
    [[nodiscard]] figures::Hit hitOf(std::uint64_t token) const;

    std::shared_ptr<const figures::Figure> m_figure;
    const figures::ColouredTextFigure& m_text;
    FigureStyle m_style;
    ColouredTokens m_look;
    ExpertLegend m_legend;
    int m_zoom = 0;
    QSizeF m_size;
    double m_linesTop = 0.0;
    std::shared_ptr<FlowMemory> m_memory;
    figures::FlowLine m_top;  // the first line in view
};

}  // namespace moescope::widgets
