// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/canvas/coloured_passage_body.h"

#include "widgets/canvas/token_read_out.h"

#include <QPainter>

#include <algorithm>
#include <cmath>

namespace moescope::widgets {
namespace {

constexpr double kPanelGap = 16.0;
constexpr double kWantedPanel = 290.0;  // width; two of them in the width of a page

}  // namespace

ColouredPassageBody::ColouredPassageBody(std::shared_ptr<const figures::Figure> figure,
                                         const FigureStyle& style, int zoomLevel)
    : ZoomedTextBody(zoomLevel),
      m_figure(std::move(figure)),
      m_text(std::get<figures::ColouredPassageFigure>(m_figure->body)),
      m_style(style),
      m_look(style, m_text.experts, m_text.mostWeight, zoomLevel - 1),
      // Loads differ by layer: the colours alone, where they tell experts apart.
      m_legend(style, m_text.experts, {}) {}

ColouredPassageBody::Grid ColouredPassageBody::gridFor(double width, ExpertLegend& legend) const {
    Grid grid;
    grid.top = legend.layout(width);
    const std::size_t panels = std::max<std::size_t>(m_text.layers.size(), 1);
    const double fitting = std::floor((width + kPanelGap) / (kWantedPanel + kPanelGap));
    grid.columns =
        std::clamp<std::size_t>(static_cast<std::size_t>(std::max(fitting, 1.0)), 1, panels);
    const auto columns = static_cast<double>(grid.columns);
    grid.panelWidth = std::max((width - (columns - 1.0) * kPanelGap) / columns, 20.0);
    if (!m_text.layers.empty()) {
        const figures::Routing& first = *m_text.layers.front();
        grid.flow = figures::TokenFlow(m_text.tokens, first.firstToken(), first.tokenCount(),
                                       m_look.columns(grid.panelWidth), ColouredTokens::kSpacing,
                                       m_look.narrowest());
        grid.lines = grid.flow.breakAll();
    }
    grid.panelHeight =
        m_style.lineHeight() + 2.0 + static_cast<double>(grid.lines) * m_look.lineHeight();
    const std::size_t rowCount = (panels + grid.columns - 1) / grid.columns;
    const auto rows = static_cast<double>(rowCount);
    grid.height = grid.top + rows * grid.panelHeight + (rows - 1.0) * kPanelGap / 2.0;
    return grid;
}

double ColouredPassageBody::naturalHeight(double width) const {
    ExpertLegend legend = m_legend;
    return std::ceil(gridFor(width, legend).height);
}

void ColouredPassageBody::resize(const QSizeF& size) {
    m_size = size;
    m_grid = gridFor(size.width(), m_legend);
    scrollTo(m_scrolled);
}

double ColouredPassageBody::offset() const {
    return static_cast<double>(m_scrolled) * m_look.lineHeight();
}

QRectF ColouredPassageBody::panelRect(std::size_t panel) const {
    const auto column = static_cast<double>(panel % m_grid.columns);
    const std::size_t rowIndex = panel / m_grid.columns;
    const auto row = static_cast<double>(rowIndex);
    return {column * (m_grid.panelWidth + kPanelGap),
            m_grid.top + row * (m_grid.panelHeight + kPanelGap / 2.0) - offset(), m_grid.panelWidth,
            m_grid.panelHeight};
}

void ColouredPassageBody::paint(QPainter& painter) const {
    m_legend.paint(painter);
    painter.save();
    if (scroll().steps > 0) {
        painter.setClipRect(QRectF(0.0, m_grid.top, m_size.width(), m_size.height() - m_grid.top));
    }
    for (std::size_t i = 0; i < m_text.layers.size(); ++i) {
        const QRectF panel = panelRect(i);
        if (panel.bottom() < m_grid.top || panel.top() > m_size.height()) {
            continue;
        }
        const figures::Routing& routing = *m_text.layers[i];
        painter.setFont(m_style.font);
        painter.setPen(m_style.theme.text);
        painter.drawText(QRectF(panel.topLeft(), QSizeF(panel.width(), m_style.lineHeight())),
                         Qt::AlignLeft | Qt::AlignTop,
                         QStringLiteral("layer %1").arg(routing.layer.value_or(LayerId{0}).value));
        QRectF area(panel.left(), panel.top() + m_style.lineHeight() + 2.0, panel.width(),
                    m_look.lineHeight());
        for (std::uint64_t line = 0; line < m_grid.lines; ++line) {
            m_look.paintLine(painter, m_grid.flow, m_grid.flow.lineAt(line), *m_text.tokens,
                             routing, area);
            area.translate(0.0, m_look.lineHeight());
        }
    }
    painter.restore();
}

std::optional<ColouredPassageBody::Found> ColouredPassageBody::find(const QPointF& position) const {
    for (std::size_t i = 0; i < m_text.layers.size() && position.y() >= m_grid.top; ++i) {
        const QRectF panel = panelRect(i);
        const double y = position.y() - panel.top() - m_style.lineHeight() - 2.0;
        const auto line = static_cast<std::uint64_t>(std::max(y, 0.0) / m_look.lineHeight());
        if (!panel.contains(position) || y < 0.0 || line >= m_grid.lines) {
            continue;
        }
        const auto token = m_grid.flow.tokenAt(m_grid.flow.lineAt(line),
                                               (position.x() - panel.left()) / m_look.cell());
        return token ? std::optional(Found{i, *token - m_text.layers[i]->firstToken()})
                     : std::nullopt;
    }
    return std::nullopt;
}

figures::Hit ColouredPassageBody::hitAt(const QPointF& position) const {
    figures::Hit hit;
    if (const auto found = find(position)) {
        const figures::Routing& routing = *m_text.layers[found->panel];
        hit.panel = static_cast<int>(found->panel);
        hit.token = routing.tokenAt(found->row);
        hit.layer = routing.layer;
        hit.readOut = QStringLiteral("layer %1, ")
                          .arg(routing.layer.value_or(LayerId{0}).value)
                          .toStdString() +
                      tokenReadOut(*m_text.tokens, routing, found->row);
        return hit;
    }
    return m_legend.hitAt(position);
}

QString ColouredPassageBody::cardAt(const QPointF& position) const {
    const auto found = find(position);
    return found
               ? tokenCard(*m_text.tokens, *m_text.layers[found->panel], found->row, m_style.theme)
               : QString();
}

// The token in every layer.
std::vector<QRectF> ColouredPassageBody::outlines(const figures::Selection& selection) const {
    std::vector<QRectF> rects;
    const auto view = tokensInView();
    if (selection.token && view && *selection.token >= view->first &&
        *selection.token < view->end()) {
        const auto line =
            static_cast<double>(m_grid.flow.linesBefore(m_grid.flow.lineOf(*selection.token)));
        const figures::TokenFlow::Span span = m_grid.flow.spanOf(*selection.token);
        for (std::size_t i = 0; i < m_text.layers.size(); ++i) {
            const QRectF panel = panelRect(i);
            const QRectF box(panel.left() + span.left * m_look.cell(),
                             panel.top() + m_style.lineHeight() + 2.0 + line * m_look.lineHeight(),
                             span.width * m_look.cell(), m_look.textHeight());
            if (box.top() >= m_grid.top) {
                rects.push_back(box);
            }
        }
    }
    if (const auto entry = m_legend.rectOf(selection.expert)) {
        rects.push_back(*entry);
    }
    return rects;
}

FigureBody::Scroll ColouredPassageBody::scroll() const {
    const double room = std::max(m_size.height() - m_grid.top, m_look.lineHeight());
    const double beyond = m_grid.height - m_grid.top - room;
    return {beyond > 1.0 ? static_cast<std::int64_t>(std::ceil(beyond / m_look.lineHeight())) : 0,
            std::max<std::int64_t>(1, static_cast<std::int64_t>(room / m_look.lineHeight()))};
}

void ColouredPassageBody::scrollTo(std::int64_t step) {
    m_scrolled = std::clamp<std::int64_t>(step, 0, scroll().steps);
}

std::int64_t ColouredPassageBody::scrollPosition() const {
    return m_scrolled;
}

std::optional<figures::TokenRange> ColouredPassageBody::tokensInView() const {
    if (m_text.layers.empty() || m_text.layers.front()->tokenCount() == 0) {
        return std::nullopt;
    }
    const figures::Routing& first = *m_text.layers.front();
    return figures::TokenRange{first.firstToken(), first.tokenCount()};
}

}  // namespace moescope::widgets
