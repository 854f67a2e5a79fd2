// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/canvas/coloured_text_body.h"

#include "widgets/canvas/token_read_out.h"

#include <QFontMetricsF>
#include <QPainter>

#include <algorithm>
#include <cmath>

namespace moescope::widgets {
namespace {

constexpr int kMostInLegend = 20;
constexpr double kSpacing = 0.25;  // character cells between tokens
constexpr double kBarHeight = 5.0;
constexpr double kLineGap = 4.0;
constexpr double kSwatch = 12.0;
constexpr double kNumberSize = 0.75;  // of the text, 6 pt in print
constexpr int kSmallestZoom = -3;
constexpr int kLargestZoom = 6;

QString toQString(std::string_view text) {
    return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
}

}  // namespace

ColouredTextBody::ColouredTextBody(std::shared_ptr<const figures::Figure> figure, FigureStyle style,
                                   int zoomLevel, std::shared_ptr<FlowMemory> memory)
    : m_figure(std::move(figure)),
      m_text(std::get<figures::ColouredTextFigure>(m_figure->body)),
      m_style(std::move(style)),
      m_numbered(m_text.routing->experts > kMostInLegend),
      m_zoom(zoomLevel),
      m_memory(std::move(memory)) {
    float most = 0.0F;
    for (const float weight : m_text.routing->weights) {
        most = std::max(most, weight);
    }
    m_mostWeight = most > 0.0F ? static_cast<double>(most) : 1.0;
    m_font = m_style.tokens;
    m_font.setPixelSize(std::max(m_style.fontPx + m_zoom, 6));
    const QFontMetricsF metrics(m_font);
    m_cell = metrics.horizontalAdvance(QLatin1Char('0'));
    m_textHeight = std::ceil(metrics.height()) + 2.0;
    const double under =
        m_numbered ? std::ceil(metrics.height() * (kNumberSize + 0.04)) : kBarHeight;
    m_lineHeight = m_textHeight + under + kLineGap;
}

const figures::TokenFlow& ColouredTextBody::flowFor(double width) const {
    const figures::Routing& routing = *m_text.routing;
    const int columns = std::max(1, static_cast<int>(width / m_cell));
    const int narrowest = m_numbered ? 3 : 1;
    FlowMemory& kept = *m_memory;
    if (kept.tokens != m_text.tokens || kept.first != routing.firstToken() ||
        kept.count != routing.tokenCount() || kept.columns != columns ||
        kept.narrowest != narrowest) {
        kept = {m_text.tokens,
                routing.firstToken(),
                routing.tokenCount(),
                columns,
                narrowest,
                figures::TokenFlow(*m_text.tokens, routing.firstToken(), routing.tokenCount(),
                                   columns, kSpacing, narrowest)};
    }
    return kept.flow;
}

std::vector<QRectF> ColouredTextBody::legendRects(double width) const {
    std::vector<QRectF> rects;
    if (m_numbered) {
        return rects;
    }
    const QFontMetricsF metrics(m_style.font);
    const double height = metrics.height() + 4.0;
    double x = metrics.horizontalAdvance(QStringLiteral("expert ")) + 4.0;
    double y = 0.0;
    for (int expert = 0; expert < m_text.routing->experts; ++expert) {
        const double w = kSwatch + 6.0 + metrics.horizontalAdvance(QString::number(expert)) + 10.0;
        if (x + w > width && x > 0.0) {
            x = 0.0;
            y += height;
        }
        rects.emplace_back(x, y, w, height);
        x += w;
    }
    return rects;
}

double ColouredTextBody::legendHeight(double width) const {
    const std::vector<QRectF> rects = legendRects(width);
    return rects.empty() ? 0.0 : rects.back().bottom() + 6.0;
}

double ColouredTextBody::linesTop() const {
    return legendHeight(m_size.width());
}

double ColouredTextBody::naturalHeight(double width) const {
    return legendHeight(width) + static_cast<double>(flowFor(width).lineCount()) * m_lineHeight;
}

void ColouredTextBody::resize(const QSizeF& size) {
    const std::uint64_t anchor = m_size.width() > 0.0 && m_firstLine < flow().lineCount()
                                     ? flow().lineBegin(m_firstLine)
                                     : m_text.routing->firstToken();
    const bool isRewrapped = m_size.width() > 0.0 && size.width() != m_size.width();
    const figures::TokenFlow& lines = flowFor(size.width());
    if (isRewrapped && lines.lineCount() > 0) {
        m_firstLine = lines.lineOf(anchor);
    }
    m_size = size;
    scrollTo(static_cast<std::int64_t>(m_firstLine));
}

void ColouredTextBody::paint(QPainter& painter) const {
    paintLegend(painter);
    double top = linesTop();
    // A line that does not fit would run into the text below the figure.
    const double last = m_size.height() - m_lineHeight + kLineGap + 0.5;
    for (std::uint64_t line = m_firstLine; line < flow().lineCount() && top <= last; ++line) {
        paintLine(painter, line, top);
        top += m_lineHeight;
    }
}

void ColouredTextBody::paintLegend(QPainter& painter) const {
    const std::vector<QRectF> rects = legendRects(m_size.width());
    if (rects.empty()) {
        return;
    }
    painter.setFont(m_style.font);
    painter.setPen(m_style.theme.secondaryText);
    painter.drawText(QRectF(0, 0, 200, rects.front().height()), Qt::AlignLeft | Qt::AlignVCenter,
                     QStringLiteral("expert"));
    for (std::size_t expert = 0; expert < rects.size(); ++expert) {
        const QRectF& rect = rects[expert];
        const QRectF swatch(rect.left(), rect.center().y() - kSwatch / 2.0, kSwatch, kSwatch);
        const auto index = static_cast<int>(expert);
        painter.fillRect(swatch, m_style.theme.expertBackground(index, m_text.routing->experts));
        painter.fillRect(QRectF(swatch.left(), swatch.bottom() - 3.0, kSwatch, 3.0),
                         m_style.theme.expertColour(index, m_text.routing->experts));
        painter.setPen(m_style.theme.text);
        painter.drawText(rect.adjusted(kSwatch + 4.0, 0, 0, 0), Qt::AlignLeft | Qt::AlignVCenter,
                         QString::number(expert));
    }
}

void ColouredTextBody::paintLine(QPainter& painter, std::uint64_t line, double top) const {
    if (flow().startsDocument(line)) {
        painter.setPen(QPen(m_style.theme.axis, 0.75));
        painter.drawLine(QPointF(0.0, top - kLineGap / 2.0),
                         QPointF(m_size.width(), top - kLineGap / 2.0));
    }
    double left = 0.0;
    for (std::uint64_t token = flow().lineBegin(line); token < flow().lineEnd(line); ++token) {
        const double width = flow().widthOf(*m_text.tokens, token) * m_cell;
        paintToken(painter, token, QRectF(left, top, width, m_textHeight));
        left += width + kSpacing * m_cell;
    }
}

void ColouredTextBody::paintToken(QPainter& painter, std::uint64_t token, const QRectF& box) const {
    const figures::Routing& routing = *m_text.routing;
    const std::uint64_t row = token - routing.firstToken();
    const int expert = routing.id(row, 0);
    const QColor back = m_style.theme.expertBackground(expert, routing.experts);
    painter.fillRect(box, back);
    painter.setFont(m_font);
    painter.setPen(Theme::textOn(back));
    painter.drawText(box, Qt::AlignLeft | Qt::AlignVCenter, toQString(m_text.tokens->text(token)));
    const float weight = routing.weight(row, 0);
    if (std::isfinite(weight)) {
        const double height = std::max(
            1.0, kBarHeight * std::clamp(static_cast<double>(weight) / m_mostWeight, 0.0, 1.0));
        painter.fillRect(QRectF(box.left(), box.bottom() + 0.5, box.width(), height),
                         m_style.theme.expertColour(expert, routing.experts));
    }
    if (m_numbered) {
        QFont small = m_font;
        small.setPixelSize(std::max(6, static_cast<int>(m_font.pixelSize() * kNumberSize)));
        painter.setFont(small);
        painter.setPen(m_style.theme.secondaryText);
        const double under = box.bottom() + 0.5 + kBarHeight;
        painter.drawText(
            QRectF(box.left(), under - 1.0, box.width() + 20.0, m_lineHeight - m_textHeight),
            Qt::AlignLeft | Qt::AlignTop, QString::number(expert));
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
    const double y = position.y() - linesTop();
    if (y < 0.0) {
        const std::vector<QRectF> rects = legendRects(m_size.width());
        for (std::size_t expert = 0; expert < rects.size(); ++expert) {
            if (rects[expert].contains(position)) {
                figures::Hit hit;
                hit.expert = static_cast<int>(expert);
                hit.readOut = "expert " + std::to_string(expert);
                return hit;
            }
        }
        return {};
    }
    const std::uint64_t line = m_firstLine + static_cast<std::uint64_t>(y / m_lineHeight);
    const auto token = flow().tokenAt(*m_text.tokens, line, position.x() / m_cell);
    return token ? hitOf(*token) : figures::Hit{};
}

QString ColouredTextBody::cardAt(const QPointF& position) const {
    const figures::Hit hit = hitAt(position);
    return hit.token ? tokenCard(*m_text.tokens, *m_text.routing,
                                 *hit.token - m_text.routing->firstToken(), m_style.theme)
                     : QString();
}

QRectF ColouredTextBody::tokenRect(std::uint64_t token) const {
    const std::uint64_t line = flow().lineOf(token);
    const figures::TokenFlow::Span span = flow().spanOf(*m_text.tokens, token);
    const double row = static_cast<double>(line) - static_cast<double>(m_firstLine);
    return {span.left * m_cell, linesTop() + row * m_lineHeight, span.width * m_cell, m_textHeight};
}

std::vector<QRectF> ColouredTextBody::outlines(const figures::Selection& selection) const {
    std::vector<QRectF> rects;
    const figures::Routing& routing = *m_text.routing;
    if (selection.token && *selection.token >= routing.firstToken() &&
        *selection.token - routing.firstToken() < routing.tokenCount()) {
        const std::uint64_t line = flow().lineOf(*selection.token);
        if (line >= m_firstLine) {
            rects.push_back(tokenRect(*selection.token));
        }
    }
    if (!selection.expert) {
        return rects;
    }
    const std::vector<QRectF> legend = legendRects(m_size.width());
    if (*selection.expert >= 0 && static_cast<std::size_t>(*selection.expert) < legend.size()) {
        rects.push_back(legend[static_cast<std::size_t>(*selection.expert)].adjusted(-2, 0, -6, 0));
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
    const auto page = std::max<std::int64_t>(
        1, static_cast<std::int64_t>((m_size.height() - linesTop() + 0.5) / m_lineHeight));
    const auto lines = static_cast<std::int64_t>(flow().lineCount());
    return {std::max<std::int64_t>(lines - page, 0), page};
}

void ColouredTextBody::scrollTo(std::int64_t step) {
    m_firstLine = static_cast<std::uint64_t>(std::clamp<std::int64_t>(step, 0, scroll().steps));
}

std::int64_t ColouredTextBody::scrollPosition() const {
    return static_cast<std::int64_t>(m_firstLine);
}

std::int64_t ColouredTextBody::stepOf(std::uint64_t token) const {
    const auto line = static_cast<std::int64_t>(flow().lineOf(token));
    const std::int64_t page = scroll().page;
    if (line >= scrollPosition() && line < scrollPosition() + page) {
        return scrollPosition();
    }
    return std::max<std::int64_t>(line - page / 3, 0);
}

std::optional<figures::TokenRange> ColouredTextBody::tokensInView() const {
    const std::uint64_t lines = flow().lineCount();
    if (m_firstLine >= lines) {
        return std::nullopt;
    }
    const auto page = static_cast<std::uint64_t>(scroll().page) + 1;
    const std::uint64_t last = std::min(m_firstLine + page, lines) - 1;
    const std::uint64_t token = flow().lineBegin(m_firstLine);
    return figures::TokenRange{token, flow().lineEnd(last) - token};
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
