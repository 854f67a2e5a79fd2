// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/canvas/text_body.h"

#include "widgets/support/format.h"

#include <QPainter>

#include <algorithm>
#include <cmath>

namespace moescope::widgets {
namespace {

constexpr double kTallestFile = 950.0;  // about a page of paper, as tables have

using figures::FlowLine;

}  // namespace

bool ZoomedTextBody::zoom(int direction) {
    const int wanted = std::clamp(m_zoom + direction, m_steps.smallest, m_steps.largest);
    const bool changed = wanted != m_zoom;
    m_zoom = wanted;
    return changed;
}

TextBody::TextBody(std::shared_ptr<const figures::TokenTable> tokens, figures::TokenRange range,
                   FigureStyle style, int zoomLevel, std::shared_ptr<FlowMemory> memory)
    : ZoomedTextBody(zoomLevel),
      m_tokens(std::move(tokens)),
      m_range(range),
      m_style(std::move(style)),
      m_memory(std::move(memory)) {}

figures::TokenFlow& TextBody::flowFor(double width) const {
    const int columns = look().columns(width);
    const int narrowest = look().narrowest();
    FlowMemory& kept = *m_memory;
    if (kept.tokens != m_tokens || kept.range != m_range || kept.columns != columns ||
        kept.narrowest != narrowest) {
        kept = {m_tokens,
                m_range,
                columns,
                narrowest,
                figures::TokenFlow(m_tokens, m_range.first, m_range.count, columns,
                                   TokenLook::kSpacing, narrowest),
                kept.topToken};
    }
    return kept.flow;
}

std::uint64_t TextBody::linesOfFile(double width) const {
    const std::uint64_t all = flowFor(width).breakAll();
    const double most = std::floor((kTallestFile - headHeight(width)) / look().lineHeight());
    return m_style.isFile ? std::min(all, static_cast<std::uint64_t>(std::max(most, 1.0))) : all;
}

QString TextBody::cutText(double width) const {
    if (!m_style.isFile) {
        return {};
    }
    figures::TokenFlow& flow = flowFor(width);
    const std::uint64_t lines = linesOfFile(width);
    if (lines == flow.lineCount()) {
        return {};
    }
    const std::uint64_t next = flow.lineBegin(flow.lineAt(lines));
    return QStringLiteral(
               "Shown: tokens %1 to %2 of %3. For the rest: --tokens %4-%5, or select them. The "
               "CSV has all.")
        .arg(m_range.first)
        .arg(next - 1)
        .arg(formatCount(m_range.count))
        .arg(next)
        .arg(m_range.end() - 1);
}

double TextBody::naturalHeight(double width) const {
    const double text = static_cast<double>(linesOfFile(width)) * look().lineHeight();
    const double note = wrappedHeight(cutText(width), width, m_style.font);
    return headHeight(width) + text + note;
}

void TextBody::resize(const QSizeF& size) {
    m_size = size;
    layoutHead(size.width());
    m_linesTop = headHeight(size.width());
    setTop(flowFor(size.width()).lineOf(m_memory->topToken));
}

std::int64_t TextBody::page() const {
    return std::max<std::int64_t>(
        1, static_cast<std::int64_t>((m_size.height() - m_linesTop + 0.5) / look().lineHeight()));
}

// The first line in view when the last one is.
FlowLine TextBody::lastTop() const {
    const FlowLine last = flow().lineAt(flow().lineCount());
    return flow().moved(last, 1 - page());
}

void TextBody::setTop(const FlowLine& line) {
    m_top = std::min(line, lastTop());
    m_memory->topToken = flow().lineBegin(m_top);
}

void TextBody::paint(QPainter& painter) const {
    paintHead(painter);
    const double height = look().lineHeight();
    double top = m_linesTop;
    const QString cut = cutText(m_size.width());
    const double note = wrappedHeight(cut, m_size.width(), m_style.font);
    // A line that does not fit would run into the text below the figure.
    const double last = m_size.height() - note - height + TokenLook::kLineGap + 0.5;
    FlowLine line = m_top;
    for (; top <= last && flow().lineBegin(line) < flow().lineEnd(line); top += height) {
        paintLine(painter, line, QRectF(0.0, top, m_size.width(), height));
        const FlowLine next = flow().moved(line, 1);
        if (next == line) {
            break;
        }
        line = next;
    }
    if (!cut.isEmpty()) {
        painter.setFont(m_style.font);
        painter.setPen(m_style.theme.secondaryText);
        painter.drawText(QRectF(0.0, m_size.height() - note, m_size.width(), note),
                         Qt::AlignLeft | Qt::TextWordWrap, cut);
    }
}

figures::Hit TextBody::headHit(const QPointF& /*position*/) const {
    return {};
}

std::optional<QRectF> TextBody::headOutline(const figures::Selection& /*selection*/) const {
    return std::nullopt;
}

std::optional<std::uint64_t> TextBody::tokenAt(const QPointF& position) const {
    const double y = position.y() - m_linesTop;
    if (y < 0.0) {
        return std::nullopt;
    }
    const auto below = static_cast<std::int64_t>(y / look().lineHeight());
    const FlowLine line = flow().moved(m_top, below);
    const bool isThere =
        flow().linesBefore(line) == flow().linesBefore(m_top) + static_cast<std::uint64_t>(below);
    return isThere ? flow().tokenAt(line, position.x() / look().cell()) : std::nullopt;
}

figures::Hit TextBody::hitAt(const QPointF& position) const {
    if (position.y() < m_linesTop) {
        return headHit(position);
    }
    const auto token = tokenAt(position);
    return token ? hitOf(*token) : figures::Hit{};
}

QString TextBody::cardAt(const QPointF& position) const {
    const auto token = tokenAt(position);
    return token ? cardOf(*token) : QString();
}

std::vector<QRectF> TextBody::outlines(const figures::Selection& selection) const {
    std::vector<QRectF> rects;
    const auto view = tokensInView();
    if (selection.token && view && *selection.token >= view->first &&
        *selection.token < view->end()) {
        const auto row = static_cast<double>(flow().linesBefore(flow().lineOf(*selection.token)) -
                                             flow().linesBefore(m_top));
        const figures::TokenFlow::Span span = flow().spanOf(*selection.token);
        rects.emplace_back(span.left * look().cell(), m_linesTop + row * look().lineHeight(),
                           span.width * look().cell(), look().textHeight());
    }
    if (const auto entry = headOutline(selection)) {
        rects.push_back(*entry);
    }
    return rects;
}

std::optional<figures::Hit> TextBody::step(const figures::Selection& from, int dx, int dy) const {
    if (dy != 0 || m_range.count == 0) {
        return std::nullopt;
    }
    const auto first = static_cast<std::int64_t>(m_range.first);
    const auto last = static_cast<std::int64_t>(m_range.end()) - 1;
    const std::int64_t token = from.token ? static_cast<std::int64_t>(*from.token) + dx : first;
    return hitOf(static_cast<std::uint64_t>(std::clamp(token, first, last)));
}

FigureBody::Scroll TextBody::scroll() const {
    return {static_cast<std::int64_t>(flow().linesBefore(lastTop())), page()};
}

void TextBody::scrollTo(std::int64_t step) {
    if (step != scrollPosition()) {
        setTop(flow().lineAt(static_cast<std::uint64_t>(std::max<std::int64_t>(step, 0))));
    }
}

std::int64_t TextBody::scrollPosition() const {
    return static_cast<std::int64_t>(flow().linesBefore(m_top));
}

std::int64_t TextBody::stepOf(std::uint64_t token) const {
    const FlowLine line = flow().lineOf(token);
    const FlowLine last = flow().moved(m_top, page() - 1);
    return line >= m_top && line <= last
               ? scrollPosition()
               : static_cast<std::int64_t>(flow().linesBefore(flow().moved(line, -page() / 3)));
}

std::optional<figures::TokenRange> TextBody::tokensInView() const {
    const std::uint64_t first = flow().lineBegin(m_top);
    const std::uint64_t end = flow().lineEnd(flow().moved(m_top, page()));
    return first < end ? std::optional(figures::TokenRange{first, end - first}) : std::nullopt;
}

}  // namespace moescope::widgets
