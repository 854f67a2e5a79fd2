// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/canvas/bar_chart_body.h"

#include "widgets/support/format.h"

#include <QFontMetricsF>
#include <QPainter>

#include <algorithm>
#include <cmath>

namespace moescope::widgets {
namespace {

using figures::BarChartPanel;

constexpr double kPadding = 0.05;
constexpr double kLinesPerTick = 1.9;
constexpr double kGroup = 0.8;        // of a category's width is taken by its bars
constexpr double kLeastBar = 2.5;     // pixels; where there are more bars, a further row begins
constexpr double kWantedBar = 7.0;    // pixels, on paper
constexpr double kWidestBar = 26.0;   // pixels
constexpr double kBarWithEnds = 5.0;  // pixels from which on an interval has ends
constexpr double kBarWithMark = 2.4;  // and from which on a mark has room
constexpr double kMark = 3.0;
constexpr double kMarkGap = 3.5;
constexpr double kTick = 3.0;
constexpr double kLine = 0.67;
constexpr double kLabelGap = 5.0;
constexpr double kLowestStrip = 64.0;  // on paper
constexpr int kSeriesColours = 6;      // of the theme

bool isIn(const std::vector<std::vector<double>>& table, std::size_t series, std::size_t at) {
    return series < table.size() && std::isfinite(table[series][at]);
}

}  // namespace

BarChartBody::BarChartBody(std::shared_ptr<const figures::Figure> figure, FigureStyle style,
                           std::shared_ptr<ChartMemory> memory)
    : ChartBody(std::move(figure), std::move(style), std::move(memory)),
      m_chart(std::get<figures::BarChartFigure>(this->figure().body)) {
    setLegend(legendEntries());
}

QColor BarChartBody::colour(std::size_t series) const {
    const auto count = static_cast<int>(m_chart.series.size());
    if (m_chart.lastIsOfAll && series + 1 == m_chart.series.size() && count > 1) {
        return style().theme.axis;
    }
    return count <= kSeriesColours ? style().theme.seriesColour(static_cast<int>(series))
                                   : style().theme.expertColour(static_cast<int>(series), count);
}

std::vector<LegendEntry> BarChartBody::legendEntries() const {
    std::vector<LegendEntry> entries;
    for (std::size_t i = 0; i < m_chart.series.size() && m_chart.series.size() > 1; ++i) {
        entries.push_back({m_chart.series[i], colour(i), LegendEntry::Swatch::Fill});
    }
    if (!m_chart.referenceName.empty()) {
        entries.push_back({m_chart.referenceName, style().theme.text, LegendEntry::Swatch::Dash,
                           Mark::Circle, false});
    }
    return entries;
}

std::vector<std::size_t> BarChartBody::shown() const {
    std::vector<std::size_t> indices;
    for (std::size_t i = 0; i < m_chart.series.size(); ++i) {
        if (!isHidden(m_chart.series[i])) {
            indices.push_back(i);
        }
    }
    return indices;
}

BarChartBody::Limits BarChartBody::limits() const {
    Limits limits;
    const auto widen = [&](double value) {
        if (std::isfinite(value)) {
            limits.low = std::min(limits.low, value);
            limits.high = std::max(limits.high, value);
        }
    };
    for (const BarChartPanel& panel : m_chart.panels) {
        for (const std::size_t series : shown()) {
            for (const auto* table : {&panel.bars, &panel.low, &panel.high}) {
                if (series < table->size()) {
                    std::for_each((*table)[series].begin(), (*table)[series].end(), widen);
                }
            }
        }
        widen(panel.reference.value_or(0.0));
    }
    return limits;
}

double BarChartBody::categoryWidth(double bar) const {
    const auto bars = static_cast<double>(std::max<std::size_t>(shown().size(), 1));
    return bars * bar / kGroup;
}

// So many that bars stay wide enough to be told apart.
std::size_t BarChartBody::rowsPerPanel(double width) const {
    const double needed = categoryWidth(kLeastBar) * static_cast<double>(m_chart.categories.size());
    const double rows = std::ceil(needed / std::max(width, 1.0));
    return static_cast<std::size_t>(std::clamp(
        rows, 1.0, static_cast<double>(std::max<std::size_t>(m_chart.categories.size(), 1))));
}

std::vector<BarChartBody::Strip> BarChartBody::cut(std::size_t rows) const {
    const std::size_t count = m_chart.categories.size();
    const std::size_t each = (count + rows - 1) / rows;
    std::vector<Strip> strips;
    for (std::size_t panel = 0; panel < m_chart.panels.size(); ++panel) {
        for (std::size_t first = 0; first < count; first += each) {
            strips.push_back({panel, first, std::min(each, count - first)});
        }
    }
    return strips;
}

figures::ChartGridInput BarChartBody::gridInput(double width, double legendHeight,
                                                std::size_t rows) const {
    const double line = style().lineHeight();
    const Limits found = limits();
    figures::ChartGridInput in;
    in.width = width;
    in.groupSizes = {cut(rows).size()};
    in.top = legendHeight;
    const bool isTitled =
        std::any_of(m_chart.panels.begin(), m_chart.panels.end(),
                    [](const BarChartPanel& panel) { return !panel.title.empty(); });
    in.titleHeight = isTitled ? line + 1.0 : 0.0;
    in.left = widestTickOf(found.low, found.high, kPadding, kLinesPerTick * line, style());
    in.headingHeight = line + (isTitled ? 3.0 : 9.0);  // the highest number stands below it
    in.bottom = line + 4.0;
    in.bottomTitle = line;
    const auto categories = static_cast<double>(cut(rows).front().count);
    const double widest = std::max(width - in.left - in.right, 1.0);
    in.wanted = std::clamp(categories * categoryWidth(kWantedBar), 120.0, widest);
    in.narrowest = std::clamp(categories * categoryWidth(kLeastBar), 100.0, widest);
    in.aspect = rows > 1 ? std::max(0.16, kLowestStrip / widest) : 0.5;
    in.tallest = rows > 1 ? 110.0 : 190.0;
    return in;
}

double BarChartBody::naturalHeight(double width) const {
    if (m_chart.panels.empty() || m_chart.categories.empty()) {
        return 0.0;
    }
    ChartLegend entries = legend();
    const double top = entries.layout(width);
    const double left = gridInput(width, top, 1).left;
    return std::ceil(
        figures::layoutCharts(gridInput(width, top, rowsPerPanel(width - left))).height);
}

void BarChartBody::relayout() {
    m_strips.clear();
    if (m_chart.panels.empty() || m_chart.categories.empty()) {
        return;
    }
    const double top = legend().layout(size().width());
    const double line = style().lineHeight();
    std::size_t rows = rowsPerPanel(size().width() - gridInput(size().width(), top, 1).left);
    if (fixedHeight()) {  // a window has no room for any number of rows
        constexpr double kLowestRow = 70.0;
        const double room = (*fixedHeight() - top) / static_cast<double>(m_chart.panels.size());
        rows = std::clamp<std::size_t>(static_cast<std::size_t>(std::max(room, 0.0) / kLowestRow),
                                       1, rows);
    }
    figures::ChartGridInput in = gridInput(size().width(), top, rows);
    in.height = fixedHeight();
    m_strips = cut(rows);
    const Limits found = limits();
    const figures::ChartGrid grid = figures::layoutCharts(in);
    m_heading = toQt(grid.headings.front());
    for (const figures::ChartPanelPlace& place : grid.panels) {
        Strip& strip = m_strips[place.panel];
        strip.place = place;
        strip.axes.plot = toQt(place.plot);
        strip.axes.x.low = static_cast<double>(strip.first);
        // The last row keeps the width of the others' bars.
        strip.axes.x.high = static_cast<double>(strip.first + m_strips.front().count);
        strip.axes.x.ticks = {};
        const double margin = kPadding * (found.high - found.low);
        strip.axes.y = figures::makeAxis(found.low < 0.0 ? found.low - margin : 0.0,
                                         found.high > 0.0 ? found.high + margin : 0.0, 0.0,
                                         strip.axes.plot.height(), kLinesPerTick * line);
    }
}

std::vector<QRectF> BarChartBody::plots() const {
    std::vector<QRectF> rects;
    rects.reserve(m_strips.size());
    for (const Strip& strip : m_strips) {
        rects.push_back(strip.axes.plot);
    }
    return rects;
}

ChartBody::Zoom BarChartBody::zoomLimits() const {
    return {true, 1.0};
}

// Further rows do what zooming would.
bool BarChartBody::zoomAt(const QPointF& position, double factor) {
    Q_UNUSED(position);
    Q_UNUSED(factor);
    return false;
}

QRectF BarChartBody::barOf(const Strip& strip, std::size_t category, std::size_t place,
                           std::size_t places, double value) const {
    const PanelAxes& axes = strip.axes;
    const double pixels = axes.px(1.0) - axes.px(0.0);
    const double width = std::min(kGroup * pixels / static_cast<double>(places), kWidestBar);
    const double middle = axes.px(static_cast<double>(category) + 0.5);
    const double left =
        middle + (static_cast<double>(place) - static_cast<double>(places) / 2.0) * width;
    const double top = axes.py(std::max(value, 0.0));
    return {left, top, width, axes.py(std::min(value, 0.0)) - top};
}

void BarChartBody::paintBar(QPainter& painter, const Strip& strip, std::size_t category,
                            std::size_t series, const QRectF& bar) const {
    const BarChartPanel& panel = m_chart.panels[strip.panel];
    const double gap = bar.width() > kBarWithEnds ? 0.5 : 0.0;  // neighbours stay apart
    painter.setPen(Qt::NoPen);
    painter.setBrush(colour(series));
    painter.drawRect(bar.adjusted(gap, 0.0, -gap, 0.0));
    double top = bar.top();
    if (isIn(panel.low, series, category) && isIn(panel.high, series, category)) {
        const double low = strip.axes.py(panel.low[series][category]);
        const double high = strip.axes.py(panel.high[series][category]);
        const double x = bar.center().x();
        painter.setPen(QPen(style().theme.text, bar.width() > kBarWithEnds ? 0.75 : 0.5));
        painter.drawLine(QPointF(x, low), QPointF(x, high));
        if (bar.width() > kBarWithEnds) {
            const double half = std::min(bar.width() * 0.25, 3.0);
            painter.drawLine(QPointF(x - half, low), QPointF(x + half, low));
            painter.drawLine(QPointF(x - half, high), QPointF(x + half, high));
        }
        top = std::min(top, high);
    }
    if (series < panel.marks.size() && panel.marks[series][category] != 0 &&
        bar.width() > kBarWithMark) {
        painter.setPen(Qt::NoPen);
        painter.setBrush(style().theme.text);
        painter.drawEllipse(QPointF(bar.center().x(), top - kMarkGap), kMark / 2.0, kMark / 2.0);
    }
}

void BarChartBody::paintBars(QPainter& painter, const Strip& strip) const {
    const BarChartPanel& panel = m_chart.panels[strip.panel];
    const std::vector<std::size_t> series = shown();
    for (std::size_t category = strip.first; category < strip.first + strip.count; ++category) {
        for (std::size_t place = 0; place < series.size(); ++place) {
            const double value = panel.bars[series[place]][category];
            if (std::isfinite(value)) {
                paintBar(painter, strip, category, series[place],
                         barOf(strip, category, place, series.size(), value));
            }
        }
    }
}

// Names stand below the middle of their bars; those that would touch give way.
void BarChartBody::paintCategories(QPainter& painter, const Strip& strip) const {
    const PanelAxes& axes = strip.axes;
    const QFontMetricsF metrics(style().font);
    const double room = axes.px(1.0) - axes.px(0.0);
    double widest = 0.0;
    for (const std::string& name : m_chart.categories) {
        widest = std::max(widest, metrics.horizontalAdvance(QString::fromStdString(name)));
    }
    const auto step =
        static_cast<std::size_t>(std::max(1.0, std::ceil((widest + kLabelGap) / room)));
    painter.setFont(style().font);
    painter.setPen(style().theme.secondaryText);
    for (std::size_t category = strip.first; category < strip.first + strip.count; ++category) {
        if ((category - strip.first) % step == 0) {
            const double x = axes.px(static_cast<double>(category) + 0.5);
            painter.drawText(
                QRectF(x - 60.0, axes.plot.bottom() + kTick + 1.0, 120.0, metrics.height()),
                Qt::AlignHCenter | Qt::AlignTop,
                QString::fromStdString(m_chart.categories[category]));
        }
    }
}

void BarChartBody::paintStrip(QPainter& painter, const Strip& strip) const {
    const BarChartPanel& panel = m_chart.panels[strip.panel];
    const PanelAxes& axes = strip.axes;
    AxesLook look;
    look.yLabels = strip.place.hasYLabels;
    look.xTitle = strip.place.hasXTitle ? QString::fromStdString(m_chart.categoryTitle) : QString();
    paintAxes(painter, axes, look, style());
    paintBars(painter, strip);
    if (axes.y.low < 0.0) {
        painter.setPen(QPen(style().theme.axis, kLine));
        painter.drawLine(QPointF(axes.plot.left(), axes.py(0.0)),
                         QPointF(axes.plot.right(), axes.py(0.0)));
    }
    if (panel.reference) {
        const double y = axes.py(*panel.reference);
        painter.setPen(QPen(style().theme.text, 0.75, Qt::DashLine));
        painter.drawLine(QPointF(axes.plot.left(), y), QPointF(axes.plot.right(), y));
    }
    paintCategories(painter, strip);
    if (strip.first == 0) {
        painter.setFont(style().font);
        painter.setPen(style().theme.text);
        painter.drawText(toQt(strip.place.title), Qt::AlignLeft | Qt::AlignTop,
                         QString::fromStdString(panel.title));
    }
}

void BarChartBody::paint(QPainter& painter) const {
    legend().paint(painter, memory().hidden);
    painter.setFont(style().font);
    painter.setPen(style().theme.secondaryText);
    painter.drawText(m_heading, Qt::AlignLeft | Qt::AlignTop,
                     QString::fromStdString(m_chart.valueName));
    for (const Strip& strip : m_strips) {
        paintStrip(painter, strip);
    }
}

figures::Hit BarChartBody::hitOf(const Strip& strip, std::size_t category,
                                 std::optional<std::size_t> series) const {
    const BarChartPanel& panel = m_chart.panels[strip.panel];
    figures::Hit hit;
    hit.panel = static_cast<int>(strip.panel);
    hit.expert = static_cast<int>(category);
    hit.layer = panel.layer;
    QString text = panel.title.empty() ? QString()
                                       : QString::fromStdString(panel.title) + QStringLiteral(", ");
    text += QStringLiteral("%1 %2").arg(QString::fromStdString(m_chart.categoryTitle),
                                        QString::fromStdString(m_chart.categories[category]));
    if (series) {
        text += QStringLiteral(", %1: %2")
                    .arg(QString::fromStdString(m_chart.series[*series]),
                         formatValue(panel.bars[*series][category]));
        if (isIn(panel.low, *series, category)) {
            text += QStringLiteral(" (%1 to %2)")
                        .arg(formatValue(panel.low[*series][category]),
                             formatValue(panel.high[*series][category]));
        }
        if (*series < panel.marks.size() && panel.marks[*series][category] != 0) {
            text += QStringLiteral(", %1").arg(QString::fromStdString(m_chart.markName));
        }
    }
    if (panel.reference) {
        text += QStringLiteral("; %1 %2").arg(QString::fromStdString(m_chart.referenceName),
                                              formatValue(*panel.reference));
    }
    hit.readOut = text.toStdString();
    return hit;
}

figures::Hit BarChartBody::hitAt(const QPointF& position) const {
    figures::Hit hit;
    hit.readOut = legendReadOut(position);
    const auto at = plotAt(position);
    if (!at) {
        return hit;
    }
    const Strip& strip = m_strips[*at];
    const auto category = static_cast<std::size_t>(std::max(strip.axes.xAt(position.x()), 0.0));
    if (category < strip.first || category >= strip.first + strip.count) {
        return hit;
    }
    // The bar under the mouse, at whatever height; beside them only the expert.
    const std::vector<std::size_t> series = shown();
    for (std::size_t place = 0; place < series.size(); ++place) {
        const QRectF bar = barOf(strip, category, place, series.size(), 0.0);
        if (position.x() >= bar.left() && position.x() < bar.right()) {
            return hitOf(strip, category, series[place]);
        }
    }
    return hitOf(strip, category, series.size() == 1 ? std::optional(series[0]) : std::nullopt);
}

std::vector<QRectF> BarChartBody::outlines(const figures::Selection& selection) const {
    std::vector<QRectF> rects;
    for (const Strip& strip : m_strips) {
        const auto expert = static_cast<std::size_t>(std::max(selection.expert.value_or(0), 0));
        if (selection.expert && expert >= strip.first && expert < strip.first + strip.count) {
            const double left = strip.axes.px(static_cast<double>(expert));
            const double width = strip.axes.px(1.0) - strip.axes.px(0.0);
            rects.emplace_back(left, strip.axes.plot.top(), width, strip.axes.plot.height());
        }
    }
    return rects;
}

std::optional<figures::Hit> BarChartBody::step(const figures::Selection& from, int dx,
                                               int dy) const {
    if (m_strips.empty() || dx == 0 || dy != 0) {
        return std::nullopt;
    }
    const auto last = static_cast<int>(m_chart.categories.size()) - 1;
    const int expert = from.expert ? std::clamp(*from.expert + dx, 0, last) : 0;
    const auto holds = [&](const Strip& strip) {
        return static_cast<std::size_t>(expert) < strip.first + strip.count &&
               (!from.layer || !m_chart.panels[strip.panel].layer ||
                m_chart.panels[strip.panel].layer == from.layer);
    };
    const auto strip = std::find_if(m_strips.begin(), m_strips.end(), holds);
    return hitOf(strip == m_strips.end() ? m_strips.front() : *strip,
                 static_cast<std::size_t>(expert),
                 m_chart.series.size() == 1 ? std::optional<std::size_t>(0) : std::nullopt);
}

}  // namespace moescope::widgets
