// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/canvas/histogram_body.h"

#include "widgets/support/format.h"

#include <QFontMetricsF>
#include <QPainter>

#include <algorithm>
#include <cmath>

namespace moescope::widgets {
namespace {

using figures::HistogramPanel;

constexpr double kHeadroom = 1.08;
constexpr double kLinesPerTick = 1.9;
constexpr double kBar = 0.9;  // of a bin's width
constexpr double kTick = 3.0;
constexpr double kLine = 0.67;
constexpr double kLabelGap = 5.0;

QString edgeText(double edge) {
    return QString::number(edge, 'g', 4);
}

/// Where a value lies among bins that are drawn equally wide: within its own in proportion.
double placeOf(double value, const std::vector<double>& edges) {
    const auto above = std::upper_bound(edges.begin(), edges.end(), value);
    const auto bin = static_cast<double>(above - edges.begin());
    if (above == edges.begin() || above == edges.end()) {
        return bin + 0.5;  // a bin without another edge
    }
    const double low = *std::prev(above);
    return bin + (value - low) / (*above - low);
}

QString rangeText(const HistogramPanel& panel, std::size_t bin) {
    if (bin == 0) {
        return QStringLiteral("below %1").arg(edgeText(panel.edges.front()));
    }
    return bin == panel.edges.size()
               ? QStringLiteral("%1 and more").arg(edgeText(panel.edges.back()))
               : QStringLiteral("%1 to %2")
                     .arg(edgeText(panel.edges[bin - 1]), edgeText(panel.edges[bin]));
}

}  // namespace

HistogramBody::HistogramBody(std::shared_ptr<const figures::Figure> figure, FigureStyle style)
    : BodyOf(std::move(figure), std::move(style)) {
    for (const HistogramPanel& panel : data().panels) {
        for (const double share : panel.shares) {
            m_most = std::isfinite(share) ? std::max(m_most, share) : m_most;
        }
    }
}

figures::NumericAxis HistogramBody::shareAxis(double length) const {
    return figures::makeAxis(0.0, m_most > 0.0 ? m_most * kHeadroom : 1.0, 0.0, length,
                             kLinesPerTick * style().lineHeight());
}

figures::ChartGridInput HistogramBody::gridInput(double width) const {
    const double line = style().lineHeight();
    figures::ChartGridInput in;
    in.width = width;
    in.groupSizes = {data().panels.size()};
    in.left = widestTick(shareAxis(100.0), style()) + line + 4.0;
    in.bottom = 2.0 * line + 4.0;  // every panel has a title of its own
    in.top = 4.0;
    in.wanted = 190.0;
    in.narrowest = 130.0;
    in.aspect = 0.7;
    in.tallest = 200.0;
    return in;
}

double HistogramBody::naturalHeight(double width) const {
    return std::ceil(figures::layoutCharts(gridInput(width)).height);
}

void HistogramBody::resize(const QSizeF& size) {
    figures::ChartGridInput in = gridInput(size.width());
    if (std::abs(naturalHeight(size.width()) - size.height()) > 0.5) {
        in.height = size.height();
    }
    m_panels.clear();
    for (const figures::ChartPanelPlace& place : figures::layoutCharts(in).panels) {
        Panel panel{place, {}};
        panel.axes.plot = toQt(place.plot);
        panel.axes.x.low = 0.0;
        panel.axes.x.high = static_cast<double>(data().panels[place.panel].shares.size());
        panel.axes.x.ticks = {};
        panel.axes.y = shareAxis(panel.axes.plot.height());
        m_panels.push_back(std::move(panel));
    }
}

void HistogramBody::paintBars(QPainter& painter, std::size_t index) const {
    const PanelAxes& axes = m_panels[index].axes;
    const HistogramPanel& histogram = data().panels[m_panels[index].place.panel];
    painter.setPen(Qt::NoPen);
    painter.setBrush(style().theme.barPrimary);
    for (std::size_t bin = 0; bin < histogram.shares.size(); ++bin) {
        if (histogram.shares[bin] > 0.0) {
            const double left = static_cast<double>(bin) + (1.0 - kBar) / 2.0;
            painter.drawRect(
                QRectF(axes.point(left, histogram.shares[bin]), axes.point(left + kBar, 0.0)));
        }
    }
}

// Numbers stand below the edges between bars; those that would touch give way.
void HistogramBody::paintEdges(QPainter& painter, std::size_t index) const {
    const PanelAxes& axes = m_panels[index].axes;
    const HistogramPanel& histogram = data().panels[m_panels[index].place.panel];
    const QFontMetricsF metrics(style().font);
    painter.setFont(style().font);
    const auto room = [&](std::size_t step) {
        double end = -1e9;
        for (std::size_t i = 0; i < histogram.edges.size(); i += step) {
            const double half = metrics.horizontalAdvance(edgeText(histogram.edges[i])) / 2.0;
            const double x = axes.px(static_cast<double>(i + 1));
            if (x - half < end + kLabelGap) {
                return false;
            }
            end = x + half;
        }
        return true;
    };
    std::size_t step = 1;
    while (step < histogram.edges.size() && !room(step)) {
        ++step;
    }
    for (std::size_t i = 0; i < histogram.edges.size(); ++i) {
        const double x = axes.px(static_cast<double>(i + 1));
        painter.setPen(QPen(style().theme.axis, kLine));
        painter.drawLine(QPointF(x, axes.plot.bottom()), QPointF(x, axes.plot.bottom() + kTick));
        if (i % step == 0) {
            painter.setPen(style().theme.secondaryText);
            painter.drawText(
                QRectF(x - 60.0, axes.plot.bottom() + kTick + 1.0, 120.0, metrics.height()),
                Qt::AlignHCenter | Qt::AlignTop, edgeText(histogram.edges[i]));
        }
    }
}

void HistogramBody::paintMedian(QPainter& painter, std::size_t index) const {
    const PanelAxes& axes = m_panels[index].axes;
    const HistogramPanel& histogram = data().panels[m_panels[index].place.panel];
    if (!std::isfinite(histogram.median)) {
        return;
    }
    const double x = axes.px(placeOf(histogram.median, histogram.edges));
    painter.setPen(QPen(style().theme.text, 0.75, Qt::DashLine));
    painter.drawLine(QPointF(x, axes.plot.top()), QPointF(x, axes.plot.bottom()));
    const QString text = QStringLiteral("median %1").arg(formatValue(histogram.median, 3));
    const double width = QFontMetricsF(style().font).horizontalAdvance(text);
    const bool isRight = x + 4.0 + width <= axes.plot.right();
    painter.setPen(style().theme.text);
    painter.drawText(QRectF(isRight ? x + 4.0 : x - 4.0 - width, axes.plot.top() - 2.0, width + 1.0,
                            style().lineHeight()),
                     Qt::AlignLeft | Qt::AlignTop, text);
}

void HistogramBody::paint(QPainter& painter) const {
    for (std::size_t i = 0; i < m_panels.size(); ++i) {
        const Panel& panel = m_panels[i];
        AxesLook look;
        look.yLabels = panel.place.hasYLabels;
        look.xTitle = QString::fromStdString(data().panels[panel.place.panel].valueName);
        look.yTitle = panel.place.hasYLabels ? QString::fromStdString(data().shareName) : QString();
        look.yTitleOffset = widestTick(panel.axes.y, style()) + 2.0;
        paintAxes(painter, panel.axes, look, style());
        paintBars(painter, i);
        paintEdges(painter, i);
        paintMedian(painter, i);
    }
}

figures::Hit HistogramBody::hitAt(const QPointF& position) const {
    figures::Hit hit;
    for (std::size_t i = 0; i < m_panels.size(); ++i) {
        const PanelAxes& axes = m_panels[i].axes;
        const HistogramPanel& histogram = data().panels[m_panels[i].place.panel];
        if (!axes.plot.contains(position)) {
            continue;
        }
        const auto bin =
            std::min(static_cast<std::size_t>(axes.xAt(position.x())), histogram.shares.size() - 1);
        hit.panel = static_cast<int>(i);
        hit.readOut =
            QStringLiteral("%1 %2: %3, median %4")
                .arg(QString::fromStdString(histogram.valueName), rangeText(histogram, bin),
                     formatPercent(histogram.shares[bin]), formatValue(histogram.median, 3))
                .toStdString();
    }
    return hit;
}

}  // namespace moescope::widgets
