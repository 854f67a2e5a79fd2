// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "widgets/canvas/chart_body.h"

namespace moescope::widgets {

/// Output norm and router score of every expert for one token or several. One token with few
/// experts: bars in pairs on two axes. Many experts, or several tokens: norms upwards and scores
/// downwards from a common line, which leaves a bar twice the width. Chosen experts lie on a band.
class PairedBarsBody final : public ChartBody {
public:
    PairedBarsBody(std::shared_ptr<const figures::Figure> figure, FigureStyle style,
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
        PanelAxes norms, scores;  ///< the same plot, or its upper and lower half
    };
    [[nodiscard]] std::size_t experts() const { return m_bars.labels.size(); }
    [[nodiscard]] bool isMirrored(double width) const;
    [[nodiscard]] figures::ChartGridInput gridInput(double width, double legendHeight) const;
    [[nodiscard]] figures::NumericAxis valueAxis(bool ofNorms, double length) const;
    void setAxes(Panel& panel) const;
    void paintPanel(QPainter& painter, const Panel& panel) const;
    void paintChosen(QPainter& painter, const Panel& panel) const;
    void paintBars(QPainter& painter, const Panel& panel) const;
    void paintExperts(QPainter& painter, const Panel& panel) const;
    void paintValueAxes(QPainter& painter, const Panel& panel) const;
    [[nodiscard]] static QRectF slotOf(const Panel& panel, int expert);

    const figures::PairedBarsFigure& m_bars;
    double m_mostNorm = 0.0, m_mostScore = 0.0;
    bool m_mirrored = false;
    std::vector<Panel> m_panels;
};

}  // namespace moescope::widgets
