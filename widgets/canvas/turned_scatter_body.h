// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/chart_layout.h"
#include "core/figures/label_placement.h"
#include "widgets/canvas/chart_legend.h"
#include "widgets/canvas/chart_memory.h"
#include "widgets/canvas/figure_body.h"
#include "widgets/canvas/scatter_style.h"

#include <QImage>

#include <array>
#include <optional>
#include <vector>

namespace moescope::widgets {

/// A scatter in three dimensions as small multiples, seen without perspective: dragging turns all
/// of them together, Shift and the arrow keys as well, the wheel enlarges. Points further away are
/// fainter. Files show the standard view.
class TurnedScatterBody final : public FigureBody {
public:
    TurnedScatterBody(std::shared_ptr<const figures::Figure> figure, FigureStyle style,
                      std::shared_ptr<ChartMemory> memory);

    [[nodiscard]] double naturalHeight(double width) const override;
    void resize(const QSizeF& size) override;
    void paint(QPainter& painter) const override;
    [[nodiscard]] figures::Hit hitAt(const QPointF& position) const override;
    bool toggleAt(const QPointF& position) override;
    bool zoomAt(const QPointF& position, double factor) override;
    bool drag(const QPointF& from, const QPointF& to) override;
    bool moveView(int dx, int dy) override;
    bool resetView() override;

private:
    struct Limits {
        double low = 0.0, high = 1.0;
    };
    /// A panel's points as they are seen: place in the body and nearness, 0 (far) to 1.
    struct Seen {
        float x, y, near;
        std::uint32_t point;
    };
    struct Panel {
        figures::ChartPanelPlace place;
        std::vector<figures::LabelPlace> labels;  ///< of points, where they have labels
        std::vector<Seen> points;                 ///< the farthest first; none of a cloud
    };
    [[nodiscard]] const figures::ScatterPanel& dataOf(const Panel& panel) const {
        return m_scatter.panels[panel.place.panel];
    }
    [[nodiscard]] figures::ChartGridInput gridInput(double width, double legendHeight) const;
    /// What makes data seen: sums of x, y, z and 1 with these weights are place and nearness.
    struct Sight {
        std::array<double, 4> x{}, y{}, near{};
        [[nodiscard]] static double place(const std::array<double, 4>& row,
                                          const figures::ScatterPanel& data, std::size_t point) {
            return row[0] * static_cast<double>(data.x[point]) +
                   row[1] * static_cast<double>(data.y[point]) +
                   row[2] * static_cast<double>(data.z[point]) + row[3];
        }
    };
    /// So many points that they are drawn as an image.
    [[nodiscard]] bool isCloud(const Panel& panel) const;
    [[nodiscard]] Sight sightOf(const Panel& panel) const;
    [[nodiscard]] Seen seenOf(const Panel& panel, const Sight& sight, std::size_t point) const;
    /// Calls take(sight, point) with all points that are not hidden.
    template <typename Take>
    void forEachSeen(const Panel& panel, Take take) const;
    [[nodiscard]] std::vector<bool> hiddenGroups() const;
    [[nodiscard]] std::optional<Seen> nearestTo(const Panel& panel, const QPointF& position) const;
    void setLimits();
    void look(Panel& panel) const;
    void lookAgain();
    /// A corner or end of an axis of the cube [-1, 1]^3 in the body's pixels.
    void setLabels(Panel& panel) const;
    void paintAxisTitle(QPainter& painter, const QRectF& plot, std::size_t axis,
                        const QString& text) const;
    void paintLabels(QPainter& painter, const Panel& panel) const;
    [[nodiscard]] QPointF placeOf(const QRectF& plot, double x, double y, double z) const;
    void paintPanel(QPainter& painter, const Panel& panel, const QImage& density) const;
    void paintCube(QPainter& painter, const Panel& panel) const;
    void paintMarks(QPainter& painter, const Panel& panel) const;
    [[nodiscard]] QImage densityOf(const Panel& panel) const;

    std::shared_ptr<const figures::Figure> m_figure;
    const figures::ScatterFigure& m_scatter;
    FigureStyle m_style;
    std::shared_ptr<ChartMemory> m_memory;
    ChartLegend m_legend;
    std::vector<std::array<Limits, 3>> m_limits;  ///< [panels]
    std::vector<Panel> m_panels;
};

}  // namespace moescope::widgets
