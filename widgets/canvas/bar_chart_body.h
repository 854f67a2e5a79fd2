// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "widgets/canvas/chart_body.h"

namespace moescope::widgets {

/// Bars side by side for each expert, as small multiples. What is too wide goes on in a further
/// row. The legend hides series, a click selects an expert.
class BarChartBody final : public ChartBody {
public:
    BarChartBody(std::shared_ptr<const figures::Figure> figure, FigureStyle style,
                 std::shared_ptr<ChartMemory> memory);

    [[nodiscard]] double naturalHeight(double width) const override;
    void paint(QPainter& painter) const override;
    [[nodiscard]] figures::Hit hitAt(const QPointF& position) const override;
    [[nodiscard]] std::vector<QRectF> outlines(const figures::Selection& selection) const override;
    [[nodiscard]] std::optional<figures::Hit> step(const figures::Selection& from, int dx,
                                                   int dy) const override;
    bool zoomAt(const QPointF& position, double factor) override;

protected:
    void relayout() override;
    [[nodiscard]] std::vector<QRectF> plots() const override;
    [[nodiscard]] Zoom zoomLimits() const override;

private:
    /// A row of a panel: some of its categories.
    struct Strip {
        std::size_t panel = 0, first = 0, count = 0;
        figures::ChartPanelPlace place{};
        PanelAxes axes{};
    };
    struct Limits {
        double low = 0.0, high = 0.0;
    };
    [[nodiscard]] std::vector<LegendEntry> legendEntries() const;
    [[nodiscard]] QColor colour(std::size_t series) const;
    /// Indices of the series that are not hidden.
    [[nodiscard]] std::vector<std::size_t> shown() const;
    [[nodiscard]] Limits limits() const;
    [[nodiscard]] double categoryWidth(double bar) const;
    [[nodiscard]] std::size_t rowsPerPanel(double width) const;
    [[nodiscard]] std::vector<Strip> cut(std::size_t rows) const;
    [[nodiscard]] figures::ChartGridInput gridInput(double width, double legendHeight,
                                                    std::size_t rows) const;
    [[nodiscard]] QRectF barOf(const Strip& strip, std::size_t category, std::size_t place,
                               std::size_t places, double value) const;
    [[nodiscard]] figures::Hit hitOf(const Strip& strip, std::size_t category,
                                     std::optional<std::size_t> series) const;
    void paintStrip(QPainter& painter, const Strip& strip) const;
    void paintBars(QPainter& painter, const Strip& strip) const;
    void paintBar(QPainter& painter, const Strip& strip, std::size_t category, std::size_t series,
                  const QRectF& bar) const;
    void paintCategories(QPainter& painter, const Strip& strip) const;

    const figures::BarChartFigure& m_chart;
    std::vector<Strip> m_strips;
    QRectF m_heading;
};

}  // namespace moescope::widgets
