// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/label_placement.h"
#include "widgets/canvas/chart_body.h"

#include <QImage>

namespace moescope::widgets {

/// A flat scatter as small multiples: marks by group with labels beside them, fitted lines. Above
/// 20,000 points it is an image of the points' density, in files too. The legend hides groups, the
/// wheel zooms, a click chooses the expert, the pair or the layer.
class ScatterBody final : public ChartBody {
public:
    ScatterBody(std::shared_ptr<const figures::Figure> figure, FigureStyle style,
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
    struct Limits {
        double lowX, highX, lowY, highY;
    };
    struct Panel {
        figures::ChartPanelPlace place;
        PanelAxes axes;
        std::vector<figures::LabelPlace> labels;
    };
    [[nodiscard]] const figures::ScatterPanel& dataOf(const Panel& panel) const {
        return m_scatter.panels[panel.place.panel];
    }
    [[nodiscard]] bool isHiddenGroup(std::size_t group) const { return m_hidden[group]; }
    [[nodiscard]] static Limits limitsOf(const figures::ScatterPanel& panel);
    [[nodiscard]] Limits shownLimits(std::size_t panel) const;
    [[nodiscard]] figures::ChartGridInput gridInput(double width, double legendHeight) const;
    void setAxes(Panel& panel) const;
    void setLabels(Panel& panel) const;
    [[nodiscard]] bool isShown(const Panel& panel, std::size_t point) const;
    [[nodiscard]] std::vector<std::size_t> drawingOrder(const figures::ScatterPanel& data) const;
    void paintPanel(QPainter& painter, const Panel& panel, const QImage& density) const;
    void paintMarks(QPainter& painter, const Panel& panel) const;
    [[nodiscard]] QImage densityOf(const Panel& panel) const;
    void paintLines(QPainter& painter, const Panel& panel) const;
    void paintLabels(QPainter& painter, const Panel& panel) const;
    void paintTitle(QPainter& painter, const Panel& panel) const;

    const figures::ScatterFigure& m_scatter;
    std::vector<Limits> m_limits;  ///< [panels]
    std::vector<bool> m_hidden;    ///< [groups]
    std::vector<Panel> m_panels;
};

}  // namespace moescope::widgets
