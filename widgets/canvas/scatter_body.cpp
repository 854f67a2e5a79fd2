// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/canvas/scatter_body.h"

#include "core/figures/nearest_point.h"
#include "core/jobs/parallel_for.h"
#include "widgets/canvas/scatter_style.h"
#include "widgets/support/format.h"

#include <QFontMetricsF>
#include <QImage>
#include <QPainter>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace moescope::widgets {
namespace {

using figures::ScatterGroup;
using figures::ScatterPanel;

constexpr double kPadding = 0.06;
constexpr double kLinesPerTick = 2.2;
constexpr double kReach = 9.0;  // pixels from a mark that still mean it
constexpr float kOpacity = 0.7F;
constexpr double kLoneMark = 1.5;  // F among experts
constexpr double kSteepest = 1.6;
constexpr std::size_t kFewLines = 8;

bool isFinitePoint(const ScatterPanel& panel, std::size_t i) {
    return std::isfinite(panel.x[i]) && std::isfinite(panel.y[i]);
}

bool isPair(const std::pair<std::uint16_t, std::uint16_t>& pair, int a, int b) {
    return (pair.first == a && pair.second == b) || (pair.first == b && pair.second == a);
}

/// As many parts of "r = 0.91, \u03c1 = 0.89" as there is room for: half a number would be another
/// number.
QString wholeParts(const QString& note, const QFontMetricsF& metrics, double room) {
    QString parts = note;
    while (!parts.isEmpty() && metrics.horizontalAdvance(parts) > room) {
        parts.truncate(std::max<qsizetype>(parts.lastIndexOf(QStringLiteral(", ")), 0));
    }
    return parts;
}

}  // namespace

ScatterBody::ScatterBody(std::shared_ptr<const figures::Figure> figure, FigureStyle style,
                         std::shared_ptr<ChartMemory> memory)
    : ChartBody(std::move(figure), std::move(style), std::move(memory)),
      m_scatter(std::get<figures::ScatterFigure>(this->figure().body)),
      m_hidden(m_scatter.groups.size(), false) {
    for (const ScatterPanel& panel : m_scatter.panels) {
        m_limits.push_back(limitsOf(panel));
    }
    const bool isLabelled =
        std::all_of(m_scatter.panels.begin(), m_scatter.panels.end(),
                    [](const ScatterPanel& panel) { return !panel.labels.empty(); });
    if (!isLabelled) {
        setLegend(scatterLegend(m_scatter, this->style().theme));
    }
}

ScatterBody::Limits ScatterBody::limitsOf(const ScatterPanel& panel) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    const figures::PointBox box = figures::boxOf(panel.x, panel.y);
    return box.isEmpty ? Limits{kInfinity, -kInfinity, kInfinity, -kInfinity}
                       : Limits{box.lowX, box.highX, box.lowY, box.highY};
}

ScatterBody::Limits ScatterBody::shownLimits(std::size_t panel) const {
    if (!m_scatter.sharedAxes) {
        return m_limits[panel];
    }
    Limits all = m_limits.front();
    for (const Limits& one : m_limits) {
        all = {std::min(all.lowX, one.lowX), std::max(all.highX, one.highX),
               std::min(all.lowY, one.lowY), std::max(all.highY, one.highY)};
    }
    return all;
}

figures::ChartGridInput ScatterBody::gridInput(double width, double legendHeight) const {
    const double line = style().lineHeight();
    figures::ChartGridInput in;
    in.width = width;
    in.groupSizes = {m_scatter.panels.size()};
    in.top = legendHeight;
    const bool titled = std::any_of(
        m_scatter.panels.begin(), m_scatter.panels.end(),
        [](const ScatterPanel& panel) { return !panel.title.empty() || !panel.note.empty(); });
    in.titleHeight = titled ? line + 1.0 : 0.0;
    in.groupsShareY = m_scatter.sharedAxes;
    for (std::size_t i = 0; i < m_scatter.panels.size(); ++i) {
        const Limits limits = shownLimits(i);
        in.left = std::max(in.left, widestTickOf(limits.lowY, limits.highY, kPadding,
                                                 kLinesPerTick * line, style()));
    }
    in.left += line + 4.0;
    in.bottom = line + 4.0 + line;  // each panel says what its own axis is
    in.wanted = 150.0;
    in.narrowest = m_scatter.sharedAxes ? 70.0 : 110.0;
    in.aspect = m_scatter.panels.size() == 1 ? 0.62 : 0.95;
    in.tallest = m_scatter.panels.size() == 1 ? 340.0 : 240.0;
    in.steepest = kSteepest;
    return in;
}

double ScatterBody::naturalHeight(double width) const {
    if (m_scatter.panels.empty()) {
        return style().lineHeight();
    }
    ChartLegend entries = legend();
    return std::ceil(figures::layoutCharts(gridInput(width, entries.layout(width))).height);
}

std::vector<QRectF> ScatterBody::plots() const {
    std::vector<QRectF> rects;
    for (const Panel& panel : m_panels) {
        rects.push_back(panel.axes.plot);
    }
    return rects;
}

ChartBody::Zoom ScatterBody::zoomLimits() const {
    return {false, 1e-3};
}

void ScatterBody::relayout() {
    m_panels.clear();
    for (std::size_t i = 0; i < m_hidden.size(); ++i) {
        m_hidden[i] = isHidden(m_scatter.groups[i].name);
    }
    if (m_scatter.panels.empty()) {
        return;
    }
    figures::ChartGridInput in = gridInput(size().width(), legend().layout(size().width()));
    in.height = fixedHeight();
    for (const figures::ChartPanelPlace& place : figures::layoutCharts(in).panels) {
        Panel panel{place, {}, {}};
        setAxes(panel);
        setLabels(panel);
        m_panels.push_back(std::move(panel));
    }
}

void ScatterBody::setAxes(Panel& panel) const {
    const Limits limits = shownLimits(panel.place.panel);
    const double line = style().lineHeight();
    PanelAxes& axes = panel.axes;
    axes.plot = toQt(panel.place.plot);
    const double perX =
        QFontMetricsF(style().font).horizontalAdvance(QStringLiteral("-0.00")) + line;
    axes.x = figures::makeAxis(limits.lowX, limits.highX, kPadding, axes.plot.width(), perX);
    axes.y = figures::makeAxis(limits.lowY, limits.highY, kPadding, axes.plot.height(),
                               kLinesPerTick * line);
    axes.x = zoomed(axes.x, window().left, window().right, axes.plot.width(), perX, false);
    axes.y = zoomed(axes.y, window().bottom, window().top, axes.plot.height(), kLinesPerTick * line,
                    false);
}

bool ScatterBody::isShown(const Panel& panel, std::size_t point) const {
    const ScatterPanel& data = dataOf(panel);
    return isFinitePoint(data, point) && !m_hidden[data.group[point]];
}

void ScatterBody::setLabels(Panel& panel) const {
    const ScatterPanel& data = dataOf(panel);
    if (data.labels.empty()) {
        return;
    }
    std::vector<figures::LabelRequest> wanted;
    for (std::size_t i = 0; i < data.size(); ++i) {
        figures::LabelRequest label{std::nan(""), std::nan(""), data.labels[i]};
        if (isShown(panel, i)) {
            const QPointF at =
                panel.axes.point(static_cast<double>(data.x[i]), static_cast<double>(data.y[i]));
            if (panel.axes.plot.contains(at)) {
                label.x = at.x();
                label.y = at.y();
            }
        }
        wanted.push_back(std::move(label));
    }
    panel.labels = figures::placeLabels(wanted, panel.place.plot, markSize(data.size()) / 2.0,
                                        metricsOf(style().font));
}

// Groups that stand for one thing each, such as F, lie on top.
std::vector<std::size_t> ScatterBody::drawingOrder(const ScatterPanel& data) const {
    std::vector<std::size_t> order(data.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
        order[i] = i;
    }
    std::stable_partition(order.begin(), order.end(), [&](std::size_t i) {
        return m_scatter.groups[data.group[i]].kind != ScatterGroup::Kind::Baseline;
    });
    return order;
}

void ScatterBody::paintMarks(QPainter& painter, const Panel& panel) const {
    const ScatterPanel& data = dataOf(panel);
    const double size = markSize(data.size());
    std::vector<QColor> colours;
    for (std::size_t group = 0; group < m_scatter.groups.size(); ++group) {
        QColor colour = groupColour(m_scatter, group, style().theme);
        colour.setAlphaF(kOpacity);
        colours.push_back(colour);
    }
    painter.setPen(Qt::NoPen);
    std::size_t last = m_scatter.groups.size();
    for (const std::size_t i : drawingOrder(data)) {
        if (!isShown(panel, i)) {
            continue;
        }
        const std::size_t group = data.group[i];
        if (group != last) {
            painter.setBrush(colours[group]);
            last = group;
        }
        const bool isLone = m_scatter.groups[group].kind == ScatterGroup::Kind::Baseline;
        paintMark(painter, groupMark(m_scatter.groups[group]),
                  panel.axes.point(static_cast<double>(data.x[i]), static_cast<double>(data.y[i])),
                  isLone && data.member.empty() ? size * kLoneMark : size);
    }
}

QImage ScatterBody::densityOf(const Panel& panel) const {
    const ScatterPanel& data = dataOf(panel);
    const double scale = style().deviceScale;
    const QRectF& plot = panel.axes.plot;
    std::vector<QColor> colours;
    for (std::size_t group = 0; group < m_scatter.groups.size(); ++group) {
        colours.push_back(groupColour(m_scatter, group, style().theme));
    }
    PointDensity density(colours, (plot.size() * scale).toSize().expandedTo({1, 1}),
                         std::max(1, static_cast<int>(std::lround(1.5 * scale))));
    // Both axes are linear.
    const QPointF origin = (panel.axes.point(0.0, 0.0) - plot.topLeft()) * scale;
    const QPointF unit = (panel.axes.point(1.0, 1.0) - plot.topLeft()) * scale - origin;
    for (std::size_t i = 0; i < data.size(); ++i) {
        if (isShown(panel, i)) {
            density.add(origin.x() + static_cast<double>(data.x[i]) * unit.x(),
                        origin.y() + static_cast<double>(data.y[i]) * unit.y(), data.group[i]);
        }
    }
    return density.image();
}

void ScatterBody::paintLines(QPainter& painter, const Panel& panel) const {
    const ScatterPanel& data = dataOf(panel);
    if (data.lines.empty()) {
        return;
    }
    std::map<std::size_t, std::pair<double, double>> ranges;
    for (std::size_t i = 0; i < data.size(); ++i) {
        if (isFinitePoint(data, i)) {
            const auto x = static_cast<double>(data.x[i]);
            const auto [range, isNew] = ranges.try_emplace(data.group[i], x, x);
            range->second.first = std::min(range->second.first, x);
            range->second.second = std::max(range->second.second, x);
        }
    }
    for (const figures::ScatterLine& line : data.lines) {
        const auto range = ranges.find(line.group);
        if (range == ranges.end() || m_hidden[line.group] || !std::isfinite(line.slope) ||
            !std::isfinite(line.intercept)) {
            continue;
        }
        const auto at = [&](double x) {
            return panel.axes.point(x, line.slope * x + line.intercept);
        };
        const QPointF from = at(range->second.first);
        const QPointF to = at(range->second.second);
        const bool isOnly = data.lines.size() == 1;
        if (!isOnly && data.lines.size() <= kFewLines) {  // its points have the line's colour
            painter.setPen(QPen(style().theme.background, 2.75));
            painter.drawLine(from, to);
        }
        painter.setPen(QPen(
            isOnly ? style().theme.text : groupColour(m_scatter, line.group, style().theme), 1.25));
        painter.drawLine(from, to);
    }
}

void ScatterBody::paintLabels(QPainter& painter, const Panel& panel) const {
    const ScatterPanel& data = dataOf(panel);
    painter.setFont(style().font);
    for (std::size_t i = 0; i < panel.labels.size(); ++i) {
        const figures::LabelPlace& label = panel.labels[i];
        if (label.box.width <= 0.0) {
            continue;
        }
        const QRectF box = toQt(label.box);
        if (label.hasLeader) {
            const QPointF at =
                panel.axes.point(static_cast<double>(data.x[i]), static_cast<double>(data.y[i]));
            const QPointF end(std::clamp(at.x(), box.left(), box.right()),
                              std::clamp(at.y(), box.top(), box.bottom()));
            painter.setPen(QPen(style().theme.axis, 0.5));
            painter.drawLine(at, end);
        }
        painter.setPen(style().theme.text);
        painter.drawText(box.adjusted(-20, -20, 20, 20), Qt::AlignCenter,
                         QString::fromStdString(data.labels[i]));
    }
}

void ScatterBody::paintTitle(QPainter& painter, const Panel& panel) const {
    const ScatterPanel& data = dataOf(panel);
    const QRectF area = toQt(panel.place.title);
    painter.setFont(style().font);
    painter.setPen(style().theme.text);
    const QString title = QString::fromStdString(data.title);
    painter.drawText(area, Qt::AlignLeft | Qt::AlignTop, title);
    const QFontMetricsF metrics(style().font);
    const double room = area.width() - metrics.horizontalAdvance(title) - 6.0;
    painter.setPen(style().theme.secondaryText);
    painter.drawText(area, Qt::AlignRight | Qt::AlignTop,
                     wholeParts(QString::fromStdString(data.note), metrics, room));
}

void ScatterBody::paintPanel(QPainter& painter, const Panel& panel, const QImage& density) const {
    const ScatterPanel& data = dataOf(panel);
    AxesLook look;
    look.xGrid = true;
    look.yLabels = panel.place.hasYLabels;
    look.xTitle = QString::fromStdString(data.xTitle);
    look.yTitle = look.yLabels ? QString::fromStdString(data.yTitle) : QString();
    look.yTitleOffset = widestTick(panel.axes.y, style()) + 4.0;
    paintAxes(painter, panel.axes, look, style());
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    if (!window().isWhole()) {
        painter.setClipRect(panel.axes.plot);
    }
    if (data.size() > kMostVectorPoints) {
        painter.drawImage(panel.axes.plot, density);
    } else {
        paintMarks(painter, panel);
    }
    paintLines(painter, panel);
    paintLabels(painter, panel);
    painter.restore();
    paintTitle(painter, panel);
}

void ScatterBody::paint(QPainter& painter) const {
    legend().paint(painter, memory().hidden);
    // Images of hundreds of thousands of points, each on a thread of its own.
    std::vector<QImage> densities(m_panels.size());
    const bool hasMany = std::any_of(m_panels.begin(), m_panels.end(), [&](const Panel& panel) {
        return dataOf(panel).size() > kMostVectorPoints;
    });
    jobs::parallelFor(hasMany ? m_panels.size() : 0, jobs::availableThreads(), {},
                      [&](std::size_t i) {
                          if (dataOf(m_panels[i]).size() > kMostVectorPoints) {
                              densities[i] = densityOf(m_panels[i]);
                          }
                      });
    for (std::size_t i = 0; i < m_panels.size(); ++i) {
        paintPanel(painter, m_panels[i], densities[i]);
    }
}

figures::Hit ScatterBody::hitAt(const QPointF& position) const {
    figures::Hit hit;
    hit.readOut = legendReadOut(position);
    const auto at = plotAt(position);
    if (!at) {
        return hit;
    }
    const Panel& panel = m_panels[*at];
    const ScatterPanel& data = dataOf(panel);
    const double reach = data.size() > kMostVectorPoints ? kReach / 3.0 : kReach;
    const auto point = figures::nearestPoint(
        data.x, data.y, panel.axes.xAt(position.x()), panel.axes.yAt(position.y()),
        reach / panel.axes.plot.width() * (panel.axes.x.high - panel.axes.x.low),
        reach / panel.axes.plot.height() * (panel.axes.y.high - panel.axes.y.low),
        [&](std::size_t i) { return !m_hidden[data.group[i]]; });
    if (!point) {
        return hit;
    }
    const ScatterGroup& group = m_scatter.groups[data.group[*point]];
    hit.panel = static_cast<int>(*at);
    if (group.kind == ScatterGroup::Kind::Expert) {
        hit.expert = group.index;
    }
    if (!data.pairs.empty()) {
        hit.row = data.pairs[*point].first;
        hit.column = data.pairs[*point].second;
    }
    if (!data.layers.empty()) {
        hit.layer = data.layers[*point];
    }
    hit.readOut = (data.title.empty() ? "" : data.title + ", ") +
                  pointName(m_scatter, data, *point) + ": " +
                  formatValue(static_cast<double>(data.x[*point])).toStdString() + ", " +
                  formatValue(static_cast<double>(data.y[*point])).toStdString();
    return hit;
}

std::vector<QRectF> ScatterBody::outlines(const figures::Selection& selection) const {
    std::vector<QRectF> rects;
    for (const Panel& panel : m_panels) {
        const ScatterPanel& data = dataOf(panel);
        // A selected expert is one mark where experts are marks, not where neurons are.
        const bool byExpert = selection.expert && data.member.empty() && data.pairs.empty();
        const bool byPair = selection.pairRow && selection.pairColumn && !data.pairs.empty();
        for (std::size_t i = 0; (byExpert || byPair) && i < data.size(); ++i) {
            const ScatterGroup& group = m_scatter.groups[data.group[i]];
            const bool isSelected =
                byPair
                    ? isPair(data.pairs[i], *selection.pairRow, *selection.pairColumn)
                    : group.kind == ScatterGroup::Kind::Expert && group.index == *selection.expert;
            const QPointF at =
                panel.axes.point(static_cast<double>(data.x[i]), static_cast<double>(data.y[i]));
            if (isSelected && isShown(panel, i) && panel.axes.plot.contains(at)) {
                const double r = markSize(data.size()) / 2.0 + 2.5;
                rects.emplace_back(at.x() - r, at.y() - r, 2.0 * r, 2.0 * r);
            }
        }
    }
    return rects;
}

}  // namespace moescope::widgets
