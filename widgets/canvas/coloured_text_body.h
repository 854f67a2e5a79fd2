// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/figure.h"
#include "core/figures/token_flow.h"
#include "widgets/canvas/figure_body.h"
#include "widgets/canvas/figure_style.h"

namespace moescope::widgets {

/// Line breaks kept from one body to the next: a layer step changes colours, not lines.
struct FlowMemory {
    std::shared_ptr<const figures::TokenTable> tokens;
    std::uint64_t first = 0, count = 0;
    int columns = 0, narrowest = 0;
    figures::TokenFlow flow;
};

/// Text whose tokens stand on the colour of their first choice; under each, a bar as high as that
/// expert's weight, and with many experts its number. Line breaks are known for the whole text, but
/// only lines in view are placed and painted.
class ColouredTextBody final : public FigureBody {
public:
    ColouredTextBody(std::shared_ptr<const figures::Figure> figure, FigureStyle style,
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
    [[nodiscard]] const figures::TokenFlow& flowFor(double width) const;
    [[nodiscard]] const figures::TokenFlow& flow() const { return m_memory->flow; }
    [[nodiscard]] double legendHeight(double width) const;
    [[nodiscard]] std::vector<QRectF> legendRects(double width) const;
    [[nodiscard]] double linesTop() const;
    [[nodiscard]] QRectF tokenRect(std::uint64_t token) const;
    [[nodiscard]] figures::Hit hitOf(std::uint64_t token) const;
    void paintLegend(QPainter& painter) const;
    void paintLine(QPainter& painter, std::uint64_t line, double top) const;
    void paintToken(QPainter& painter, std::uint64_t token, const QRectF& box) const;

    std::shared_ptr<const figures::Figure> m_figure;
    const figures::ColouredTextFigure& m_text;
    FigureStyle m_style;
    QFont m_font;
    double m_cell = 8.0;        // width of a character
    double m_textHeight = 0.0;  // of a token's coloured box
    double m_lineHeight = 0.0;
    double m_mostWeight = 1.0;
    bool m_numbered = false;  // expert numbers under the tokens instead of a legend
    int m_zoom = 0;
    QSizeF m_size;
    std::shared_ptr<FlowMemory> m_memory;
    std::uint64_t m_firstLine = 0;
};

}  // namespace moescope::widgets
