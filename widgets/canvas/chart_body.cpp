// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/canvas/chart_body.h"

#include <cmath>

namespace moescope::widgets {
namespace {

constexpr double kKeyStep = 0.1;  // of what is shown

}  // namespace

ChartBody::ChartBody(std::shared_ptr<const figures::Figure> figure, FigureStyle style,
                     std::shared_ptr<ChartMemory> memory)
    : m_figure(std::move(figure)), m_style(std::move(style)), m_memory(std::move(memory)) {}

void ChartBody::setLegend(std::vector<LegendEntry> entries) {
    m_legend = ChartLegend(std::move(entries), m_style);
}

void ChartBody::resize(const QSizeF& size) {
    m_size = size;
    m_fixedHeight = std::abs(naturalHeight(size.width()) - size.height()) > 0.5
                        ? std::optional(size.height())
                        : std::nullopt;
    relayout();
}

std::string ChartBody::legendReadOut(const QPointF& position) const {
    const LegendEntry* entry = m_legend.at(position);
    return entry == nullptr ? std::string() : entry->name + ": click to show or hide";
}

std::optional<std::size_t> ChartBody::plotAt(const QPointF& position) const {
    const std::vector<QRectF> rects = plots();
    for (std::size_t i = 0; i < rects.size(); ++i) {
        if (rects[i].contains(position)) {
            return i;
        }
    }
    return std::nullopt;
}

bool ChartBody::toggleAt(const QPointF& position) {
    const LegendEntry* entry = m_legend.at(position);
    if (entry == nullptr) {
        return false;
    }
    if (m_memory->hidden.erase(entry->name) == 0) {
        m_memory->hidden.insert(entry->name);
    }
    relayout();
    return true;
}

bool ChartBody::zoomAt(const QPointF& position, double factor) {
    const auto plot = plotAt(position);
    if (!plot) {
        return false;
    }
    const QRectF area = plots()[*plot];
    const Zoom limits = zoomLimits();
    figures::ViewWindow& shown = m_memory->window;
    const double x = (position.x() - area.left()) / area.width();
    const double y = (area.bottom() - position.y()) / area.height();
    shown.zoom(factor, shown.left + x * (shown.right - shown.left),
               shown.bottom + y * (shown.top - shown.bottom), limits.onlyX, limits.least);
    relayout();
    return true;
}

bool ChartBody::drag(const QPointF& from, const QPointF& to) {
    const auto plot = plotAt(from);
    if (!plot || m_memory->window.isWhole()) {
        return false;
    }
    const QRectF area = plots()[*plot];
    m_memory->window.move((from.x() - to.x()) / area.width(), (to.y() - from.y()) / area.height());
    relayout();
    return true;
}

bool ChartBody::moveView(int dx, int dy) {
    if (m_memory->window.isWhole()) {
        return false;
    }
    m_memory->window.move(kKeyStep * dx, -kKeyStep * dy);
    relayout();
    return true;
}

bool ChartBody::resetView() {
    if (m_memory->window.isWhole()) {
        return false;
    }
    m_memory->window = {};
    relayout();
    return true;
}

}  // namespace moescope::widgets
