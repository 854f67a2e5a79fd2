// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/canvas/coloured_text_body.h"

#include "widgets/canvas/token_read_out.h"

#include <QPainter>

#include <algorithm>

namespace moescope::widgets {
namespace {

constexpr int kSmallestZoom = -3;
constexpr int kLargestZoom = 6;

using figures::FlowLine;

}  // namespace

ColouredTextBody::ColouredTextBody(std::shared_ptr<const figures::Figure> figure,
                                   const FigureStyle& style, int zoomLevel,
                                   std::shared_ptr<FlowMemory> memory)
    : m_figure(std::move(figure)),
      m_text(std::get<figures::ColouredTextFigure>(m_figure->body)),
      m_style(style),
      m_look(style, m_text.routing->experts, m_text.mostWeight, zoomLevel),
      m_legend(style, m_text.routing->experts, m_text.firstShare),
      m_zoom(zoomLevel),
      m_memory(std::move(memory)) {}

figures::TokenFlow& ColouredTextBody::flowFor(double width) const {
    const figures::Routing& routing = *m_text.routing;
    const int columns = m_look.columns(width);
    FlowMemory& kept = *m_memory;
    if (kept.tokens != m_text.tokens || kept.first != routing.firstToken() ||
        kept.count != routing.tokenCount() || kept.columns != columns ||
        kept.narrowest != m_look.narrowest()) {
        kept = {m_text.tokens,
                routing.firstToken(),
                routing.tokenCount(),
                columns,
                m_look.narrowest(),
                figures::TokenFlow(m_text.tokens, routing.firstToken(), routing.tokenCount(),
                                   columns, ColouredTokens::kSpacing, m_look.narrowest()),
                kept.topToken};
    }
    return kept.flow;
}

double ColouredTextBody::naturalHeight(double width) const {
    ExpertLegend legend = m_legend;
    return legend.layout(width) +
           static_cast<double>(flowFor(width).breakAll()) * m_look.lineHeight();
}

void ColouredTextBody::resize(const QSizeF& size) {
    m_size = size;
    m_linesTop = m_legend.layout(size.width());
    setTop(flowFor(size.width()).lineOf(m_memory->topToken));
}

std::int64_t ColouredTextBody::page() const {
    return std::max<std::int64_t>(
        1, static_cast<std::int64_t>((m_size.height() - m_linesTop + 0.5) / m_look.lineHeight()));
}

// The first line in view when the last one is.
FlowLine ColouredTextBody::lastTop() const {
    const FlowLine last = flow().lineAt(flow().lineCount());
    return flow().moved(last, 1 - page());
}

void ColouredTextBody::setTop(const FlowLine& line) {
    m_top = std::min(line, lastTop());
    m_memory->topToken = flow().lineBegin(m_top);
}

void ColouredTextBody::paint(QPainter& painter) const {
    m_legend.paint(painter);
    double top = m_linesTop;
    // A line that does not fit would run into the text below the figure.
    const double last = m_size.height() - m_look.lineHeight() + ColouredTokens::kLineGap + 0.5;
    FlowLine line = m_top;
    for (; top <= last && flow().lineBegin(line) < flow().lineEnd(line);
         top += m_look.lineHeight()) {
        m_look.paintLine(painter, flow(), line, *m_text.tokens, *m_text.routing,
                         QRectF(0.0, top, m_size.width(), m_look.lineHeight()));
        const FlowLine next = flow().moved(line, 1);
        if (next == line) {
            break;
        }
        line = next;
    }
}

figures::Hit ColouredTextBody::hitOf(std::uint64_t token) const {
    figures::Hit hit;
    hit.token = token;
    hit.layer = m_text.routing->layer;
    hit.readOut =
        tokenReadOut(*m_text.tokens, *m_text.routing, token - m_text.routing->firstToken());
    return hit;
}

figures::Hit ColouredTextBody::hitAt(const QPointF& position) const {
    const double y = position.y() - m_linesTop;
    if (y < 0.0) {
        figures::Hit hit;
        hit.expert = m_legend.expertAt(position);
        hit.readOut = hit.expert ? m_legend.readOut(*hit.expert) : std::string();
        return hit;
    }
    const auto below = static_cast<std::int64_t>(y / m_look.lineHeight());
    const FlowLine line = flow().moved(m_top, below);
    const bool isThere =
        flow().linesBefore(line) == flow().linesBefore(m_top) + static_cast<std::uint64_t>(below);
    const auto token = isThere ? flow().tokenAt(line, position.x() / m_look.cell()) : std::nullopt;
    return token ? hitOf(*token) : figures::Hit{};
}

QString ColouredTextBody::cardAt(const QPointF& position) const {
    const figures::Hit hit = hitAt(position);
    return hit.token ? tokenCard(*m_text.tokens, *m_text.routing,
                                 *hit.token - m_text.routing->firstToken(), m_style.theme)
                     : QString();
}

std::vector<QRectF> ColouredTextBody::outlines(const figures::Selection& selection) const {
    std::vector<QRectF> rects;
    const auto view = tokensInView();
    if (selection.token && view && *selection.token >= view->first &&
        *selection.token < view->end()) {
        const auto row = static_cast<double>(flow().linesBefore(flow().lineOf(*selection.token)) -
                                             flow().linesBefore(m_top));
        const figures::TokenFlow::Span span = flow().spanOf(*selection.token);
        rects.emplace_back(span.left * m_look.cell(), m_linesTop + row * m_look.lineHeight(),
                           span.width * m_look.cell(), m_look.textHeight());
    }
    if (const auto entry = selection.expert ? m_legend.rectOf(*selection.expert) : std::nullopt) {
        rects.push_back(*entry);
    }
    return rects;
}

std::optional<figures::Hit> ColouredTextBody::step(const figures::Selection& from, int dx,
                                                   int dy) const {
    const figures::Routing& routing = *m_text.routing;
    if (dy != 0 || routing.tokenCount() == 0) {
        return std::nullopt;
    }
    const auto last = static_cast<std::int64_t>(routing.tokenCount()) - 1;
    const std::int64_t row =
        from.token ? static_cast<std::int64_t>(*from.token - routing.firstToken()) + dx : 0;
    return hitOf(routing.firstToken() +
                 static_cast<std::uint64_t>(std::clamp<std::int64_t>(row, 0, last)));
}

FigureBody::Scroll ColouredTextBody::scroll() const {
    return {static_cast<std::int64_t>(flow().linesBefore(lastTop())), page()};
}

void ColouredTextBody::scrollTo(std::int64_t step) {
    if (step != scrollPosition()) {
        setTop(flow().lineAt(static_cast<std::uint64_t>(std::max<std::int64_t>(step, 0))));
    }
}

std::int64_t ColouredTextBody::scrollPosition() const {
    return static_cast<std::int64_t>(flow().linesBefore(m_top));
}

std::int64_t ColouredTextBody::stepOf(std::uint64_t token) const {
    const FlowLine line = flow().lineOf(token);
    const FlowLine last = flow().moved(m_top, page() - 1);
    return line >= m_top && line <= last
               ? scrollPosition()
               : static_cast<std::int64_t>(flow().linesBefore(flow().moved(line, -page() / 3)));
}

std::optional<figures::TokenRange> ColouredTextBody::tokensInView() const {
    const std::uint64_t first = flow().lineBegin(m_top);
    const std::uint64_t end = flow().lineEnd(flow().moved(m_top, page()));
    return first < end ? std::optional(figures::TokenRange{first, end - first}) : std::nullopt;
}

bool ColouredTextBody::zoom(int direction) {
    const int wanted = std::clamp(m_zoom + direction, kSmallestZoom, kLargestZoom);
    const bool changed = wanted != m_zoom;
    m_zoom = wanted;
    return changed;
}

int ColouredTextBody::zoomLevel() const {
    return m_zoom;
}

}  // namespace moescope::widgets
