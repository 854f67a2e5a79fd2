// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/canvas/coloured_text_body.h"

#include "widgets/canvas/token_read_out.h"

namespace moescope::widgets {
namespace {

const figures::ColouredTextFigure& textOf(const figures::Figure& figure) {
    return std::get<figures::ColouredTextFigure>(figure.body);
}

}  // namespace

ColouredTextBody::ColouredTextBody(std::shared_ptr<const figures::Figure> figure,
                                   const FigureStyle& style, int zoomLevel,
                                   std::shared_ptr<FlowMemory> memory)
    : TextBody(textOf(*figure).tokens,
               {textOf(*figure).routing->firstToken(), textOf(*figure).routing->tokenCount()},
               style, zoomLevel, std::move(memory)),
      m_figure(std::move(figure)),
      m_text(textOf(*m_figure)),
      m_look(style, m_text.routing->experts, m_text.mostWeight, zoomLevel),
      m_legend(style, m_text.routing->experts, m_text.firstShare) {}

double ColouredTextBody::headHeight(double width) const {
    ExpertLegend legend = m_legend;
    return legend.layout(width);
}

void ColouredTextBody::layoutHead(double width) {
    m_legend.layout(width);
}

void ColouredTextBody::paintHead(QPainter& painter) const {
    m_legend.paint(painter);
}

figures::Hit ColouredTextBody::headHit(const QPointF& position) const {
    return m_legend.hitAt(position);
}

std::optional<QRectF> ColouredTextBody::headOutline(const figures::Selection& selection) const {
    return m_legend.rectOf(selection.expert);
}

void ColouredTextBody::paintLine(QPainter& painter, const figures::FlowLine& line,
                                 const QRectF& area) const {
    m_look.paintLine(painter, flow(), line, tokens(), *m_text.routing, area);
}

figures::Hit ColouredTextBody::hitOf(std::uint64_t token) const {
    figures::Hit hit;
    hit.token = token;
    hit.layer = m_text.routing->layer;
    hit.readOut = tokenReadOut(tokens(), *m_text.routing, token - m_text.routing->firstToken());
    return hit;
}

QString ColouredTextBody::cardOf(std::uint64_t token) const {
    return tokenCard(tokens(), *m_text.routing, token - m_text.routing->firstToken(),
                     style().theme);
}

}  // namespace moescope::widgets
