// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "widgets/canvas/chart_body.h"

#include <QImage>

namespace moescope::widgets {

/// Intermediate states as maps of experts x neurons, one below the other: each pixel shows the
/// neuron of largest magnitude that it covers, the wheel zooms down to single neurons. Beside each
/// row stands the share of neurons above the threshold. Chosen experts are marked.
class NeuronMapBody final : public ChartBody {
public:
    NeuronMapBody(std::shared_ptr<const figures::Figure> figure, FigureStyle style,
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
        QRectF title, map, share;
        double row = 0.0;  ///< height of one
        QImage image;      ///< at the device's resolution
    };
    struct Columns {
        double left = 0.0, map = 0.0, share = 0.0, bar = 0.0;
    };
    [[nodiscard]] Columns columnsFor(double width) const;
    [[nodiscard]] double rowOnPaper() const;
    [[nodiscard]] double heightFor(double row) const;
    [[nodiscard]] std::size_t allRows() const;
    /// Neurons [first, second) of a panel that are shown.
    [[nodiscard]] std::pair<double, double> shownNeurons(const figures::NeuronMapPanel& data) const;
    [[nodiscard]] QImage imageOf(const figures::NeuronMapPanel& data, const QRectF& map) const;
    void paintPanel(QPainter& painter, std::size_t index) const;
    void paintRows(QPainter& painter, std::size_t index) const;
    void paintShares(QPainter& painter, std::size_t index) const;
    void paintNeuronAxis(QPainter& painter, std::size_t index) const;
    [[nodiscard]] std::string readOut(std::size_t panel, std::size_t row, double neuron,
                                      double perPixel) const;

    const figures::NeuronMapFigure& m_maps;
    std::vector<Panel> m_panels;
    QRectF m_bar;
};

}  // namespace moescope::widgets
