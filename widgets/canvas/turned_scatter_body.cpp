// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/canvas/turned_scatter_body.h"

#include "core/figures/nearest_point.h"
#include "core/jobs/parallel_for.h"
#include "widgets/support/format.h"

#include <QFontMetricsF>
#include <QImage>
#include <QPainter>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <numbers>

namespace moescope::widgets {
namespace {

using figures::ScatterGroup;
using figures::ScatterPanel;

constexpr double kPerPixel = 0.01;  // radians
constexpr double kPerKey = std::numbers::pi / 36.0;
constexpr double kReach = 8.0;
constexpr double kCube = 0.6;  // half of a cube's edge, of half the plot
constexpr double kFaintest = 0.35;

}  // namespace

TurnedScatterBody::TurnedScatterBody(std::shared_ptr<const figures::Figure> figure,
                                     FigureStyle style, std::shared_ptr<ChartMemory> memory)
    : m_figure(std::move(figure)),
      m_scatter(std::get<figures::ScatterFigure>(m_figure->body)),
      m_style(std::move(style)),
      m_memory(std::move(memory)) {
    const bool isLabelled =
        std::all_of(m_scatter.panels.begin(), m_scatter.panels.end(),
                    [](const ScatterPanel& panel) { return !panel.labels.empty(); });
    if (!isLabelled) {
        m_legend = ChartLegend(scatterLegend(m_scatter, m_style.theme), m_style);
    }
    setLimits();
}

// One scale for the three axes of a panel, so that a turn does not stretch the cloud.
void TurnedScatterBody::setLimits() {
    for (const ScatterPanel& panel : m_scatter.panels) {
        std::array<Limits, 3> limits;
        double widest = 0.0;
        for (std::size_t axis = 0; axis < 3; ++axis) {
            const std::vector<float>& values = axis == 0 ? panel.x : axis == 1 ? panel.y : panel.z;
            const figures::PointBox box = figures::boxOf(values, values);
            if (!box.isEmpty) {
                limits[axis] = {box.lowX, box.highX};
            }
            widest = std::max(widest, limits[axis].high - limits[axis].low);
        }
        widest = widest > 0.0 ? widest : 1.0;
        for (Limits& axis : limits) {
            const double middle = (axis.low + axis.high) / 2.0;
            axis = {middle - widest / 2.0, middle + widest / 2.0};
        }
        m_limits.push_back(limits);
    }
}

figures::ChartGridInput TurnedScatterBody::gridInput(double width, double legendHeight) const {
    figures::ChartGridInput in;
    in.width = width;
    in.groupSizes = {m_scatter.panels.size()};
    in.top = legendHeight;
    in.titleHeight = m_style.lineHeight() + 1.0;
    in.bottom = 4.0;
    in.wanted = 180.0;
    in.narrowest = 130.0;
    in.aspect = m_scatter.panels.size() == 1 ? 0.75 : 1.0;
    in.tallest = m_scatter.panels.size() == 1 ? 380.0 : 260.0;
    in.steepest = 1.1;
    return in;
}

double TurnedScatterBody::naturalHeight(double width) const {
    ChartLegend legend = m_legend;
    return std::ceil(figures::layoutCharts(gridInput(width, legend.layout(width))).height);
}

void TurnedScatterBody::resize(const QSizeF& size) {
    figures::ChartGridInput in = gridInput(size.width(), m_legend.layout(size.width()));
    if (std::abs(naturalHeight(size.width()) - size.height()) > 0.5) {
        in.height = size.height();
    }
    m_panels.clear();
    for (const figures::ChartPanelPlace& place : figures::layoutCharts(in).panels) {
        m_panels.push_back({place, {}, {}});
    }
    lookAgain();
}

QPointF TurnedScatterBody::placeOf(const QRectF& plot, double x, double y, double z) const {
    const auto seen = figures::TurnedAxes(m_memory->turned).see(x, y, z);
    const double scale =
        std::min(plot.width(), plot.height()) / 2.0 * kCube * m_memory->turned.zoom;
    return {plot.center().x() + seen.right * scale, plot.center().y() - seen.up * scale};
}

bool TurnedScatterBody::isCloud(const Panel& panel) const {
    return dataOf(panel).size() > kMostVectorPoints;
}

// Scaling, turning and placing are one linear map.
TurnedScatterBody::Sight TurnedScatterBody::sightOf(const Panel& panel) const {
    const QRectF plot = toQt(panel.place.plot);
    const auto& limits = m_limits[panel.place.panel];
    const figures::TurnedAxes axes(m_memory->turned);
    const double scale =
        std::min(plot.width(), plot.height()) / 2.0 * kCube * m_memory->turned.zoom;
    const double nearScale = 0.5 / std::numbers::sqrt3;
    Sight sight;
    sight.x[3] = plot.center().x();
    sight.y[3] = plot.center().y();
    sight.near[3] = 0.5;
    for (std::size_t axis = 0; axis < 3; ++axis) {
        std::array<double, 3> unit{};
        unit[axis] = 1.0;
        const auto seen = axes.see(unit[0], unit[1], unit[2]);
        // From the axis's limits to [-1, 1].
        const double factor = 2.0 / (limits[axis].high - limits[axis].low);
        const double shift = -factor * limits[axis].low - 1.0;
        const auto set = [&](std::array<double, 4>& row, double weight) {
            row[axis] = weight * factor;
            row[3] += weight * shift;
        };
        set(sight.x, seen.right * scale);
        set(sight.y, -seen.up * scale);
        set(sight.near, seen.near * nearScale);
    }
    return sight;
}

std::vector<bool> TurnedScatterBody::hiddenGroups() const {
    std::vector<bool> hidden;
    for (const ScatterGroup& group : m_scatter.groups) {
        hidden.push_back(m_memory->hidden.contains(group.name));
    }
    return hidden;
}

template <typename Take>
void TurnedScatterBody::forEachSeen(const Panel& panel, Take take) const {
    const ScatterPanel& data = dataOf(panel);
    const Sight sight = sightOf(panel);
    const std::vector<bool> hidden = hiddenGroups();
    std::size_t group = m_scatter.groups.size();
    bool isShown = false;
    for (std::size_t i = 0; i < data.size(); ++i) {
        if (data.group[i] != group) {  // mostly the one before's
            group = data.group[i];
            isShown = !hidden[group];
        }
        // Finite, all three: infinity and NaN times 0 are NaN.
        if (isShown && (data.x[i] + data.y[i] + data.z[i]) * 0.0F == 0.0F) {
            take(sight, i);
        }
    }
}

TurnedScatterBody::Seen TurnedScatterBody::seenOf(const Panel& panel, const Sight& sight,
                                                  std::size_t point) const {
    const ScatterPanel& data = dataOf(panel);
    return {static_cast<float>(Sight::place(sight.x, data, point)),
            static_cast<float>(Sight::place(sight.y, data, point)),
            static_cast<float>(std::clamp(Sight::place(sight.near, data, point), 0.0, 1.0)),
            static_cast<std::uint32_t>(point)};
}

// A cloud is looked at while it is drawn.
void TurnedScatterBody::look(Panel& panel) const {
    panel.points.clear();
    if (isCloud(panel)) {
        return;
    }
    forEachSeen(panel, [&](const Sight& sight, std::size_t point) {
        panel.points.push_back(seenOf(panel, sight, point));
    });
    std::stable_sort(panel.points.begin(), panel.points.end(),
                     [](const Seen& a, const Seen& b) { return a.near < b.near; });
}

void TurnedScatterBody::lookAgain() {
    for (Panel& panel : m_panels) {
        look(panel);
        setLabels(panel);
    }
}

// Of the four edges of the cube along an axis the outermost one: the lowest for the two that lie,
// the leftmost for the one that stands. The title is written outside of its middle.
void TurnedScatterBody::paintAxisTitle(QPainter& painter, const QRectF& plot, std::size_t axis,
                                       const QString& text) const {
    QPointF from;
    QPointF to;
    double outermost = -1e9;
    for (const double a : {-1.0, 1.0}) {
        for (const double b : {-1.0, 1.0}) {
            std::array<double, 3> end{};
            end[(axis + 1) % 3] = a;
            end[(axis + 2) % 3] = b;
            end[axis] = -1.0;
            const QPointF start = placeOf(plot, end[0], end[1], end[2]);
            end[axis] = 1.0;
            const QPointF stop = placeOf(plot, end[0], end[1], end[2]);
            const QPointF middle = (start + stop) / 2.0;
            const double outer = axis == 2 ? -middle.x() : middle.y();
            if (outer > outermost) {
                outermost = outer;
                from = start;
                to = stop;
            }
        }
    }
    painter.setPen(QPen(m_style.theme.axis, 0.75));
    painter.drawLine(from, to);
    const QFontMetricsF metrics(m_style.font);
    const double length = std::hypot(to.x() - from.x(), to.y() - from.y());
    if (length < metrics.height()) {
        return;  // the axis points at the reader
    }
    const QPointF middle = (from + to) / 2.0;
    const double width = metrics.horizontalAdvance(text);
    const bool isLeft = middle.x() < plot.center().x();
    painter.setPen(m_style.theme.secondaryText);
    if (axis == 2) {
        painter.save();
        painter.translate(std::max(middle.x() - metrics.height() - 3.0, plot.left()), middle.y());
        painter.rotate(-90.0);
        painter.drawText(QRectF(-width / 2.0 - 2.0, 0.0, width + 4.0, metrics.height()),
                         Qt::AlignCenter, text);
        painter.restore();
        return;
    }
    const double left = std::clamp(isLeft ? middle.x() - width - 3.0 : middle.x() + 3.0,
                                   plot.left(), std::max(plot.right() - width, plot.left()));
    // Below the edge over the whole length of the text.
    const auto edgeAt = [&](double x) {
        const double along = std::abs(to.x() - from.x()) < 1.0
                                 ? 0.5
                                 : std::clamp((x - from.x()) / (to.x() - from.x()), 0.0, 1.0);
        return from.y() + along * (to.y() - from.y());
    };
    const double top = std::min(std::max(edgeAt(left), edgeAt(left + width)) + 2.0,
                                plot.bottom() - metrics.height());
    painter.drawText(QRectF(left, top, width + 2.0, metrics.height()), Qt::AlignLeft, text);
}

void TurnedScatterBody::paintCube(QPainter& painter, const Panel& panel) const {
    const QRectF plot = toQt(panel.place.plot);
    painter.setPen(QPen(m_style.theme.grid, 0.67));
    const auto edge = [&](std::array<double, 3> from, std::size_t axis) {
        std::array<double, 3> to = from;
        to[axis] = 1.0;
        painter.drawLine(placeOf(plot, from[0], from[1], from[2]),
                         placeOf(plot, to[0], to[1], to[2]));
    };
    for (const double a : {-1.0, 1.0}) {
        for (const double b : {-1.0, 1.0}) {
            edge({-1.0, a, b}, 0);
            edge({a, -1.0, b}, 1);
            edge({a, b, -1.0}, 2);
        }
    }
    const ScatterPanel& data = dataOf(panel);
    painter.setFont(m_style.font);
    paintAxisTitle(painter, plot, 0, QString::fromStdString(data.xTitle));
    paintAxisTitle(painter, plot, 1, QString::fromStdString(data.yTitle));
    paintAxisTitle(painter, plot, 2, QString::fromStdString(data.zTitle));
}

void TurnedScatterBody::paintMarks(QPainter& painter, const Panel& panel) const {
    const ScatterPanel& data = dataOf(panel);
    const double size = markSize(panel.points.size());
    painter.setPen(Qt::NoPen);
    for (const Seen& seen : panel.points) {
        const std::size_t group = data.group[seen.point];
        QColor colour = groupColour(m_scatter, group, m_style.theme);
        colour.setAlphaF(
            static_cast<float>(kFaintest + (1.0 - kFaintest) * static_cast<double>(seen.near)));
        painter.setBrush(colour);
        paintMark(painter, groupMark(m_scatter.groups[group]),
                  QPointF(static_cast<double>(seen.x), static_cast<double>(seen.y)), size);
    }
    paintLabels(painter, panel);
}

// The nearest points are labelled first.
void TurnedScatterBody::setLabels(Panel& panel) const {
    const ScatterPanel& data = dataOf(panel);
    panel.labels.clear();
    if (data.labels.empty()) {
        return;
    }
    std::vector<figures::LabelRequest> wanted;
    std::transform(panel.points.rbegin(), panel.points.rend(), std::back_inserter(wanted),
                   [&data](const Seen& seen) {
                       return figures::LabelRequest{static_cast<double>(seen.x),
                                                    static_cast<double>(seen.y),
                                                    data.labels[seen.point]};
                   });
    panel.labels = figures::placeLabels(
        wanted, panel.place.plot, markSize(panel.points.size()) / 2.0, metricsOf(m_style.font));
}

void TurnedScatterBody::paintLabels(QPainter& painter, const Panel& panel) const {
    const ScatterPanel& data = dataOf(panel);
    for (std::size_t i = 0; i < panel.labels.size(); ++i) {
        const figures::LabelPlace& label = panel.labels[i];
        if (label.box.width <= 0.0) {
            continue;
        }
        const Seen& seen = panel.points[panel.points.size() - 1 - i];
        const QRectF box = toQt(label.box);
        if (label.hasLeader) {
            const QPointF at(static_cast<double>(seen.x), static_cast<double>(seen.y));
            painter.setPen(QPen(m_style.theme.axis, 0.5));
            painter.drawLine(at, QPointF(std::clamp(at.x(), box.left(), box.right()),
                                         std::clamp(at.y(), box.top(), box.bottom())));
        }
        painter.setPen(m_style.theme.text);
        painter.drawText(box.adjusted(-20, -20, 20, 20), Qt::AlignCenter,
                         QString::fromStdString(data.labels[seen.point]));
    }
}

QImage TurnedScatterBody::densityOf(const Panel& panel) const {
    const ScatterPanel& data = dataOf(panel);
    const QRectF plot = toQt(panel.place.plot);
    const double scale = m_style.deviceScale;
    std::vector<QColor> colours;
    for (std::size_t group = 0; group < m_scatter.groups.size(); ++group) {
        colours.push_back(groupColour(m_scatter, group, m_style.theme));
    }
    PointDensity density(colours, (plot.size() * scale).toSize().expandedTo({1, 1}),
                         std::max(1, static_cast<int>(std::lround(1.5 * scale))));
    forEachSeen(panel, [&](const Sight& sight, std::size_t point) {
        density.add((Sight::place(sight.x, data, point) - plot.left()) * scale,
                    (Sight::place(sight.y, data, point) - plot.top()) * scale, data.group[point]);
    });
    return density.image();
}

void TurnedScatterBody::paintPanel(QPainter& painter, const Panel& panel,
                                   const QImage& density) const {
    const ScatterPanel& data = dataOf(panel);
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    if (m_memory->turned.zoom > 1.0) {
        painter.setClipRect(toQt(panel.place.plot));
    }
    paintCube(painter, panel);
    if (isCloud(panel)) {
        painter.drawImage(toQt(panel.place.plot), density);
    } else {
        paintMarks(painter, panel);
    }
    painter.restore();
    painter.setFont(m_style.font);
    painter.setPen(m_style.theme.text);
    painter.drawText(toQt(panel.place.title), Qt::AlignLeft | Qt::AlignTop,
                     QString::fromStdString(data.title));
    painter.setPen(m_style.theme.secondaryText);
    painter.drawText(toQt(panel.place.title), Qt::AlignRight | Qt::AlignTop,
                     QString::fromStdString(data.note));
}

void TurnedScatterBody::paint(QPainter& painter) const {
    m_legend.paint(painter, m_memory->hidden);
    std::vector<QImage> densities(m_panels.size());
    const bool hasMany = std::any_of(m_panels.begin(), m_panels.end(),
                                     [&](const Panel& panel) { return isCloud(panel); });
    jobs::parallelFor(hasMany ? m_panels.size() : 0, jobs::availableThreads(), {},
                      [&](std::size_t i) {
                          if (isCloud(m_panels[i])) {
                              densities[i] = densityOf(m_panels[i]);
                          }
                      });
    for (std::size_t i = 0; i < m_panels.size(); ++i) {
        paintPanel(painter, m_panels[i], densities[i]);
    }
}

// Of points behind one another the nearest to the reader.
std::optional<TurnedScatterBody::Seen> TurnedScatterBody::nearestTo(const Panel& panel,
                                                                    const QPointF& position) const {
    double least = kReach * kReach;
    std::optional<Seen> best;
    const auto offer = [&](const Seen& seen) {
        const double dx = static_cast<double>(seen.x) - position.x();
        const double dy = static_cast<double>(seen.y) - position.y();
        const double distance = dx * dx + dy * dy;
        if (distance < least || (distance == least && (!best || seen.near >= best->near))) {
            least = distance;
            best = seen;
        }
    };
    if (isCloud(panel)) {
        forEachSeen(panel, [&](const Sight& sight, std::size_t point) {
            offer(seenOf(panel, sight, point));
        });
    } else {
        std::for_each(panel.points.begin(), panel.points.end(), offer);
    }
    return best;
}

figures::Hit TurnedScatterBody::hitAt(const QPointF& position) const {
    figures::Hit hit;
    if (const LegendEntry* entry = m_legend.at(position)) {
        hit.readOut = entry->name + ": click to show or hide";
        return hit;
    }
    for (std::size_t p = 0; p < m_panels.size(); ++p) {
        const Panel& panel = m_panels[p];
        if (!toQt(panel.place.plot).contains(position)) {
            continue;
        }
        const std::optional<Seen> best = nearestTo(panel, position);
        if (!best) {
            return hit;
        }
        const ScatterPanel& data = dataOf(panel);
        const ScatterGroup& group = m_scatter.groups[data.group[best->point]];
        hit.panel = static_cast<int>(p);
        if (group.kind == ScatterGroup::Kind::Expert) {
            hit.expert = group.index;
        }
        const auto number = [](float value) {
            return formatValue(static_cast<double>(value)).toStdString();
        };
        hit.readOut = (data.title.empty() ? "" : data.title + ", ") +
                      pointName(m_scatter, data, best->point) + ": " + number(data.x[best->point]) +
                      ", " + number(data.y[best->point]) + ", " + number(data.z[best->point]);
    }
    return hit;
}

bool TurnedScatterBody::toggleAt(const QPointF& position) {
    const LegendEntry* entry = m_legend.at(position);
    if (entry == nullptr) {
        return false;
    }
    if (m_memory->hidden.erase(entry->name) == 0) {
        m_memory->hidden.insert(entry->name);
    }
    lookAgain();
    return true;
}

bool TurnedScatterBody::zoomAt(const QPointF& /*position*/, double factor) {
    m_memory->turned.enlarge(factor);
    lookAgain();
    return true;
}

bool TurnedScatterBody::drag(const QPointF& from, const QPointF& to) {
    const bool isOverPlot = std::any_of(m_panels.begin(), m_panels.end(), [&](const Panel& panel) {
        return toQt(panel.place.plot).contains(from);
    });
    if (!isOverPlot) {
        return false;
    }
    m_memory->turned.rotate((to.x() - from.x()) * -kPerPixel, (to.y() - from.y()) * kPerPixel);
    lookAgain();
    return true;
}

bool TurnedScatterBody::moveView(int dx, int dy) {
    m_memory->turned.rotate(-kPerKey * dx, kPerKey * dy);
    lookAgain();
    return true;
}

bool TurnedScatterBody::resetView() {
    m_memory->turned = {};
    lookAgain();
    return true;
}

}  // namespace moescope::widgets
