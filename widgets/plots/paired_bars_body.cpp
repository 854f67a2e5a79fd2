// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/geometry.h"
#include "widgets/plots/bar_bodies.h"
#include "widgets/plots/plot_frame.h"
#include "widgets/support/format.h"

#include <qcustomplot.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace moescope::widgets {
namespace {

using figures::PairedBarsFigure;

constexpr double kBar = 0.38;  // of the distance between experts
constexpr double kAspect = 0.5;
constexpr double kTallest = 280.0;
constexpr double kAxis = 40.0;  // about the height of the axis below

class PairedBarsBody final : public FigureBody {
public:
    PairedBarsBody(std::shared_ptr<const figures::Figure> figure, FigureStyle style)
        : m_figure(std::move(figure)),
          m_bars(std::get<PairedBarsFigure>(m_figure->body)),
          m_style(std::move(style)) {}

    [[nodiscard]] double naturalHeight(double width) const override {
        return std::ceil(std::min(width * kAspect, kTallest) + legendHeight());
    }
    void resize(const QSizeF& size) override;
    void paint(QPainter& painter) const override;
    [[nodiscard]] figures::Hit hitAt(const QPointF& position) const override;
    [[nodiscard]] std::vector<QRectF> outlines(const figures::Selection& selection) const override;

private:
    [[nodiscard]] double legendHeight() const { return m_style.lineHeight() + 8.0; }
    void addBars(QCPAxis* x, QCPAxis* y, const std::vector<float>& values, double offset,
                 const QColor& colour);
    void markChosen(QCPAxisRect* rect);
    void setTicks(QCPAxis* x, double width);
    [[nodiscard]] QString tickText(std::size_t expert) const;

    std::shared_ptr<const figures::Figure> m_figure;
    const PairedBarsFigure& m_bars;
    FigureStyle m_style;
    QSizeF m_size;
    std::unique_ptr<PlotFrame> m_frame;
    QCPAxisRect* m_rect = nullptr;  // owned by the frame's plot
};

void PairedBarsBody::addBars(QCPAxis* x, QCPAxis* y, const std::vector<float>& values,
                             double offset, const QColor& colour) {
    auto* bars = new QCPBars(x, y);  // owned by the plot
    QVector<double> keys;
    QVector<double> heights;
    double most = 0.0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const auto value = static_cast<double>(values[i]);
        if (std::isfinite(value)) {
            keys.push_back(double(i) + offset);
            heights.push_back(value);
            most = std::max(most, value);
        }
    }
    bars->setWidthType(QCPBars::wtPlotCoords);
    bars->setWidth(kBar);
    bars->setPen(Qt::NoPen);
    bars->setBrush(colour);
    bars->setData(keys, heights, true);
    m_frame->setScale(y, most > 0.0 ? most * 1.06 : 1.0, m_size.height() - legendHeight() - kAxis,
                      false);
}

// A band behind the chosen experts, strongest for the first choice.
void PairedBarsBody::markChosen(QCPAxisRect* rect) {
    for (const int expert : m_bars.chosen) {
        auto* band = new QCPItemRect(&m_frame->plot());  // owned by the plot
        band->setClipAxisRect(rect);
        for (QCPItemPosition* position : {band->topLeft, band->bottomRight}) {
            position->setAxes(rect->axis(QCPAxis::atBottom), rect->axis(QCPAxis::atLeft));
            position->setAxisRect(rect);
            position->setTypeX(QCPItemPosition::ptPlotCoords);
            position->setTypeY(QCPItemPosition::ptAxisRectRatio);
        }
        band->topLeft->setCoords(expert - 0.5, 0.0);
        band->bottomRight->setCoords(expert + 0.5, 1.0);
        QColor colour = m_style.theme.accent;
        colour.setAlphaF(0.14F);
        band->setBrush(colour);
        band->setPen(Qt::NoPen);
        band->setLayer(QStringLiteral("background"));
    }
}

QString PairedBarsBody::tickText(std::size_t expert) const {
    return QString::fromStdString(m_bars.labels[expert]);
}

void PairedBarsBody::setTicks(QCPAxis* x, double width) {
    auto ticker = QSharedPointer<QCPAxisTickerText>::create();
    const auto text = metricsOf(m_style.font);
    const double step = (width - 90.0) / double(std::max<std::size_t>(m_bars.labels.size(), 1));
    const std::size_t every = figures::thinning(m_bars.labels.size(), step, text.width("000") + 2);
    for (std::size_t i = 0; i < m_bars.labels.size(); ++i) {
        if (every > 0 && i % every == 0) {
            ticker->addTick(double(i), tickText(i));
        }
    }
    x->setTicker(ticker);
    x->setTickLength(0, 0);
    x->setRange(-0.6, double(m_bars.labels.size()) - 0.4);
    x->setLabel(QStringLiteral("expert"));
}

void PairedBarsBody::resize(const QSizeF& size) {
    m_size = size;
    m_frame = std::make_unique<PlotFrame>(m_style);
    m_rect = m_frame->addAxisRect(0, 0);
    QCPAxis* x = m_rect->axis(QCPAxis::atBottom);
    QCPAxis* left = m_rect->axis(QCPAxis::atLeft);
    QCPAxis* right = m_rect->axis(QCPAxis::atRight);
    right->setVisible(true);
    right->setTickLabels(true);
    right->grid()->setVisible(false);
    left->setLabel(QStringLiteral("output norm"));
    right->setLabel(QStringLiteral("router score"));
    left->setLabelColor(m_style.theme.text);
    addBars(x, left, m_bars.norms, -kBar / 2.0, m_style.theme.barPrimary);
    addBars(x, right, m_bars.scores, kBar / 2.0, m_style.theme.barSecondary);
    setTicks(x, size.width());
    markChosen(m_rect);
    m_frame->record(QSizeF(size.width(), size.height() - legendHeight()));
}

void PairedBarsBody::paint(QPainter& painter) const {
    painter.setFont(m_style.font);
    const QFontMetricsF metrics(m_style.font);
    QColor band = m_style.theme.accent;
    band.setAlphaF(0.14F);
    double x = 0.0;
    const auto entry = [&](const QColor& colour, const QString& text) {
        const double middle = (m_style.lineHeight() + 2.0) / 2.0;
        painter.fillRect(QRectF(x, middle - 4.5, 9.0, 9.0), colour);
        painter.setPen(m_style.theme.text);
        painter.drawText(QRectF(x + 13.0, 0, 300, m_style.lineHeight() + 2.0),
                         Qt::AlignLeft | Qt::AlignVCenter, text);
        x += 13.0 + metrics.horizontalAdvance(text) + 16.0;
    };
    entry(m_style.theme.barPrimary, QStringLiteral("output norm"));
    entry(m_style.theme.barSecondary, QStringLiteral("router score"));
    if (!m_bars.chosen.empty()) {
        entry(band, QStringLiteral("chosen"));
    }
    painter.save();
    painter.translate(0.0, legendHeight());
    m_frame->play(painter);
    painter.restore();
}

figures::Hit PairedBarsBody::hitAt(const QPointF& position) const {
    figures::Hit hit;
    const QPointF point(position.x(), position.y() - legendHeight());
    if (m_rect == nullptr || !m_rect->rect().contains(point.toPoint())) {
        return hit;
    }
    const double x = m_rect->axis(QCPAxis::atBottom)->pixelToCoord(point.x());
    const auto expert = static_cast<std::ptrdiff_t>(std::lround(x));
    if (expert < 0 || expert >= static_cast<std::ptrdiff_t>(m_bars.labels.size())) {
        return hit;
    }
    const auto index = static_cast<std::size_t>(expert);
    hit.token = m_bars.token;
    hit.expert = static_cast<int>(expert);
    hit.layer = m_figure->provenance.layer;
    QString text = QStringLiteral("expert %1: norm %2, score %3")
                       .arg(tickText(index))
                       .arg(formatValue(static_cast<double>(m_bars.norms[index])),
                            formatValue(static_cast<double>(m_bars.scores[index])));
    const auto choice = std::find(m_bars.chosen.begin(), m_bars.chosen.end(), int(expert));
    if (choice != m_bars.chosen.end()) {
        text += QStringLiteral(", choice %1").arg(choice - m_bars.chosen.begin() + 1);
    }
    hit.readOut = text.toStdString();
    return hit;
}

std::vector<QRectF> PairedBarsBody::outlines(const figures::Selection& selection) const {
    if (m_rect == nullptr || !selection.expert || *selection.expert < 0 ||
        *selection.expert >= static_cast<int>(m_bars.labels.size())) {
        return {};
    }
    const QCPAxis* x = m_rect->axis(QCPAxis::atBottom);
    const double left = x->coordToPixel(*selection.expert - 0.46);
    const double right = x->coordToPixel(*selection.expert + 0.46);
    const QRectF area = m_rect->rect();
    return {QRectF(left, area.top() + legendHeight(), right - left, area.height())};
}

}  // namespace

std::unique_ptr<FigureBody> makePairedBarsBody(std::shared_ptr<const figures::Figure> figure,
                                               const FigureStyle& style) {
    return std::make_unique<PairedBarsBody>(std::move(figure), style);
}

}  // namespace moescope::widgets
