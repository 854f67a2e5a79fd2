// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/canvas/neuron_map_body.h"

#include "core/figures/peaks.h"
#include "widgets/canvas/colour_bar.h"
#include "widgets/support/colour_maps.h"
#include "widgets/support/format.h"

#include <QFontMetricsF>
#include <QPainter>

#include <algorithm>
#include <cmath>

namespace moescope::widgets {
namespace {

using figures::NeuronMapPanel;

constexpr double kTallestRow = 30.0;
constexpr double kLowestRow = 1.0;
constexpr double kPaperRow = 14.0;
constexpr double kTallestMap = 330.0;  // on paper
constexpr double kBarWidth = 10.0;
constexpr double kShareBar = 34.0;
constexpr double kGap = 6.0;
constexpr double kPanelGap = 8.0;
constexpr double kLowestBar = 60.0;
constexpr double kFewestNeurons = 8.0;

QString shareHeading(double threshold) {
    return QStringLiteral("|v| > %1").arg(threshold);
}

}  // namespace

NeuronMapBody::NeuronMapBody(std::shared_ptr<const figures::Figure> figure, FigureStyle style,
                             std::shared_ptr<ChartMemory> memory)
    : ChartBody(std::move(figure), std::move(style), std::move(memory)),
      m_maps(std::get<figures::NeuronMapFigure>(this->figure().body)) {}

std::size_t NeuronMapBody::allRows() const {
    std::size_t rows = 0;
    for (const NeuronMapPanel& panel : m_maps.panels) {
        rows += panel.values.rows;
    }
    return rows;
}

NeuronMapBody::Columns NeuronMapBody::columnsFor(double width) const {
    const QFontMetricsF metrics(style().font);
    Columns columns;
    for (const NeuronMapPanel& panel : m_maps.panels) {
        for (const std::string& label : panel.rowLabels) {
            columns.left =
                std::max(columns.left, metrics.horizontalAdvance(QString::fromStdString(label)));
        }
    }
    columns.left += kGap;
    columns.share =
        std::max(metrics.horizontalAdvance(shareHeading(m_maps.threshold)),
                 kShareBar + 3.0 + metrics.horizontalAdvance(QStringLiteral("100.0 %")));
    columns.bar = kBarWidth + 12.0 + metrics.horizontalAdvance(QStringLiteral("\u22120.00")) +
                  metrics.height() + 4.0;
    columns.map = std::max(width - columns.left - columns.share - columns.bar - 3.0 * kGap, 40.0);
    return columns;
}

double NeuronMapBody::rowOnPaper() const {
    std::size_t most = 1;
    for (const NeuronMapPanel& panel : m_maps.panels) {
        most = std::max(most, panel.values.rows);
    }
    return std::clamp(std::floor(kTallestMap / static_cast<double>(most)), 2.0, kPaperRow);
}

double NeuronMapBody::heightFor(double row) const {
    const double line = style().lineHeight();
    const auto panels = static_cast<double>(m_maps.panels.size());
    return static_cast<double>(allRows()) * row + panels * (2.0 * line + 6.0) +
           (panels - 1.0) * kPanelGap + line;
}

double NeuronMapBody::naturalHeight(double /*width*/) const {
    return std::ceil(std::max(heightFor(rowOnPaper()), kLowestBar + 3.0 * style().lineHeight()));
}

std::vector<QRectF> NeuronMapBody::plots() const {
    std::vector<QRectF> rects;
    for (const Panel& panel : m_panels) {
        rects.push_back(panel.map);
    }
    return rects;
}

ChartBody::Zoom NeuronMapBody::zoomLimits() const {
    std::size_t most = 1;
    for (const NeuronMapPanel& panel : m_maps.panels) {
        most = std::max(most, panel.values.columns);
    }
    return {true, std::min(1.0, kFewestNeurons / static_cast<double>(most))};
}

std::pair<double, double> NeuronMapBody::shownNeurons(const NeuronMapPanel& data) const {
    const auto neurons = static_cast<double>(data.values.columns);
    return {window().left * neurons, window().right * neurons};
}

void NeuronMapBody::relayout() {
    m_panels.clear();
    double row = rowOnPaper();
    if (fixedHeight()) {
        const double rows = static_cast<double>(std::max<std::size_t>(allRows(), 1));
        row = std::clamp((*fixedHeight() - heightFor(0.0)) / rows, kLowestRow, kTallestRow);
    }
    const Columns columns = columnsFor(size().width());
    const double line = style().lineHeight();
    double top = 0.0;
    for (const NeuronMapPanel& data : m_maps.panels) {
        Panel panel;
        panel.row = row;
        panel.title = QRectF(columns.left, top, columns.map, line);
        panel.map = QRectF(columns.left, top + line + 2.0, columns.map,
                           row * static_cast<double>(data.values.rows));
        panel.share =
            QRectF(panel.map.right() + kGap, panel.map.top(), columns.share, panel.map.height());
        panel.image = imageOf(data, panel.map);
        top = panel.map.bottom() + line + 4.0 + kPanelGap;
        m_panels.push_back(std::move(panel));
    }
    if (!m_panels.empty()) {
        const QRectF& first = m_panels.front().map;
        const double height = std::max(first.height(), kLowestBar);
        m_bar = QRectF(first.right() + columns.share + 3.0 * kGap, first.top(), kBarWidth, height);
    }
}

QImage NeuronMapBody::imageOf(const NeuronMapPanel& data, const QRectF& map) const {
    const auto width =
        std::max(1, static_cast<int>(std::lround(map.width() * style().deviceScale)));
    QImage image(width, std::max(1, static_cast<int>(data.values.rows)), QImage::Format_RGB32);
    image.fill(style().theme.missing);
    const auto [first, last] = shownNeurons(data);
    const figures::ColourScale& scale = m_maps.bar.scale;
    for (std::size_t row = 0; row < data.values.rows; ++row) {
        const std::span<const float> values(data.values.values.data() + row * data.values.columns,
                                            data.values.columns);
        const std::vector<float> peaks =
            figures::peaksOf(values, first, last, static_cast<std::size_t>(width));
        auto* line = reinterpret_cast<QRgb*>(image.scanLine(static_cast<int>(row)));
        for (std::size_t x = 0; x < peaks.size(); ++x) {
            if (std::isfinite(peaks[x])) {
                line[x] = colourOn(style().theme.isDark, scale.map,
                                   scale.position(static_cast<double>(peaks[x])))
                              .rgb();
            }
        }
    }
    return image;
}

void NeuronMapBody::paintRows(QPainter& painter, std::size_t index) const {
    const NeuronMapPanel& data = m_maps.panels[index];
    const Panel& panel = m_panels[index];
    const double line = style().lineHeight();
    const std::size_t every = figures::thinning(data.values.rows, panel.row, line * 0.95);
    const auto isChosen = [&](std::size_t row) {
        return std::find(data.chosen.begin(), data.chosen.end(), static_cast<int>(row)) !=
               data.chosen.end();
    };
    std::vector<double> taken;
    const auto put = [&](std::size_t row, const QColor& colour) {
        const double middle = panel.map.top() + (static_cast<double>(row) + 0.5) * panel.row;
        const bool isFree = std::all_of(taken.begin(), taken.end(), [&](double other) {
            return std::abs(other - middle) >= line * 0.9;
        });
        if (isFree) {
            taken.push_back(middle);
            painter.setPen(colour);
            painter.drawText(QRectF(0.0, middle - line / 2.0, panel.map.left() - kGap, line),
                             Qt::AlignRight | Qt::AlignVCenter,
                             QString::fromStdString(data.rowLabels[row]));
        }
    };
    for (std::size_t row = 0; row < data.values.rows; ++row) {
        if (isChosen(row)) {
            put(row, style().theme.text);
            painter.fillRect(
                QRectF(panel.map.left() - 4.0,
                       panel.map.top() + static_cast<double>(row) * panel.row, 3.0, panel.row),
                style().theme.accent);
        }
    }
    for (std::size_t row = 0; every > 0 && row < data.values.rows; row += every) {
        put(row, style().theme.secondaryText);
    }
    for (std::size_t row = data.values.rows; row-- > 0 && every > 1;) {
        // F and S are named in any case.
        const bool isNumber = !data.rowLabels[row].empty() &&
                              std::isdigit(static_cast<unsigned char>(data.rowLabels[row][0])) != 0;
        if (isNumber) {
            break;
        }
        put(row, style().theme.text);
    }
}

void NeuronMapBody::paintShares(QPainter& painter, std::size_t index) const {
    const NeuronMapPanel& data = m_maps.panels[index];
    const Panel& panel = m_panels[index];
    const double line = style().lineHeight();
    painter.setPen(style().theme.secondaryText);
    painter.drawText(QRectF(panel.share.left(), panel.title.top(), panel.share.width() + 4.0, line),
                     Qt::AlignLeft | Qt::AlignTop, shareHeading(m_maps.threshold));
    const bool hasText = panel.row >= line * 0.8;
    const double room = hasText ? kShareBar : panel.share.width();
    for (std::size_t row = 0; row < data.shareAbove.size(); ++row) {
        const auto share = static_cast<double>(data.shareAbove[row]);
        const double top = panel.map.top() + static_cast<double>(row) * panel.row;
        if (!std::isfinite(share)) {
            continue;
        }
        const double height = std::max(std::min(panel.row * 0.6, 9.0), 0.8);
        painter.fillRect(QRectF(panel.share.left(), top + (panel.row - height) / 2.0, room, height),
                         style().theme.grid);
        painter.fillRect(
            QRectF(panel.share.left(), top + (panel.row - height) / 2.0, room * share, height),
            style().theme.barPrimary);
        if (hasText) {
            painter.setPen(style().theme.text);
            painter.drawText(QRectF(panel.share.left() + kShareBar + 3.0,
                                    top + (panel.row - line) / 2.0, 80.0, line),
                             Qt::AlignLeft | Qt::AlignVCenter, formatPercent(share));
        }
    }
}

void NeuronMapBody::paintNeuronAxis(QPainter& painter, std::size_t index) const {
    const NeuronMapPanel& data = m_maps.panels[index];
    const Panel& panel = m_panels[index];
    const auto [first, last] = shownNeurons(data);
    const QFontMetricsF metrics(style().font);
    const double label = metrics.horizontalAdvance(QString::number(data.values.columns)) + 16.0;
    const double lastNeuron = std::max(std::ceil(last) - 1.0, std::floor(first));
    const figures::NumericAxis axis =
        figures::makeIndexAxis(std::floor(first), lastNeuron, panel.map.width(), label);
    for (const double neuron : axis.ticks.values) {
        // The middle of the neuron's column.
        const double x =
            panel.map.left() + (neuron + 0.5 - first) / (last - first) * panel.map.width();
        if (x < panel.map.left() || x > panel.map.right()) {
            continue;
        }
        const QString text = QString::number(neuron, 'f', 0);
        const double half = metrics.horizontalAdvance(text) / 2.0 + 1.0;
        painter.setPen(QPen(style().theme.axis, 0.67));
        painter.drawLine(QPointF(x, panel.map.bottom()), QPointF(x, panel.map.bottom() + 3.0));
        painter.setPen(style().theme.secondaryText);
        painter.drawText(QRectF(x - half, panel.map.bottom() + 3.0, 2.0 * half, metrics.height()),
                         Qt::AlignHCenter | Qt::AlignTop, text);
    }
    if (index + 1 == m_panels.size()) {
        painter.setPen(style().theme.text);
        painter.drawText(QRectF(panel.map.left(), panel.map.bottom() + 2.0 + metrics.height(),
                                panel.map.width(), metrics.height()),
                         Qt::AlignHCenter | Qt::AlignTop, QStringLiteral("neuron"));
    }
}

void NeuronMapBody::paintPanel(QPainter& painter, std::size_t index) const {
    const NeuronMapPanel& data = m_maps.panels[index];
    const Panel& panel = m_panels[index];
    painter.save();
    painter.setRenderHint(QPainter::SmoothPixmapTransform, false);
    painter.drawImage(panel.map, panel.image);
    painter.setFont(style().font);
    painter.setPen(style().theme.text);
    painter.drawText(
        panel.title, Qt::AlignLeft | Qt::AlignTop,
        QFontMetricsF(style().font)
            .elidedText(QString::fromStdString(data.title), Qt::ElideMiddle, panel.title.width()));
    paintRows(painter, index);
    paintShares(painter, index);
    paintNeuronAxis(painter, index);
    painter.restore();
}

void NeuronMapBody::paint(QPainter& painter) const {
    for (std::size_t i = 0; i < m_panels.size(); ++i) {
        paintPanel(painter, i);
    }
    if (!m_panels.empty()) {
        paintColourBar(painter, m_bar, m_maps.bar, style());
    }
}

std::string NeuronMapBody::readOut(std::size_t panel, std::size_t row, double neuron,
                                   double perPixel) const {
    const NeuronMapPanel& data = m_maps.panels[panel];
    const std::size_t columns = data.values.columns;
    const auto begin = std::min(static_cast<std::size_t>(neuron), columns - 1);
    const auto end = std::clamp(static_cast<std::size_t>(neuron + perPixel), begin + 1, columns);
    const figures::Peak peak =
        figures::peakOf(std::span(data.values.values).subspan(row * columns + begin, end - begin));
    const std::string& label = data.rowLabels[row];
    const bool isExpert = !label.empty() && std::isdigit(static_cast<unsigned char>(label[0])) != 0;
    QString text = QString::fromStdString((isExpert ? "expert " : "") + label);
    const QString value = formatValue(static_cast<double>(peak.value));
    text += end - begin == 1 ? QStringLiteral(", neuron %1: %2").arg(begin).arg(value)
                             : QStringLiteral(", neurons %1 to %2: largest %3 (neuron %4)")
                                   .arg(begin)
                                   .arg(end - 1)
                                   .arg(value)
                                   .arg(begin + peak.index);
    if (row < data.shareAbove.size()) {
        text += QStringLiteral("; %1 of its neurons above %2, mean |v| %3")
                    .arg(formatPercent(static_cast<double>(data.shareAbove[row])))
                    .arg(m_maps.threshold)
                    .arg(formatValue(static_cast<double>(data.meanAbsolute[row])));
    }
    return text.toStdString();
}

figures::Hit NeuronMapBody::hitAt(const QPointF& position) const {
    figures::Hit hit;
    for (std::size_t i = 0; i < m_panels.size(); ++i) {
        const Panel& panel = m_panels[i];
        const NeuronMapPanel& data = m_maps.panels[i];
        if (!panel.map.contains(position) || data.values.columns == 0) {
            continue;
        }
        const auto row = static_cast<std::size_t>((position.y() - panel.map.top()) / panel.row);
        if (row >= data.values.rows) {
            continue;
        }
        const auto [first, last] = shownNeurons(data);
        const double perPixel = (last - first) / panel.map.width();
        hit.panel = static_cast<int>(i);
        const std::string& label = data.rowLabels[row];
        if (!label.empty() && std::isdigit(static_cast<unsigned char>(label[0])) != 0) {
            hit.expert = static_cast<int>(row);
        }
        hit.readOut =
            readOut(i, row, first + (position.x() - panel.map.left()) * perPixel, perPixel);
    }
    return hit;
}

std::vector<QRectF> NeuronMapBody::outlines(const figures::Selection& selection) const {
    std::vector<QRectF> rects;
    for (std::size_t i = 0; selection.expert && i < m_panels.size(); ++i) {
        const auto row = static_cast<std::size_t>(std::max(*selection.expert, 0));
        const Panel& panel = m_panels[i];
        const NeuronMapPanel& data = m_maps.panels[i];
        if (row < data.values.rows && data.rowLabels[row] == std::to_string(*selection.expert)) {
            rects.emplace_back(panel.map.left(),
                               panel.map.top() + static_cast<double>(row) * panel.row,
                               panel.map.width(), panel.row);
        }
    }
    return rects;
}

}  // namespace moescope::widgets
