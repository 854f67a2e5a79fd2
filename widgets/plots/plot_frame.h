// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "widgets/canvas/figure_style.h"

#include <QPicture>

#include <memory>

class QCustomPlot;
class QCPAxisRect;
class QCPAxis;

namespace moescope::widgets {

/// A QCustomPlot that is never shown: a description of axes and bars that is recorded once per size
/// and played back onto screen, image, SVG or PDF, so that all of them are the same drawing. GUI
/// thread only.
class PlotFrame {
public:
    explicit PlotFrame(FigureStyle style);
    ~PlotFrame();
    PlotFrame(const PlotFrame&) = delete;
    PlotFrame& operator=(const PlotFrame&) = delete;

    [[nodiscard]] QCustomPlot& plot() { return *m_plot; }
    [[nodiscard]] const QCustomPlot& plot() const { return *m_plot; }

    /// Fonts, pens and colours of the style; only left and bottom axes stay visible.
    QCPAxisRect* addAxisRect(int row, int column);
    void styleAxis(QCPAxis* axis) const;
    /// Sets the range [0, high] with as many round ticks as `pixels` have room for.
    void setScale(QCPAxis* axis, double high, double pixels, bool integral) const;

    void record(const QSizeF& size);
    void play(QPainter& painter) const;

private:
    FigureStyle m_style;
    std::unique_ptr<QCustomPlot> m_plot;
    QPicture m_picture;
};

}  // namespace moescope::widgets
