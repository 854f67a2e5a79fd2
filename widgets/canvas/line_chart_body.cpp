// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/canvas/line_chart_body.h"

#include "widgets/support/colour_maps.h"
#include "widgets/support/format.h"

#include <QFontMetricsF>
#include <QPainter>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace moescope::widgets {
namespace {

using figures::LineChartGroup;
using figures::LineChartPanel;
using figures::LineChartPoint;

constexpr double kPadding = 0.06;
constexpr double kMarkSize = 4.5;
constexpr double kPointSize = 9.0;
constexpr double kPointReach = 7.0;    // of the mouse, in pixels
constexpr double kNearestMarks = 5.0;  // pixels between marks that are drawn
constexpr float kBandOpacity = 0.18F;
constexpr double kLinesPerTick = 1.9;
constexpr double kTickRoom = 10.0;
constexpr double kOrderedRangeOnDark = 0.65;  // the other end is
constexpr double kOrderedRange = 0.88;        // of the colour map: its light end is lost on white
constexpr std::size_t kMostOrdered = 9;       // entries of a legend whose colours run
constexpr std::size_t kLinesToRead = 3;       // in the order of the legend
constexpr double kTallPlot = 1000.0;          // where an axis shows all the ticks that it can have

/// Single values are larger and in no line's colour.
constexpr std::array kPointMarks{Mark::Star, Mark::Diamond, Mark::Square, Mark::Triangle};
Mark pointMark(std::size_t name) {
    return kPointMarks[name % kPointMarks.size()];
}

/// Runs of positions at which all values are there.
template <typename Has, typename Visit>
void forEachRun(std::size_t count, Has has, Visit visit) {
    for (std::size_t begin = 0; begin < count;) {
        if (!has(begin)) {
            ++begin;
            continue;
        }
        std::size_t end = begin;
        while (end < count && has(end)) {
            ++end;
        }
        visit(begin, end);
        begin = end;
    }
}

}  // namespace

LineChartBody::LineChartBody(std::shared_ptr<const figures::Figure> figure, FigureStyle style,
                             std::shared_ptr<ChartMemory> memory)
    : ChartBody(std::move(figure), std::move(style), std::move(memory)),
      m_chart(std::get<figures::LineChartFigure>(this->figure().body)) {
    setLegend(legendEntries());
}

const LineChartPanel& LineChartBody::dataOf(const Panel& panel) const {
    return m_chart.groups[panel.place.group].panels[panel.place.panel];
}

QColor LineChartBody::lineColour(std::size_t line) const {
    if (m_chart.linesAreOrdered) {
        const auto last = static_cast<double>(std::max<std::size_t>(m_chart.lines.size(), 2) - 1);
        const double range = style().theme.isDark ? kOrderedRangeOnDark : kOrderedRange;
        const double along = range * static_cast<double>(line) / last;
        // From the end of the map that stands out, so that the last lines stay visible too.
        return colourAt(figures::ColourMap::Viridis, style().theme.isDark ? 1.0 - along : along);
    }
    return style().theme.seriesColour(static_cast<int>(line));
}

Mark LineChartBody::lineMark(std::size_t line) const {
    return m_chart.linesAreOrdered ? Mark::Circle : markOf(line);
}

QColor LineChartBody::pointColour(std::size_t name) const {
    const Theme& theme = style().theme;
    const std::array colours{theme.text, theme.accent, theme.secondaryText};
    return colours[(name / kPointMarks.size()) % colours.size()];
}

std::vector<LegendEntry> LineChartBody::legendEntries() const {
    std::vector<LegendEntry> entries;
    const std::size_t count = m_chart.lines.size();
    // Colours between those of neighbours need no entry of their own.
    const std::size_t step = m_chart.linesAreOrdered && count > kMostOrdered
                                 ? (count + kMostOrdered - 2) / kMostOrdered
                                 : 1;
    for (std::size_t i = 0; i < count; ++i) {
        const bool isNearEnd = i + 1 < count && i + step / 2 + 1 > count - 1;
        if ((i % step == 0 && !isNearEnd) || i + 1 == count) {
            entries.push_back(
                {m_chart.lines[i], lineColour(i), LegendEntry::Swatch::Line, lineMark(i), true});
        }
    }
    if (!m_chart.band.empty()) {
        QColor colour = lineColour(0);
        colour.setAlphaF(kBandOpacity);
        entries.push_back({m_chart.band, colour, LegendEntry::Swatch::Band});
    }
    for (std::size_t i = 0; i < m_chart.points.size(); ++i) {
        entries.push_back(
            {m_chart.points[i], pointColour(i), LegendEntry::Swatch::Point, pointMark(i), true});
    }
    return entries;
}

std::pair<double, double> LineChartBody::limitsOf(const LineChartGroup& group) const {
    double low = std::numeric_limits<double>::infinity();
    double high = -low;
    const auto widen = [&](const std::vector<double>& values) {
        for (const double value : values) {
            if (std::isfinite(value)) {
                low = std::min(low, value);
                high = std::max(high, value);
            }
        }
    };
    for (const LineChartPanel& panel : group.panels) {
        for (std::size_t i = 0; i < panel.lines.size(); ++i) {
            if (!isHidden(m_chart.lines[i])) {
                widen(panel.lines[i]);
                if (!panel.lineLow.empty()) {
                    widen(panel.lineLow[i]);
                    widen(panel.lineHigh[i]);
                }
            }
        }
        if (!isHidden(m_chart.band)) {
            widen(panel.low);
            widen(panel.high);
        }
        for (const LineChartPoint& point : panel.points) {
            if (!isHidden(m_chart.points[point.name])) {
                widen({point.y});
            }
        }
    }
    // The value of unrelated things belongs into the picture unless it would squash the rest.
    if (group.reference && low <= high) {
        const double span = std::max(high - low, 1e-9);
        if (*group.reference > low - 0.4 * span && *group.reference < high + 0.4 * span) {
            low = std::min(low, *group.reference);
            high = std::max(high, *group.reference);
        }
    }
    return {low, high};
}

bool LineChartBody::showsReference(const LineChartGroup& group) const {
    const auto [low, high] = limitsOf(group);
    return group.reference && low <= *group.reference && *group.reference <= high;
}

figures::ChartGridInput LineChartBody::gridInput(double width, double legendHeight) const {
    figures::ChartGridInput in;
    in.width = width;
    for (const LineChartGroup& group : m_chart.groups) {
        in.groupSizes.push_back(group.panels.size());
    }
    const double line = style().lineHeight();
    in.top = legendHeight;
    in.headingHeight = line + 3.0;
    const bool titled =
        std::any_of(m_chart.groups.begin(), m_chart.groups.end(), [](const LineChartGroup& group) {
            return std::any_of(group.panels.begin(), group.panels.end(),
                               [](const LineChartPanel& panel) { return !panel.title.empty(); });
        });
    in.titleHeight = titled ? line + 1.0 : 0.0;
    in.bottom = line + 4.0;
    in.bottomTitle = line;
    for (const LineChartGroup& group : m_chart.groups) {
        const auto [low, high] = limitsOf(group);
        const double widest =
            m_chart.logarithmic
                ? widestTick(figures::makeLogAxis(low, high, kPadding, kTallPlot, 1.0), style())
                : widestTickOf(low, high, kPadding, kLinesPerTick * line, style());
        in.left = std::max(in.left, widest);
    }
    return in;
}

double LineChartBody::naturalHeight(double width) const {
    ChartLegend entries = legend();
    return std::ceil(figures::layoutCharts(gridInput(width, entries.layout(width))).height);
}

std::vector<QRectF> LineChartBody::plots() const {
    std::vector<QRectF> rects;
    for (const Panel& panel : m_panels) {
        rects.push_back(panel.axes.plot);
    }
    return rects;
}

ChartBody::Zoom LineChartBody::zoomLimits() const {
    return {true, std::min(1.0, 4.0 / static_cast<double>(m_chart.positions.size() + 1))};
}

void LineChartBody::relayout() {
    figures::ChartGridInput in = gridInput(size().width(), legend().layout(size().width()));
    in.height = fixedHeight();
    figures::ChartGrid grid = figures::layoutCharts(in);
    m_panels.clear();
    m_headings.clear();
    for (const figures::Rect& heading : grid.headings) {
        m_headings.push_back(toQt(heading));
    }
    for (const figures::ChartPanelPlace& place : grid.panels) {
        Panel panel{place, {}};
        setAxes(panel);
        m_panels.push_back(std::move(panel));
    }
}

void LineChartBody::setAxes(Panel& panel) const {
    const LineChartGroup& group = m_chart.groups[panel.place.group];
    const auto [low, high] = limitsOf(group);
    const double line = style().lineHeight();
    PanelAxes& axes = panel.axes;
    axes.plot = toQt(panel.place.plot);
    const double perTick = kLinesPerTick * line;
    axes.y = m_chart.logarithmic
                 ? figures::makeLogAxis(low, high, kPadding, axes.plot.height(), perTick)
                 : figures::makeAxis(low, high, kPadding, axes.plot.height(), perTick);
    double first = m_chart.positions.empty() ? 0.0 : m_chart.positions.front();
    double last = m_chart.positions.empty() ? 1.0 : m_chart.positions.back();
    for (const LineChartPoint& point : dataOf(panel).points) {
        first = std::min(first, point.x);
        last = std::max(last, point.x);
    }
    const QFontMetricsF metrics(style().font);
    const double label = metrics.horizontalAdvance(QString::number(last, 'f', 0)) + kTickRoom;
    axes.x = m_chart.logarithmic
                 ? figures::makeLogAxis(first, last, kPadding, axes.plot.width(), label)
                 : figures::makeIndexAxis(first, last, axes.plot.width(), label);
    axes.x = zoomed(axes.x, window().left, window().right, axes.plot.width(), label, true);
}

void LineChartBody::paintBand(QPainter& painter, const Panel& panel) const {
    const LineChartPanel& data = dataOf(panel);
    QColor colour = lineColour(0);
    colour.setAlphaF(kBandOpacity);
    painter.setPen(Qt::NoPen);
    painter.setBrush(colour);
    const auto has = [&](std::size_t i) {
        return std::isfinite(data.low[i]) && std::isfinite(data.high[i]);
    };
    forEachRun(data.low.size(), has, [&](std::size_t begin, std::size_t end) {
        QPolygonF outline;
        for (std::size_t i = begin; i < end; ++i) {
            outline << panel.axes.point(m_chart.positions[i], data.high[i]);
        }
        for (std::size_t i = end; i-- > begin;) {
            outline << panel.axes.point(m_chart.positions[i], data.low[i]);
        }
        if (end - begin == 1) {  // a lone layer has no area
            const QPointF top = outline.first();
            outline = QRectF(top - QPointF(2.0, 0.0), outline.last() + QPointF(2.0, 0.0));
        }
        painter.drawPolygon(outline);
    });
}

// An upright bar with short ends through the mark.
void LineChartBody::paintIntervals(QPainter& painter, const Panel& panel, std::size_t line) const {
    const LineChartPanel& data = dataOf(panel);
    if (data.lineLow.empty()) {
        return;
    }
    painter.setPen(QPen(lineColour(line), 0.9));
    for (std::size_t i = 0; i < m_chart.positions.size(); ++i) {
        const double low = data.lineLow[line][i];
        const double high = data.lineHigh[line][i];
        if (std::isfinite(low) && std::isfinite(high)) {
            const QPointF bottom = panel.axes.point(m_chart.positions[i], low);
            const QPointF top = panel.axes.point(m_chart.positions[i], high);
            const QPointF end(kMarkSize / 2.0, 0.0);
            painter.drawLine(bottom, top);
            painter.drawLine(bottom - end, bottom + end);
            painter.drawLine(top - end, top + end);
        }
    }
}

namespace {

/// The least distance between neighbours; positions ascend.
double closest(const std::vector<double>& positions) {
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t i = 1; i < positions.size(); ++i) {
        least = std::min(least, positions[i] - positions[i - 1]);
    }
    return least;
}

}  // namespace

void LineChartBody::paintLine(QPainter& painter, const Panel& panel, std::size_t line) const {
    const std::vector<double>& values = dataOf(panel).lines[line];
    const QColor colour = lineColour(line);
    const auto has = [&](std::size_t i) { return std::isfinite(values[i]); };
    // Where positions are logarithmic they are few.
    const double step = m_chart.logarithmic ? kNearestMarks
                                            : closest(m_chart.positions) * panel.axes.plot.width() /
                                                  (panel.axes.x.high - panel.axes.x.low);
    forEachRun(values.size(), has, [&](std::size_t begin, std::size_t end) {
        QPolygonF path;
        for (std::size_t i = begin; i < end; ++i) {
            path << panel.axes.point(m_chart.positions[i], values[i]);
        }
        painter.setBrush(Qt::NoBrush);
        painter.setPen(QPen(colour, 1.25, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
        painter.drawPolyline(path);
        if (step >= kNearestMarks || end - begin == 1) {
            painter.setPen(Qt::NoPen);
            painter.setBrush(colour);
            for (const QPointF& point : path) {
                paintMark(painter, lineMark(line), point, kMarkSize);
            }
        }
    });
}

// Ringed, so that each stands out where it lies on a line.
void LineChartBody::paintPoints(QPainter& painter, const Panel& panel) const {
    for (const LineChartPoint& point : dataOf(panel).points) {
        if (isHidden(m_chart.points[point.name]) || !std::isfinite(point.y)) {
            continue;
        }
        painter.setPen(QPen(style().theme.background, 1.0));
        painter.setBrush(pointColour(point.name));
        paintMark(painter, pointMark(point.name), panel.axes.point(point.x, point.y), kPointSize);
    }
}

const LineChartPoint* LineChartBody::pointAt(const Panel& panel, const QPointF& position) const {
    const LineChartPoint* nearest = nullptr;
    double least = kPointReach;
    for (const LineChartPoint& point : dataOf(panel).points) {
        if (isHidden(m_chart.points[point.name]) || !std::isfinite(point.y)) {
            continue;
        }
        const QPointF away = panel.axes.point(point.x, point.y) - position;
        const double distance = std::hypot(away.x(), away.y());
        if (distance <= least) {
            least = distance;
            nearest = &point;
        }
    }
    return nearest;
}

void LineChartBody::paintPanel(QPainter& painter, const Panel& panel) const {
    const LineChartGroup& group = m_chart.groups[panel.place.group];
    const LineChartPanel& data = dataOf(panel);
    AxesLook look;
    look.yLabels = panel.place.hasYLabels;
    look.xTitle = panel.place.hasXTitle ? QString::fromStdString(m_chart.positionTitle) : QString();
    paintAxes(painter, panel.axes, look, style());
    painter.save();
    if (!window().isWhole()) {
        painter.setClipRect(panel.axes.plot.adjusted(-1, -1, 1, 1));
    }
    if (!isHidden(m_chart.band) && !data.low.empty()) {
        paintBand(painter, panel);
    }
    if (showsReference(group)) {
        const double y = panel.axes.py(*group.reference);
        painter.setPen(QPen(style().theme.text, 0.75, Qt::DashLine));
        painter.drawLine(QPointF(panel.axes.plot.left(), y), QPointF(panel.axes.plot.right(), y));
    }
    // The first line lies on top.
    for (std::size_t line = data.lines.size(); line-- > 0;) {
        if (!isHidden(m_chart.lines[line])) {
            paintIntervals(painter, panel, line);
            paintLine(painter, panel, line);
        }
    }
    paintPoints(painter, panel);
    painter.restore();
    painter.setFont(style().font);
    painter.setPen(style().theme.text);
    painter.drawText(toQt(panel.place.title), Qt::AlignLeft | Qt::AlignTop,
                     QString::fromStdString(data.title));
}

void LineChartBody::paint(QPainter& painter) const {
    legend().paint(painter, memory().hidden);
    const QFontMetricsF metrics(style().font);
    for (std::size_t i = 0; i < m_headings.size(); ++i) {
        const LineChartGroup& group = m_chart.groups[i];
        const QString title = QString::fromStdString(group.title);
        const QString whole =
            title + QStringLiteral(": ") + QString::fromStdString(group.valueName);
        painter.setFont(style().font);
        painter.setPen(style().theme.secondaryText);
        const bool fits = metrics.horizontalAdvance(whole) <= m_headings[i].width();
        painter.drawText(m_headings[i], Qt::AlignLeft | Qt::AlignTop, fits ? whole : title);
    }
    for (const Panel& panel : m_panels) {
        paintPanel(painter, panel);
    }
}

// Of many lines the one that is meant.
std::optional<std::size_t> LineChartBody::nearestLine(const Panel& panel, std::size_t at,
                                                      double y) const {
    std::optional<std::size_t> nearest;
    double least = std::numeric_limits<double>::infinity();
    const auto& lines = dataOf(panel).lines;
    for (std::size_t line = 0; line < lines.size(); ++line) {
        const double distance = std::abs(panel.axes.py(lines[line][at]) - y);  // NaN is not less
        if (!isHidden(m_chart.lines[line]) && distance < least) {
            least = distance;
            nearest = line;
        }
    }
    return nearest;
}

QString LineChartBody::lineText(const LineChartPanel& data, std::size_t line,
                                std::size_t at) const {
    QString text = QStringLiteral("%1 %2").arg(QString::fromStdString(m_chart.lines[line]),
                                               formatValue(data.lines[line][at]));
    if (!data.lineLow.empty() && std::isfinite(data.lineLow[line][at])) {
        text += QStringLiteral(" (%1 to %2)")
                    .arg(formatValue(data.lineLow[line][at]), formatValue(data.lineHigh[line][at]));
    }
    return text;
}

// The line that is meant comes first, since a read-out may be too long for the window; of lines
// whose colours run, alone.
std::string LineChartBody::readOut(const Panel& panel, std::size_t at,
                                   std::optional<std::size_t> meant) const {
    const LineChartGroup& group = m_chart.groups[panel.place.group];
    const LineChartPanel& data = dataOf(panel);
    QString text = QString::fromStdString(
        group.title + (data.title.empty() ? "" : ", " + data.title) + ", " + m_chart.positionTitle);
    text += m_chart.positionNames.empty()
                ? QStringLiteral(" %1: ").arg(m_chart.positions[at])
                : QStringLiteral(" %1 (%2): ")
                      .arg(m_chart.positions[at])
                      .arg(QString::fromStdString(m_chart.positionNames[at]));
    QStringList parts;
    if (meant) {
        parts << lineText(data, *meant, at);
    }
    for (std::size_t line = 0; line < data.lines.size() && !m_chart.linesAreOrdered; ++line) {
        if (std::isfinite(data.lines[line][at]) && meant != line) {
            parts << lineText(data, line, at);
        }
    }
    if (!data.low.empty() && std::isfinite(data.low[at])) {
        parts << QStringLiteral("%1 %2 to %3")
                     .arg(QString::fromStdString(m_chart.band), formatValue(data.low[at]),
                          formatValue(data.high[at]));
    }
    text += parts.isEmpty() ? QStringLiteral("nothing there") : parts.join(QStringLiteral(", "));
    return text.toStdString();
}

std::string LineChartBody::readOut(const Panel& panel, const LineChartPoint& at) const {
    const LineChartGroup& group = m_chart.groups[panel.place.group];
    QString text = QStringLiteral("%1, %2 %3: %4 %5")
                       .arg(QString::fromStdString(m_chart.points[at.name]),
                            QString::fromStdString(m_chart.positionTitle), formatValue(at.x),
                            QString::fromStdString(group.valueName), formatValue(at.y));
    if (!at.note.empty()) {
        text += QStringLiteral(" (%1)").arg(QString::fromStdString(at.note));
    }
    return text.toStdString();
}

figures::Hit LineChartBody::hitAt(const QPointF& position) const {
    figures::Hit hit;
    hit.readOut = legendReadOut(position);
    const auto at = plotAt(position);
    if (!at || m_chart.positions.empty()) {
        return hit;
    }
    const Panel& panel = m_panels[*at];
    if (const LineChartPoint* point = pointAt(panel, position)) {
        hit.panel = static_cast<int>(*at);
        hit.readOut = readOut(panel, *point);
        return hit;
    }
    const double x = panel.axes.xAt(position.x());
    const auto nearest = std::min_element(
        m_chart.positions.begin(), m_chart.positions.end(), [&](double a, double b) {
            const double width = panel.axes.plot.width();
            const double here = panel.axes.x.position(x, width);
            return std::abs(panel.axes.x.position(a, width) - here) <
                   std::abs(panel.axes.x.position(b, width) - here);
        });
    hit.panel = static_cast<int>(*at);
    if (m_chart.positionsAreLayers) {
        hit.layer = LayerId{static_cast<int>(*nearest)};
    }
    const auto place = static_cast<std::size_t>(nearest - m_chart.positions.begin());
    hit.readOut =
        readOut(panel, place,
                m_chart.linesAreOrdered ? nearestLine(panel, place, position.y()) : std::nullopt);
    return hit;
}

std::vector<QRectF> LineChartBody::outlines(const figures::Selection& selection) const {
    std::vector<QRectF> rects;
    if (!selection.layer || !m_chart.positionsAreLayers) {
        return rects;
    }
    for (const Panel& panel : m_panels) {
        const double x = panel.axes.px(selection.layer->value);
        if (x >= panel.axes.plot.left() && x <= panel.axes.plot.right()) {
            const double step = panel.axes.plot.width() / (panel.axes.x.high - panel.axes.x.low);
            const double half = std::clamp(step / 2.0, 1.5, 5.0);
            rects.emplace_back(x - half, panel.axes.plot.top(), 2.0 * half,
                               panel.axes.plot.height());
        }
    }
    return rects;
}

}  // namespace moescope::widgets
