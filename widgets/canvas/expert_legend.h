// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/hit.h"
#include "widgets/canvas/figure_style.h"

#include <QRectF>
#include <QString>

#include <optional>
#include <vector>

class QPainter;

namespace moescope::widgets {

/// Which colour is which expert, with what each one's load is: swatches with a share beside them,
/// or, where experts are many, a bar for each that is as high as its load. GUI thread only.
class ExpertLegend {
public:
    /// `loads` [experts] are shares of the first choices; empty: not known, and nothing is shown
    /// where experts are many.
    ExpertLegend(FigureStyle style, int experts, std::vector<double> loads);

    /// Height for a width, the gap below included; also lays out.
    double layout(double width);
    void paint(QPainter& painter) const;
    /// The expert at a point: "expert 3: 14.2 % of first choices".
    [[nodiscard]] figures::Hit hitAt(const QPointF& position) const;
    /// Where an expert is drawn, to be outlined; nothing of none.
    [[nodiscard]] std::optional<QRectF> rectOf(std::optional<int> expert) const;

private:
    [[nodiscard]] std::optional<int> expertAt(const QPointF& position) const;
    [[nodiscard]] std::string readOut(int expert) const;
    [[nodiscard]] bool hasBars() const;
    [[nodiscard]] QString entryText(std::size_t expert) const;
    double layoutSwatches(double width);
    double layoutBars(double width);
    void paintSwatch(QPainter& painter, std::size_t expert) const;
    void paintBars(QPainter& painter) const;

    FigureStyle m_style;
    int m_experts = 0;
    std::vector<double> m_loads;
    double m_most = 0.0;
    std::vector<QRectF> m_rects;
};

}  // namespace moescope::widgets
