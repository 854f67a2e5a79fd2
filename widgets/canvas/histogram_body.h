// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "widgets/canvas/body_of.h"
#include "widgets/canvas/chart_axes.h"

namespace moescope::widgets {

/// Histograms side by side with one y axis: bars of equal width between the numbers of their edges,
/// the median dashed.
class HistogramBody final : public BodyOf<figures::HistogramFigure> {
public:
    HistogramBody(std::shared_ptr<const figures::Figure> figure, FigureStyle style);

    [[nodiscard]] double naturalHeight(double width) const override;
    void resize(const QSizeF& size) override;
    void paint(QPainter& painter) const override;
    [[nodiscard]] figures::Hit hitAt(const QPointF& position) const override;

private:
    [[nodiscard]] figures::ChartGridInput gridInput(double width) const;
    [[nodiscard]] figures::NumericAxis shareAxis(double length) const;
    void paintBars(QPainter& painter, std::size_t index) const;
    void paintEdges(QPainter& painter, std::size_t index) const;
    void paintMedian(QPainter& painter, std::size_t index) const;

    struct Panel {
        figures::ChartPanelPlace place;
        PanelAxes axes;
    };
    std::vector<Panel> m_panels;
    double m_most = 0.0;
};

}  // namespace moescope::widgets
