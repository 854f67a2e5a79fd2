// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/plots/bar_bodies.h"
#include "widgets/plots/plot_frame.h"
#include "widgets/support/colour_maps.h"
#include "widgets/support/format.h"

#include <qcustomplot.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace moescope::widgets {
namespace {

using figures::GroupedBarsFigure;
using figures::RankCountsPanel;

constexpr double kGroup = 0.84;            // of the distance between norm ranks
constexpr double kNarrowestPanel = 300.0;  // side by side above
constexpr double kAspect = 0.62;
constexpr double kTallestPanel = 260.0;
constexpr double kAxis = 60.0;  // about the height of title and axis
constexpr double kSwatch = 9.0;

QString legendTitle() {
    return QStringLiteral("score rank");
}

// Ranks are ordered, so their colours are a walk through the map, not categories.
QColor rankColour(int rank, int ranks, const Theme& theme) {
    const double position = ranks > 1 ? double(rank) / (ranks - 1) : 1.0;
    // The end that would vanish in the background is left out.
    return colourAt(figures::ColourMap::Viridis,
                    theme.isDark ? 0.2 + 0.8 * position : 0.04 + 0.88 * position);
}

QString summaryOf(const RankCountsPanel& panel) {
    QString text = QString::fromStdString(panel.title);
    if (panel.spearman && std::isfinite(*panel.spearman)) {
        text +=
            QStringLiteral(": %1 = %2").arg(QChar(0x03C1)).arg(signedNumber(*panel.spearman, 2));
    }
    if (panel.diagonalShare) {
        text += QStringLiteral(", diagonal %1").arg(formatPercent(*panel.diagonalShare));
    }
    if (panel.agreeingRanks) {
        text += QStringLiteral(", %1/%2 agree").arg(*panel.agreeingRanks).arg(panel.allRanks);
    }
    return text;
}

class RankCountsBody final : public FigureBody {
public:
    RankCountsBody(std::shared_ptr<const figures::Figure> figure, FigureStyle style,
                   std::shared_ptr<std::set<int>> hidden)
        : m_figure(std::move(figure)),
          m_bars(std::get<GroupedBarsFigure>(m_figure->body)),
          m_style(std::move(style)),
          m_hidden(std::move(hidden)) {}

    [[nodiscard]] double naturalHeight(double width) const override;
    void resize(const QSizeF& size) override;
    void paint(QPainter& painter) const override;
    [[nodiscard]] figures::Hit hitAt(const QPointF& position) const override;
    [[nodiscard]] std::vector<QRectF> outlines(const figures::Selection& selection) const override;
    bool toggleAt(const QPointF& position) override;

private:
    struct Bar {
        std::size_t panel;
        int score, norm;
    };
    [[nodiscard]] bool isStacked(double width) const;
    [[nodiscard]] std::vector<QRectF> legendRects(double width) const;
    [[nodiscard]] double legendHeight(double width) const {
        return legendRects(width).back().bottom() + 6.0;
    }
    [[nodiscard]] double legendHeight() const { return legendHeight(m_size.width()); }
    void rebuild();
    void addPanel(std::size_t index, QCPAxisRect* rect);
    [[nodiscard]] double barLeft(const RankCountsPanel& panel, int norm, int score) const;
    [[nodiscard]] static double barWidth(const RankCountsPanel& panel) {
        return kGroup / panel.ranks;
    }
    [[nodiscard]] std::optional<Bar> barAt(const QPointF& position) const;
    [[nodiscard]] std::optional<int> legendAt(const QPointF& position) const;
    void paintLegend(QPainter& painter) const;
    [[nodiscard]] int ranks() const { return m_bars.panels.front().ranks; }
    [[nodiscard]] int firstRank() const { return m_bars.panels.front().firstRank; }

    std::shared_ptr<const figures::Figure> m_figure;
    const GroupedBarsFigure& m_bars;
    FigureStyle m_style;
    std::shared_ptr<std::set<int>> m_hidden;
    QSizeF m_size;
    std::unique_ptr<PlotFrame> m_frame;
    std::vector<QCPAxisRect*> m_rects;  // owned by the frame's plot
};

bool RankCountsBody::isStacked(double width) const {
    return width / double(m_bars.panels.size()) < kNarrowestPanel + 30.0 * (ranks() / 8.0 - 1.0);
}

double RankCountsBody::naturalHeight(double width) const {
    const double columns = isStacked(width) ? 1.0 : double(m_bars.panels.size());
    const double rows = double(m_bars.panels.size()) / columns;
    const double panel = std::min(width / columns * kAspect, kTallestPanel) + m_style.lineHeight();
    return std::ceil(legendHeight(width) + rows * panel + (rows - 1.0) * 8.0);
}

void RankCountsBody::resize(const QSizeF& size) {
    m_size = size;
    rebuild();
}

void RankCountsBody::rebuild() {
    m_frame = std::make_unique<PlotFrame>(m_style);
    m_rects.clear();
    const bool stacked = isStacked(m_size.width());
    for (std::size_t i = 0; i < m_bars.panels.size(); ++i) {
        const auto at = static_cast<int>(i);
        auto* title =
            new QCPTextElement(&m_frame->plot(), summaryOf(m_bars.panels[i]), m_style.font);
        title->setTextColor(m_style.theme.text);
        title->setTextFlags(Qt::AlignLeft | Qt::AlignVCenter);
        m_frame->plot().plotLayout()->addElement(stacked ? at * 2 : 0, stacked ? 0 : at, title);
        m_rects.push_back(m_frame->addAxisRect(stacked ? at * 2 + 1 : 1, stacked ? 0 : at));
        addPanel(i, m_rects.back());
    }
    m_frame->record(QSizeF(m_size.width(), m_size.height() - legendHeight()));
}

double RankCountsBody::barLeft(const RankCountsPanel& panel, int norm, int score) const {
    return panel.firstRank + norm + 1 - kGroup / 2.0 + score * barWidth(panel);
}

void RankCountsBody::addPanel(std::size_t index, QCPAxisRect* rect) {
    const RankCountsPanel& panel = m_bars.panels[index];
    QCPAxis* x = rect->axis(QCPAxis::atBottom);
    QCPAxis* y = rect->axis(QCPAxis::atLeft);
    std::uint64_t most = 0;
    for (int score = 0; score < panel.ranks; ++score) {
        if (m_hidden->count(score) > 0) {
            continue;
        }
        auto* bars = new QCPBars(x, y);  // owned by the plot
        const double width = barWidth(panel);
        QVector<double> keys;
        QVector<double> values;
        for (int norm = 0; norm < panel.ranks; ++norm) {
            keys.push_back(barLeft(panel, norm, score) + width / 2.0);
            values.push_back(double(panel.count(score, norm)));
            most = std::max(most, panel.count(score, norm));
        }
        bars->setWidthType(QCPBars::wtPlotCoords);
        bars->setWidth(width * 0.92);
        bars->setPen(Qt::NoPen);
        bars->setBrush(rankColour(score, panel.ranks, m_style.theme));
        bars->setData(keys, values, true);
    }
    auto* line = new QCPGraph(x, y);
    const double from = panel.firstRank + 0.4;
    const double to = panel.firstRank + panel.ranks + 0.6;
    line->setData({from, to}, {panel.uniform, panel.uniform}, true);
    line->setPen(QPen(m_style.theme.text, 0.75, Qt::DashLine));
    x->setRange(from, to);
    const double top = std::max(double(most), panel.uniform) * 1.04;
    const double rows = isStacked(m_size.width()) ? double(m_bars.panels.size()) : 1.0;
    m_frame->setScale(y, top > 0.0 ? top : 1.0, (m_size.height() - legendHeight()) / rows - kAxis,
                      true);
    auto ticker = QSharedPointer<QCPAxisTickerFixed>::create();
    ticker->setTickStep(1.0);
    x->setTicker(ticker);
    x->setTickLength(0, 0);
    x->setLabel(index + 1 == m_bars.panels.size() || !isStacked(m_size.width())
                    ? QStringLiteral("norm rank")
                    : QString());
    y->setLabel(QStringLiteral("tokens"));
}

// Entries follow their heading as words do, in further lines where one is too narrow.
std::vector<QRectF> RankCountsBody::legendRects(double width) const {
    const QFontMetricsF metrics(m_style.font);
    const double height = m_style.lineHeight() + 2.0;
    const double step =
        kSwatch + 3.0 + metrics.horizontalAdvance(QString::number(firstRank() + ranks())) + 12.0;
    double x = metrics.horizontalAdvance(legendTitle()) + 8.0;
    double y = 0.0;
    std::vector<QRectF> rects;
    for (int rank = 0; rank < ranks(); ++rank) {
        if (x + step - 12.0 > width && !rects.empty()) {
            x = 0.0;
            y += height;
        }
        rects.emplace_back(x, y, step, height);
        x += step;
    }
    return rects;
}

void RankCountsBody::paintLegend(QPainter& painter) const {
    painter.setFont(m_style.font);
    painter.setPen(m_style.theme.secondaryText);
    const std::vector<QRectF> rects = legendRects(m_size.width());
    painter.drawText(QRectF(0, 0, m_size.width(), rects.front().height()),
                     Qt::AlignLeft | Qt::AlignVCenter, legendTitle());
    for (int rank = 0; rank < ranks(); ++rank) {
        const QRectF& rect = rects[static_cast<std::size_t>(rank)];
        const bool shown = m_hidden->count(rank) == 0;
        const QRectF swatch(rect.left(), rect.center().y() - kSwatch / 2.0, kSwatch, kSwatch);
        if (shown) {
            painter.fillRect(swatch, rankColour(rank, ranks(), m_style.theme));
        } else {
            painter.setPen(QPen(m_style.theme.axis, 0.75));
            painter.setBrush(Qt::NoBrush);
            painter.drawRect(swatch);
        }
        painter.setPen(shown ? m_style.theme.text : m_style.theme.secondaryText);
        painter.drawText(rect.adjusted(kSwatch + 3.0, 0, 0, 0), Qt::AlignLeft | Qt::AlignVCenter,
                         QString::number(firstRank() + rank + 1));
    }
}

void RankCountsBody::paint(QPainter& painter) const {
    paintLegend(painter);
    painter.save();
    painter.translate(0.0, legendHeight());
    m_frame->play(painter);
    painter.restore();
}

std::optional<RankCountsBody::Bar> RankCountsBody::barAt(const QPointF& position) const {
    const QPointF point(position.x(), position.y() - legendHeight());
    for (std::size_t i = 0; i < m_rects.size(); ++i) {
        if (!m_rects[i]->rect().contains(point.toPoint())) {
            continue;
        }
        const RankCountsPanel& panel = m_bars.panels[i];
        const double x = m_rects[i]->axis(QCPAxis::atBottom)->pixelToCoord(point.x());
        const int norm = static_cast<int>(std::lround(x)) - 1 - panel.firstRank;
        if (norm < 0 || norm >= panel.ranks) {
            return std::nullopt;
        }
        const double offset = (x - barLeft(panel, norm, 0)) / barWidth(panel);
        const int score = static_cast<int>(std::floor(offset));
        if (score < 0 || score >= panel.ranks || m_hidden->count(score) > 0) {
            return std::nullopt;
        }
        return Bar{i, score, norm};
    }
    return std::nullopt;
}

figures::Hit RankCountsBody::hitAt(const QPointF& position) const {
    figures::Hit hit;
    if (const auto rank = legendAt(position)) {
        hit.readOut =
            "score rank " + std::to_string(firstRank() + *rank + 1) + ": click to show or hide";
        return hit;
    }
    const auto bar = barAt(position);
    if (!bar) {
        return hit;
    }
    const RankCountsPanel& panel = m_bars.panels[bar->panel];
    const std::uint64_t count = panel.count(bar->score, bar->norm);
    hit.panel = static_cast<int>(bar->panel);
    hit.row = bar->score;
    hit.column = bar->norm;
    hit.layer = bar->panel == 0 ? m_figure->provenance.layer : std::nullopt;
    hit.readOut = QStringLiteral("%1, score rank %2, norm rank %3: %4 tokens (%5 at random)")
                      .arg(QString::fromStdString(panel.title))
                      .arg(panel.firstRank + bar->score + 1)
                      .arg(panel.firstRank + bar->norm + 1)
                      .arg(formatCount(count), formatValue(panel.uniform))
                      .toStdString();
    return hit;
}

std::vector<QRectF> RankCountsBody::outlines(const figures::Selection& selection) const {
    std::vector<QRectF> rects;
    if (!selection.pairRow || !selection.pairColumn) {
        return rects;
    }
    for (std::size_t i = 0; i < m_rects.size(); ++i) {
        const RankCountsPanel& panel = m_bars.panels[i];
        const int score = *selection.pairRow;
        const int norm = *selection.pairColumn;
        if (score < 0 || score >= panel.ranks || norm < 0 || norm >= panel.ranks) {
            continue;
        }
        const QCPAxis* x = m_rects[i]->axis(QCPAxis::atBottom);
        const QCPAxis* y = m_rects[i]->axis(QCPAxis::atLeft);
        const double left = x->coordToPixel(barLeft(panel, norm, score));
        const double right = x->coordToPixel(barLeft(panel, norm, score + 1));
        const double top = y->coordToPixel(double(panel.count(score, norm)));
        const double bottom = y->coordToPixel(0.0);
        rects.emplace_back(left, top + legendHeight(), right - left, bottom - top);
    }
    return rects;
}

std::optional<int> RankCountsBody::legendAt(const QPointF& position) const {
    const std::vector<QRectF> rects = legendRects(m_size.width());
    const auto found = std::find_if(rects.begin(), rects.end(),
                                    [&](const QRectF& rect) { return rect.contains(position); });
    return found == rects.end() ? std::nullopt
                                : std::optional(static_cast<int>(found - rects.begin()));
}

bool RankCountsBody::toggleAt(const QPointF& position) {
    const auto rank = legendAt(position);
    if (!rank) {
        return false;
    }
    if (m_hidden->erase(*rank) == 0) {
        m_hidden->insert(*rank);
    }
    rebuild();
    return true;
}

}  // namespace

std::unique_ptr<FigureBody> makeRankCountsBody(std::shared_ptr<const figures::Figure> figure,
                                               const FigureStyle& style,
                                               std::shared_ptr<std::set<int>> hidden) {
    return std::make_unique<RankCountsBody>(std::move(figure), style, std::move(hidden));
}

}  // namespace moescope::widgets
