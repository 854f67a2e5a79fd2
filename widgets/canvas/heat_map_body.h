// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/figure.h"
#include "core/figures/heat_map_layout.h"
#include "widgets/canvas/figure_body.h"
#include "widgets/canvas/figure_style.h"

namespace moescope::widgets {

/// Small multiples of matrices: square cells, gaps above 10 pixels a cell, values printed from 28
/// pixels, missing values hatched. Small maps are drawn as shapes in SVG and PDF, larger ones as
/// one lossless image each.
class HeatMapBody final : public FigureBody {
public:
    HeatMapBody(std::shared_ptr<const figures::Figure> figure, FigureStyle style);

    [[nodiscard]] double naturalHeight(double width) const override;
    void resize(const QSizeF& size) override;
    void paint(QPainter& painter) const override;
    [[nodiscard]] figures::Hit hitAt(const QPointF& position) const override;
    [[nodiscard]] std::vector<QRectF> outlines(const figures::Selection& selection) const override;
    [[nodiscard]] std::optional<figures::Hit> step(const figures::Selection& from, int dx,
                                                   int dy) const override;

private:
    using Labels = std::vector<std::string> figures::HeatMapPanel::*;
    /// A row or column by its place in the first panel: others may have another order.
    [[nodiscard]] std::size_t toFront(std::size_t panel, Labels labels, std::size_t place) const;
    [[nodiscard]] std::size_t fromFront(std::size_t panel, Labels labels, std::size_t place) const;
    [[nodiscard]] std::vector<QRectF> expertOutlines(const figures::Selection& selection) const;
    [[nodiscard]] figures::Hit hitOf(const figures::HeatMapLayout::Cell& cell) const;
    [[nodiscard]] QColor colourOf(const figures::HeatMapPanel& panel, std::size_t row,
                                  std::size_t column) const;
    [[nodiscard]] bool isMasked(std::size_t row, std::size_t column) const;
    void paintCells(QPainter& painter, std::size_t index) const;
    void paintImage(QPainter& painter, std::size_t index) const;
    void paintValue(QPainter& painter, const QRectF& cell, float value, const QColor& back,
                    double span) const;
    void paintMarks(QPainter& painter, std::size_t index) const;
    void paintCellMarks(QPainter& painter, std::size_t index) const;
    [[nodiscard]] std::string uncertaintyText(const figures::HeatMapPanel& panel,
                                              const figures::HeatMapLayout::Cell& cell) const;
    void paintLabels(QPainter& painter, std::size_t index) const;

    std::shared_ptr<const figures::Figure> m_figure;
    const figures::HeatMapFigure& m_map;
    FigureStyle m_style;
    figures::HeatMapLayout m_layout;
};

}  // namespace moescope::widgets
