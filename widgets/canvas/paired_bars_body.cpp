// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/canvas/paired_bars_body.h"

#include "widgets/support/format.h"

#include <QFontMetricsF>
#include <QPainter>

#include <algorithm>
#include <cmath>

namespace moescope::widgets {
namespace {

using figures::PairedBarsPanel;

constexpr double kNarrowestPair = 12.0;  // pixels for two bars side by side
constexpr double kBars = 0.76;           // of the distance between experts
constexpr double kMirroredBar = 0.8;
constexpr double kHeadroom = 1.06;
constexpr double kLinesPerTick = 1.9;
constexpr float kBandOpacity = 0.16F;
constexpr double kNarrowestBand = 3.0;

double mostOf(const std::vector<float>& values) {
    double most = 0.0;
    for (const float value : values) {
        most = std::isfinite(value) ? std::max(most, static_cast<double>(value)) : most;
    }
    return most;
}

QColor bandColour(const Theme& theme) {
    QColor colour = theme.accent;
    colour.setAlphaF(kBandOpacity);
    return colour;
}

}  // namespace

PairedBarsBody::PairedBarsBody(std::shared_ptr<const figures::Figure> figure, FigureStyle style,
                               std::shared_ptr<ChartMemory> memory)
    : ChartBody(std::move(figure), std::move(style), std::move(memory)),
      m_bars(std::get<figures::PairedBarsFigure>(this->figure().body)) {
    bool anyChosen = false;
    for (const PairedBarsPanel& panel : m_bars.panels) {
        m_mostNorm = std::max(m_mostNorm, mostOf(panel.norms));
        m_mostScore = std::max(m_mostScore, mostOf(panel.scores));
        anyChosen = anyChosen || !panel.chosen.empty();
    }
    const Theme& theme = this->style().theme;
    using Swatch = LegendEntry::Swatch;
    std::vector<LegendEntry> entries{
        {"output norm", theme.barPrimary, Swatch::Fill, Mark::Square, false},
        {"router score", theme.barSecondary, Swatch::Fill, Mark::Square, false}};
    if (anyChosen) {
        entries.push_back({"chosen", bandColour(theme), Swatch::Fill, Mark::Square, false});
    }
    setLegend(std::move(entries));
}

bool PairedBarsBody::isMirrored(double width) const {
    return m_bars.panels.size() > 1 ||
           (width - 80.0) / static_cast<double>(std::max<std::size_t>(experts(), 1)) <
               kNarrowestPair;
}

figures::NumericAxis PairedBarsBody::valueAxis(bool ofNorms, double length) const {
    const double most = ofNorms ? m_mostNorm : m_mostScore;
    return figures::makeAxis(0.0, most > 0.0 ? most * kHeadroom : 1.0, 0.0, length,
                             kLinesPerTick * style().lineHeight());
}

figures::ChartGridInput PairedBarsBody::gridInput(double width, double legendHeight) const {
    const double line = style().lineHeight();
    const bool mirrored = isMirrored(width);
    figures::ChartGridInput in;
    in.width = width;
    in.groupSizes = {m_bars.panels.size()};
    in.top = legendHeight;
    in.titleHeight = m_bars.panels.size() > 1 ? line + 1.0 : 0.0;
    const double norms = widestTick(valueAxis(true, 100.0), style());
    const double scores = widestTick(valueAxis(false, 100.0), style());
    in.left = line + 4.0 + (mirrored ? std::max(norms, scores) : norms);
    in.right = mirrored ? 0.0 : line + 4.0 + scores;
    in.bottom = line + 4.0;
    in.bottomTitle = line;
    in.wanted = std::max(150.0, 3.0 * static_cast<double>(experts()));
    in.narrowest = 90.0;
    in.aspect = m_bars.panels.size() > 1 ? 0.8 : 0.5;
    in.tallest = m_bars.panels.size() > 1 ? 170.0 : 240.0;
    return in;
}

double PairedBarsBody::naturalHeight(double width) const {
    ChartLegend entries = legend();
    return std::ceil(figures::layoutCharts(gridInput(width, entries.layout(width))).height);
}

std::vector<QRectF> PairedBarsBody::plots() const {
    std::vector<QRectF> rects;
    for (const Panel& panel : m_panels) {
        rects.push_back(toQt(panel.place.plot));
    }
    return rects;
}

ChartBody::Zoom PairedBarsBody::zoomLimits() const {
    return {true, std::min(1.0, 4.0 / static_cast<double>(experts() + 1))};
}

void PairedBarsBody::relayout() {
    figures::ChartGridInput in = gridInput(size().width(), legend().layout(size().width()));
    in.height = fixedHeight();
    m_mirrored = isMirrored(size().width());
    m_panels.clear();
    for (const figures::ChartPanelPlace& place : figures::layoutCharts(in).panels) {
        Panel panel{place, {}, {}};
        setAxes(panel);
        m_panels.push_back(std::move(panel));
    }
}

void PairedBarsBody::setAxes(Panel& panel) const {
    const QRectF plot = toQt(panel.place.plot);
    panel.norms.plot = panel.scores.plot = plot;
    if (m_mirrored) {
        const double half = plot.height() / 2.0;
        panel.norms.plot.setHeight(half);
        panel.scores.plot = QRectF(plot.left(), plot.top() + half, plot.width(), half);
    }
    panel.norms.y = valueAxis(true, panel.norms.plot.height());
    panel.scores.y = valueAxis(false, panel.scores.plot.height());
    if (m_mirrored) {  // downwards: the axis runs from its high end up to 0
        std::swap(panel.scores.y.low, panel.scores.y.high);
    }
    figures::NumericAxis x;
    x.low = -0.6;
    x.high = static_cast<double>(experts()) - 0.4;
    x = zoomed(x, window().left, window().right, plot.width(), 40.0, true);
    panel.norms.x = panel.scores.x = x;
}

QRectF PairedBarsBody::slotOf(const Panel& panel, int expert) {
    const QRectF plot = toQt(panel.place.plot);
    const double left = panel.norms.px(expert - 0.5);
    const double right = panel.norms.px(expert + 0.5);
    const double missing = std::max(kNarrowestBand - (right - left), 0.0) / 2.0;
    return {left - missing, plot.top(), right - left + 2.0 * missing, plot.height()};
}

void PairedBarsBody::paintChosen(QPainter& painter, const Panel& panel) const {
    painter.setPen(Qt::NoPen);
    painter.setBrush(bandColour(style().theme));
    for (const int expert : m_bars.panels[panel.place.panel].chosen) {
        painter.drawRect(slotOf(panel, expert));
    }
}

void PairedBarsBody::paintBars(QPainter& painter, const Panel& panel) const {
    const PairedBarsPanel& data = m_bars.panels[panel.place.panel];
    const auto bar = [&](const PanelAxes& axes, std::size_t expert, float value, double from,
                         double to, const QColor& colour) {
        if (std::isfinite(value)) {
            const auto x = static_cast<double>(expert);
            const double left = axes.px(x + from);
            const double width = std::max(axes.px(x + to) - left, 0.8);
            const double base = axes.py(0.0);
            const double end = axes.py(static_cast<double>(value));
            painter.fillRect(QRectF(left, std::min(base, end), width, std::abs(base - end)),
                             colour);
        }
    };
    const double half = (m_mirrored ? kMirroredBar : kBars) / 2.0;
    for (std::size_t e = 0; e < experts(); ++e) {
        bar(panel.norms, e, data.norms[e], -half, m_mirrored ? half : 0.0,
            style().theme.barPrimary);
        bar(panel.scores, e, data.scores[e], m_mirrored ? -half : 0.0, half,
            style().theme.barSecondary);
    }
}

// Numbers of chosen experts in any case; others where they have room beside them.
void PairedBarsBody::paintExperts(QPainter& painter, const Panel& panel) const {
    const QFontMetricsF metrics(style().font);
    const QRectF plot = toQt(panel.place.plot);
    std::vector<std::pair<double, double>> taken;
    const auto put = [&](std::size_t expert, const QColor& colour) {
        const QString text = QString::fromStdString(m_bars.labels[expert]);
        const double x = panel.norms.px(static_cast<double>(expert));
        const double half = metrics.horizontalAdvance(text) / 2.0 + 2.0;
        const bool isFree = std::none_of(taken.begin(), taken.end(), [&](const auto& other) {
            return x - half < other.second && x + half > other.first;
        });
        if (x < plot.left() || x > plot.right() || !isFree) {
            return;
        }
        taken.emplace_back(x - half, x + half);
        painter.setPen(colour);
        painter.drawText(QRectF(x - half, plot.bottom() + 3.0, 2.0 * half, metrics.height()),
                         Qt::AlignHCenter | Qt::AlignTop, text);
    };
    for (const int expert : m_bars.panels[panel.place.panel].chosen) {
        put(static_cast<std::size_t>(expert), style().theme.text);
    }
    const double step = plot.width() / (panel.norms.x.high - panel.norms.x.low);
    const std::size_t every = figures::thinning(
        experts(), step,
        metrics.horizontalAdvance(QString::fromStdString(m_bars.labels.back())) + 6.0);
    for (std::size_t e = 0; every > 0 && e < experts(); e += every) {
        put(e, style().theme.secondaryText);
    }
    if (panel.place.hasXTitle) {
        painter.setPen(style().theme.text);
        painter.drawText(QRectF(plot.left(), plot.bottom() + 3.0 + metrics.height(), plot.width(),
                                metrics.height()),
                         Qt::AlignHCenter | Qt::AlignTop, QStringLiteral("expert"));
    }
}

void PairedBarsBody::paintValueAxes(QPainter& painter, const Panel& panel) const {
    AxesLook look;
    look.xLabels = false;
    look.yLabels = panel.place.hasYLabels;
    PanelAxes norms = panel.norms;
    norms.x.ticks = {};
    const double labels = std::max(widestTick(norms.y, style()),
                                   m_mirrored ? widestTick(panel.scores.y, style()) : 0.0);
    look.yTitleOffset = labels + 4.0;
    const QFontMetricsF metrics(style().font);
    const bool isLow =
        metrics.horizontalAdvance(QStringLiteral("output norm")) > panel.norms.plot.height() - 4.0;
    look.yTitle = !look.yLabels         ? QString()
                  : m_mirrored && isLow ? QStringLiteral("norm")
                                        : QStringLiteral("output norm");
    paintAxes(painter, norms, look, style());
    PanelAxes scores = panel.scores;
    scores.x.ticks = {};
    if (m_mirrored) {
        scores.y.ticks.values.erase(
            std::remove(scores.y.ticks.values.begin(), scores.y.ticks.values.end(), 0.0),
            scores.y.ticks.values.end());  // the norms' 0 stands there
        look.yTitle = !look.yLabels ? QString()
                      : isLow       ? QStringLiteral("score")
                                    : QStringLiteral("router score");
        paintAxes(painter, scores, look, style());
        return;
    }
    paintRightAxis(painter, scores, QStringLiteral("router score"), style());
}

void PairedBarsBody::paintPanel(QPainter& painter, const Panel& panel) const {
    const PairedBarsPanel& data = m_bars.panels[panel.place.panel];
    paintValueAxes(painter, panel);
    painter.save();
    if (!window().isWhole()) {
        painter.setClipRect(toQt(panel.place.plot));
    }
    painter.setRenderHint(QPainter::Antialiasing);
    paintChosen(painter, panel);
    paintBars(painter, panel);
    painter.restore();
    painter.setFont(style().font);
    paintExperts(painter, panel);
    if (m_bars.panels.size() > 1) {
        const QRectF area = toQt(panel.place.title);
        painter.setPen(style().theme.text);
        painter.drawText(
            area, Qt::AlignLeft | Qt::AlignTop,
            QFontMetricsF(style().font)
                .elidedText(QString::fromStdString(data.title), Qt::ElideMiddle, area.width()));
    }
}

void PairedBarsBody::paint(QPainter& painter) const {
    legend().paint(painter, {});
    for (const Panel& panel : m_panels) {
        paintPanel(painter, panel);
    }
}

figures::Hit PairedBarsBody::hitAt(const QPointF& position) const {
    figures::Hit hit;
    const auto at = plotAt(position);
    if (!at) {
        return hit;
    }
    const Panel& panel = m_panels[*at];
    const auto expert = std::lround(panel.norms.xAt(position.x()));
    if (expert < 0 || static_cast<std::size_t>(expert) >= experts()) {
        return hit;
    }
    const auto index = static_cast<std::size_t>(expert);
    const PairedBarsPanel& data = m_bars.panels[panel.place.panel];
    hit.panel = static_cast<int>(*at);
    if (data.tokens == 0) {
        hit.token = data.token;
    }
    hit.expert = static_cast<int>(expert);
    hit.layer = figure().provenance.layer;
    QString text = m_bars.panels.size() > 1
                       ? QString::fromStdString(data.title) + QStringLiteral(", ")
                       : QString();
    text += QStringLiteral("expert %1: norm %2, score %3")
                .arg(QString::fromStdString(m_bars.labels[index]),
                     formatValue(static_cast<double>(data.norms[index])),
                     formatValue(static_cast<double>(data.scores[index])));
    const auto choice = std::find(data.chosen.begin(), data.chosen.end(), int(expert));
    if (choice != data.chosen.end()) {
        text += QStringLiteral(", choice %1").arg(choice - data.chosen.begin() + 1);
    }
    hit.readOut = text.toStdString();
    return hit;
}

std::vector<QRectF> PairedBarsBody::outlines(const figures::Selection& selection) const {
    std::vector<QRectF> rects;
    if (!selection.expert || *selection.expert < 0 ||
        static_cast<std::size_t>(*selection.expert) >= experts()) {
        return rects;
    }
    for (const Panel& panel : m_panels) {
        const QRectF slot = slotOf(panel, *selection.expert) & toQt(panel.place.plot);
        if (!slot.isEmpty()) {
            rects.push_back(slot);
        }
    }
    return rects;
}

}  // namespace moescope::widgets
