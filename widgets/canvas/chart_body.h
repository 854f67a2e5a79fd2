// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/figure.h"
#include "widgets/canvas/chart_axes.h"
#include "widgets/canvas/chart_legend.h"
#include "widgets/canvas/chart_memory.h"
#include "widgets/canvas/figure_body.h"
#include "widgets/canvas/figure_style.h"

namespace moescope::widgets {

/// What charts with numeric axes share: a legend whose entries hide, plots that zoom with the wheel
/// and move with the mouse, all small multiples together.
class ChartBody : public FigureBody {
public:
    void resize(const QSizeF& size) override;
    bool toggleAt(const QPointF& position) override;
    bool zoomAt(const QPointF& position, double factor) override;
    bool drag(const QPointF& from, const QPointF& to) override;
    bool moveView(int dx, int dy) override;
    bool resetView() override;

protected:
    /// How far one can zoom: along x alone, and down to which share of the whole.
    struct Zoom {
        bool onlyX = false;
        double least = 1e-3;
    };

    ChartBody(std::shared_ptr<const figures::Figure> figure, FigureStyle style,
              std::shared_ptr<ChartMemory> memory);

    /// Lays out for size(), fixedHeight() and window().
    virtual void relayout() = 0;
    /// The plots that zoom, in the coordinates of the body.
    [[nodiscard]] virtual std::vector<QRectF> plots() const = 0;
    [[nodiscard]] virtual Zoom zoomLimits() const = 0;

    [[nodiscard]] const figures::Figure& figure() const { return *m_figure; }
    [[nodiscard]] const FigureStyle& style() const { return m_style; }
    [[nodiscard]] QSizeF size() const { return m_size; }
    /// A window's height; nothing in a file, which has the height that was asked for.
    [[nodiscard]] std::optional<double> fixedHeight() const { return m_fixedHeight; }
    [[nodiscard]] const figures::ViewWindow& window() const { return m_memory->window; }
    [[nodiscard]] ChartMemory& memory() const { return *m_memory; }
    [[nodiscard]] bool isHidden(const std::string& name) const {
        return m_memory->hidden.contains(name);
    }
    [[nodiscard]] ChartLegend& legend() { return m_legend; }
    [[nodiscard]] const ChartLegend& legend() const { return m_legend; }
    void setLegend(std::vector<LegendEntry> entries);
    /// The read-out over an entry of the legend; empty elsewhere.
    [[nodiscard]] std::string legendReadOut(const QPointF& position) const;
    /// Index of the plot at a point.
    [[nodiscard]] std::optional<std::size_t> plotAt(const QPointF& position) const;

private:
    std::shared_ptr<const figures::Figure> m_figure;
    FigureStyle m_style;
    std::shared_ptr<ChartMemory> m_memory;
    ChartLegend m_legend;
    QSizeF m_size;
    std::optional<double> m_fixedHeight;
};

}  // namespace moescope::widgets
