// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/figure.h"
#include "widgets/canvas/chart_memory.h"
#include "widgets/canvas/coloured_text_body.h"
#include "widgets/canvas/figure_body.h"
#include "widgets/canvas/figure_style.h"

#include <QRectF>

#include <memory>
#include <set>

namespace moescope::widgets {

/// What outlives one drawing of a figure: scroll position and size of tokens, hidden bars, the
/// view of a chart.
struct FigureMemory {
    std::shared_ptr<std::set<int>> hiddenRanks = std::make_shared<std::set<int>>();
    std::shared_ptr<FlowMemory> flow = std::make_shared<FlowMemory>();
    std::shared_ptr<ChartMemory> chart = std::make_shared<ChartMemory>();
    int zoomLevel = 0;
};

[[nodiscard]] std::unique_ptr<FigureBody> makeBody(std::shared_ptr<const figures::Figure> figure,
                                                   const FigureStyle& style,
                                                   const FigureMemory& memory = {});

/// A whole figure: title on top, the body, the how-to-read line and the caption below. Laid out
/// once for a width; a file takes its natural height, a window gives one. GUI thread only.
class FigurePainter {
public:
    FigurePainter(std::shared_ptr<const figures::Figure> figure, FigureStyle style,
                  const FigureMemory& memory = {});

    /// For a file: width in logical pixels; the result is height().
    void layout(double width);
    /// For a window.
    void layout(const QSizeF& size);
    [[nodiscard]] QSizeF size() const { return m_size; }

    void paint(QPainter& painter) const;
    [[nodiscard]] FigureBody& body() { return *m_body; }
    [[nodiscard]] const FigureBody& body() const { return *m_body; }
    [[nodiscard]] QRectF bodyRect() const { return m_bodyRect; }
    [[nodiscard]] const FigureStyle& style() const { return m_style; }

private:
    void layoutTexts(double width, double height);

    std::shared_ptr<const figures::Figure> m_figure;
    FigureStyle m_style;
    std::unique_ptr<FigureBody> m_body;
    QSizeF m_size;
    QRectF m_titleRect, m_bodyRect, m_howToReadRect, m_captionRect;
};

}  // namespace moescope::widgets
