// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/figures/figure_painter.h"

#include "widgets/canvas/bar_chart_body.h"
#include "widgets/canvas/coloured_passage_body.h"
#include "widgets/canvas/expert_card_body.h"
#include "widgets/canvas/heat_map_body.h"
#include "widgets/canvas/histogram_body.h"
#include "widgets/canvas/line_chart_body.h"
#include "widgets/canvas/loss_text_body.h"
#include "widgets/canvas/neuron_map_body.h"
#include "widgets/canvas/notice_body.h"
#include "widgets/canvas/paired_bars_body.h"
#include "widgets/canvas/parameters_body.h"
#include "widgets/canvas/routing_map_body.h"
#include "widgets/canvas/scatter_body.h"
#include "widgets/canvas/table_body.h"
#include "widgets/canvas/turned_scatter_body.h"
#include "widgets/plots/bar_bodies.h"

#include <QFontMetricsF>
#include <QPainter>
#include <QRegularExpression>

#include <algorithm>
#include <cmath>

namespace moescope::widgets {
namespace {

constexpr double kMargin = 8.0;
constexpr double kTextGap = 6.0;
constexpr double kSmallestBody = 60.0;

/// A sentence as it is drawn: no line ends between a number and its unit. Nothing else is put in:
/// commands are copied out of files.
QString typeset(const std::string& text) {
    static const QRegularExpression before(
        QStringLiteral("(?<=[0-9]) (?=%|(?:nats?|ms|mm|[KMGT]iB)\\b)"));
    return QString::fromStdString(text).replace(before, QString(QChar::Nbsp));
}

}  // namespace

std::unique_ptr<FigureBody> makeBody(std::shared_ptr<const figures::Figure> figure,
                                     const FigureStyle& style, const FigureMemory& memory) {
    const figures::FigureBody& body = figure->body;
    if (std::holds_alternative<figures::HeatMapFigure>(body)) {
        return std::make_unique<HeatMapBody>(std::move(figure), style);
    }
    if (std::holds_alternative<figures::GroupedBarsFigure>(body)) {
        return makeRankCountsBody(std::move(figure), style, memory.hiddenRanks);
    }
    if (std::holds_alternative<figures::HistogramFigure>(body)) {
        return std::make_unique<HistogramBody>(std::move(figure), style);
    }
    if (std::holds_alternative<figures::PairedBarsFigure>(body)) {
        return std::make_unique<PairedBarsBody>(std::move(figure), style, memory.chart);
    }
    if (std::holds_alternative<figures::RoutingMapFigure>(body)) {
        return std::make_unique<RoutingMapBody>(std::move(figure), style, memory.zoomLevel);
    }
    if (std::holds_alternative<figures::ColouredTextFigure>(body)) {
        return std::make_unique<ColouredTextBody>(std::move(figure), style, memory.zoomLevel,
                                                  memory.flow);
    }
    if (std::holds_alternative<figures::LossTextFigure>(body)) {
        return std::make_unique<LossTextBody>(std::move(figure), style, memory.zoomLevel,
                                              memory.flow);
    }
    if (std::holds_alternative<figures::ColouredPassageFigure>(body)) {
        return std::make_unique<ColouredPassageBody>(std::move(figure), style, memory.zoomLevel);
    }
    if (std::holds_alternative<figures::ExpertCardFigure>(body)) {
        return std::make_unique<ExpertCardBody>(std::move(figure), style);
    }
    if (std::holds_alternative<figures::ParametersFigure>(body)) {
        return std::make_unique<ParametersBody>(std::move(figure), style);
    }
    if (std::holds_alternative<figures::LineChartFigure>(body)) {
        return std::make_unique<LineChartBody>(std::move(figure), style, memory.chart);
    }
    if (std::holds_alternative<figures::BarChartFigure>(body)) {
        return std::make_unique<BarChartBody>(std::move(figure), style, memory.chart);
    }
    if (const auto* scatter = std::get_if<figures::ScatterFigure>(&body)) {
        const bool isDeep = !scatter->panels.empty() && !scatter->panels.front().z.empty();
        if (isDeep) {
            return std::make_unique<TurnedScatterBody>(std::move(figure), style, memory.chart);
        }
        return std::make_unique<ScatterBody>(std::move(figure), style, memory.chart);
    }
    if (std::holds_alternative<figures::TableFigure>(body)) {
        return std::make_unique<TableBody>(std::move(figure), style, memory.chart);
    }
    if (std::holds_alternative<figures::NeuronMapFigure>(body)) {
        return std::make_unique<NeuronMapBody>(std::move(figure), style, memory.chart);
    }
    return std::make_unique<NoticeBody>(std::move(figure), style);
}

FigurePainter::FigurePainter(std::shared_ptr<const figures::Figure> figure, FigureStyle style,
                             const FigureMemory& memory)
    : m_figure(std::move(figure)),
      m_style(std::move(style)),
      m_body(makeBody(m_figure, m_style, memory)) {}

// Fills the rectangles of the texts; height 0: the body takes what it needs.
void FigurePainter::layoutTexts(double width, double height) {
    const double inner = std::max(width - 2.0 * kMargin, 20.0);
    double top = kMargin;
    m_titleRect = {};
    if (m_style.withTitle) {
        const double lines = wrappedHeight(typeset(m_figure->title), inner, m_style.titleFont());
        m_titleRect = QRectF(kMargin, top, inner, lines);
        top += lines + kTextGap;
    }
    double below = 0.0;
    double readHeight = 0.0;
    double captionHeight = 0.0;
    if (m_style.withCaption) {
        readHeight = wrappedHeight(typeset(m_figure->howToRead), inner, m_style.font);
        captionHeight = wrappedHeight(typeset(m_figure->caption), inner, m_style.font);
        below = (readHeight > 0.0 ? readHeight + kTextGap : 0.0) +
                (captionHeight > 0.0 ? captionHeight + kTextGap : 0.0);
    }
    // A window too low for everything keeps the drawing and cuts the texts.
    const double body = height > 0.0 ? std::max(height - top - below - kMargin, kSmallestBody)
                                     : m_body->naturalHeight(inner);
    m_bodyRect = QRectF(kMargin, top, inner, body);
    m_body->resize(m_bodyRect.size());
    top += body + kTextGap;
    m_howToReadRect = QRectF(kMargin, top, inner, readHeight);
    top += readHeight > 0.0 ? readHeight + kTextGap : 0.0;
    m_captionRect = QRectF(kMargin, top, inner, captionHeight);
    top += captionHeight > 0.0 ? captionHeight + kTextGap : 0.0;
    m_size = QSizeF(width, height > 0.0 ? height : std::ceil(top - kTextGap + kMargin));
}

void FigurePainter::layout(double width) {
    layoutTexts(width, 0.0);
}

void FigurePainter::layout(const QSizeF& size) {
    layoutTexts(size.width(), std::max(size.height(), 1.0));
}

void FigurePainter::paint(QPainter& painter) const {
    painter.fillRect(QRectF(QPointF(0, 0), m_size), m_style.theme.background);
    if (m_style.withTitle) {
        painter.setFont(m_style.titleFont());
        painter.setPen(m_style.theme.text);
        painter.drawText(m_titleRect, Qt::AlignLeft | Qt::TextWordWrap, typeset(m_figure->title));
    }
    painter.save();
    painter.translate(m_bodyRect.topLeft());
    m_body->paint(painter);
    painter.restore();
    if (!m_style.withCaption) {
        return;
    }
    painter.setFont(m_style.font);
    painter.setPen(m_style.theme.text);
    painter.drawText(m_howToReadRect, Qt::AlignLeft | Qt::TextWordWrap,
                     typeset(m_figure->howToRead));
    painter.setPen(m_style.theme.secondaryText);
    painter.drawText(m_captionRect, Qt::AlignLeft | Qt::TextWordWrap, typeset(m_figure->caption));
}

}  // namespace moescope::widgets
