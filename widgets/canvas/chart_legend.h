// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "widgets/canvas/figure_style.h"

#include <QColor>
#include <QRectF>

#include <optional>
#include <set>
#include <string>
#include <vector>

class QPainter;

namespace moescope::widgets {

/// Shapes of marks; together with the colour they tell series apart.
enum class Mark { Circle, Square, Triangle, Diamond, Star };
[[nodiscard]] Mark markOf(std::size_t series);
/// A mark of `size` pixels across, with the painter's brush and pen.
void paintMark(QPainter& painter, Mark mark, const QPointF& at, double size);

struct LegendEntry {
    enum class Swatch { Line, Band, Fill, Dash, Point, None };
    std::string name;
    QColor colour;
    Swatch swatch = Swatch::Line;
    Mark mark = Mark::Circle;
    bool canHide = true;
};

/// Entries that follow one another as words do; a click hides what an entry stands for.
class ChartLegend {
public:
    ChartLegend() = default;
    ChartLegend(std::vector<LegendEntry> entries, FigureStyle style);

    /// Height for a width, 0 without entries; also lays out.
    double layout(double width);
    [[nodiscard]] double height() const { return m_height; }
    void paint(QPainter& painter, const std::set<std::string>& hidden) const;
    /// The entry at a point that can be hidden.
    [[nodiscard]] const LegendEntry* at(const QPointF& position) const;

private:
    static void paintSwatch(QPainter& painter, const LegendEntry& entry, const QRectF& area);

    std::vector<LegendEntry> m_entries;
    FigureStyle m_style;
    std::vector<QRectF> m_rects;
    double m_height = 0.0;
};

}  // namespace moescope::widgets
