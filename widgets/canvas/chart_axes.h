// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/chart_layout.h"
#include "core/figures/view_window.h"
#include "widgets/canvas/figure_style.h"

#include <QPointF>
#include <QRectF>
#include <QString>

class QPainter;

namespace moescope::widgets {

/// One panel's axes, ready to be drawn: what lies where.
struct PanelAxes {
    QRectF plot;
    figures::NumericAxis x, y;

    [[nodiscard]] double px(double value) const {
        return plot.left() + x.position(value, plot.width());
    }
    [[nodiscard]] double py(double value) const {
        return plot.bottom() - y.position(value, plot.height());
    }
    [[nodiscard]] QPointF point(double vx, double vy) const { return {px(vx), py(vy)}; }
    [[nodiscard]] double xAt(double pixel) const {
        return x.value(pixel - plot.left(), plot.width());
    }
    [[nodiscard]] double yAt(double pixel) const {
        return y.value(plot.bottom() - pixel, plot.height());
    }
};

struct AxesLook {
    bool yLabels = true, xLabels = true;
    bool xGrid = false, yGrid = true;
    QString xTitle, yTitle;
    double yTitleOffset = 0.0;  ///< from the plot's left edge to the title's right one
};

/// Grid, left and bottom line, ticks with their numbers, titles.
void paintAxes(QPainter& painter, const PanelAxes& axes, const AxesLook& look,
               const FigureStyle& style);

/// A second y axis on the right, without grid.
void paintRightAxis(QPainter& painter, const PanelAxes& axes, const QString& title,
                    const FigureStyle& style);

/// Text written upwards along the middle of an edge; `x` is the text's left edge.
void paintUpwards(QPainter& painter, double x, const QRectF& beside, const QString& text,
                  const FigureStyle& style);

/// A number on an axis, with a true minus sign.
[[nodiscard]] QString axisText(double value, double step);
/// Width of the widest number of the ticks.
[[nodiscard]] double widestTick(const figures::NumericAxis& axis, const FigureStyle& style);

/// The same for an axis whose length is not known yet: of any length a panel may get.
[[nodiscard]] double widestTickOf(double low, double high, double padding, double perTick,
                                  const FigureStyle& style);

/// The part of an axis that a window shows, with ticks of its own.
[[nodiscard]] figures::NumericAxis zoomed(const figures::NumericAxis& whole, double low,
                                          double high, double length, double perTick,
                                          bool integral);

}  // namespace moescope::widgets
