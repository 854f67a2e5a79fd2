// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "widgets/canvas/chart_body.h"

namespace moescope::widgets {

/// Lines over layers as small multiples: a mark at each value, gaps where there is none, a band
/// behind. The legend hides lines, the wheel zooms along x, a click goes to a layer.
class LineChartBody final : public ChartBody {
public:
    LineChartBody(std::shared_ptr<const figures::Figure> figure, FigureStyle style,
                  std::shared_ptr<ChartMemory> memory);

    [[nodiscard]] double naturalHeight(double width) const override;
    void paint(QPainter& painter) const override;
    [[nodiscard]] figures::Hit hitAt(const QPointF& position) const override;
    [[nodiscard]] std::vector<QRectF> outlines(const figures::Selection& selection) const override;

protected:
    void relayout() override;
    [[nodiscard]] std::vector<QRectF> plots() const override;
    [[nodiscard]] Zoom zoomLimits() const override;

private:
    struct Panel {
        figures::ChartPanelPlace place;
        PanelAxes axes;
    };
    [[nodiscard]] const figures::LineChartPanel& dataOf(const Panel& panel) const;
    [[nodiscard]] QColor lineColour(std::size_t line) const;
    [[nodiscard]] Mark lineMark(std::size_t line) const;
    [[nodiscard]] std::pair<double, double> limitsOf(const figures::LineChartGroup& group) const;
    [[nodiscard]] bool showsReference(const figures::LineChartGroup& group) const;
    [[nodiscard]] std::vector<LegendEntry> legendEntries() const;
    [[nodiscard]] figures::ChartGridInput gridInput(double width, double legendHeight) const;
    void setAxes(Panel& panel) const;
    void paintPanel(QPainter& painter, const Panel& panel) const;
    void paintBand(QPainter& painter, const Panel& panel) const;
    void paintIntervals(QPainter& painter, const Panel& panel, std::size_t line) const;
    void paintLine(QPainter& painter, const Panel& panel, std::size_t line) const;
    [[nodiscard]] std::string readOut(const Panel& panel, std::size_t at,
                                      std::optional<std::size_t> meant) const;
    [[nodiscard]] QString lineText(const figures::LineChartPanel& data, std::size_t line,
                                   std::size_t at) const;
    [[nodiscard]] std::optional<std::size_t> nearestLine(const Panel& panel, std::size_t at,
                                                         double y) const;
    [[nodiscard]] QColor pointColour(std::size_t name) const;
    void paintPoints(QPainter& painter, const Panel& panel) const;
    [[nodiscard]] const figures::LineChartPoint* pointAt(const Panel& panel,
                                                         const QPointF& position) const;
    [[nodiscard]] std::string readOut(const Panel& panel, const figures::LineChartPoint& at) const;

    const figures::LineChartFigure& m_chart;
    std::vector<Panel> m_panels;
    std::vector<QRectF> m_headings;
};

}  // namespace moescope::widgets
