// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/token_flow.h"

#include <algorithm>
#include <cmath>

namespace moescope::figures {

TokenFlow::TokenFlow(std::shared_ptr<const TokenTable> tokens, std::uint64_t first,
                     std::uint64_t count, int columns, double spacing, int narrowest)
    : m_tokens(std::move(tokens)),
      m_spacing(spacing),
      m_columns(std::max(columns, 1)),
      m_narrowest(narrowest) {
    const std::uint64_t end = std::min(first + count, m_tokens->size());
    if (first < end) {
        cut(first, end);
    }
}

void TokenFlow::cut(std::uint64_t first, std::uint64_t end) {
    const std::vector<TokenStretch>& all = m_tokens->stretches();
    const auto firstOf = [](const TokenStretch& stretch) { return stretch.first; };
    auto stretch = std::prev(std::ranges::upper_bound(all, first, {}, firstOf));
    for (; stretch != all.end() && stretch->first < end; ++stretch) {
        const auto next = std::next(stretch);
        const std::uint64_t whole = (next == all.end() ? m_tokens->size() : next->first);
        const std::uint64_t from = std::max(first, stretch->first);
        const std::uint64_t to = std::min(end, whole);
        const auto tokens = static_cast<double>(to - from);
        const double share = tokens / static_cast<double>(whole - stretch->first);
        m_stretches.push_back({from, to, estimate(*stretch, tokens, share), {}});
    }
    m_before.resize(m_stretches.size() + 1);
    sumUp(0);
}

// On average half a token's width is lost at the end of a line. A paragraph takes whole lines: of
// exponentially spread lengths with r lines on average, 1 / (1 - exp(-1 / r)).
std::uint64_t TokenFlow::estimate(const TokenStretch& of, double tokens, double share) const {
    const double lacking =
        static_cast<double>(of.narrow) * std::min((m_narrowest - 1.0) / 2.0, 1.0);
    const double cells = (static_cast<double>(of.columns) + lacking) * share + m_spacing * tokens;
    const double room = std::max(m_columns + m_spacing - 0.5 * cells / tokens, 1.0);
    const double paragraphs = std::max(static_cast<double>(of.paragraphs) * share, 1.0);
    const double lines = paragraphs / (1.0 - std::exp(-room * paragraphs / cells));
    return static_cast<std::uint64_t>(std::llround(std::clamp(lines, 1.0, tokens)));
}

void TokenFlow::sumUp(std::size_t from) {
    for (std::size_t i = from; i < m_stretches.size(); ++i) {
        m_before[i + 1] = m_before[i] + m_stretches[i].lines;
    }
}

void TokenFlow::breakLines(std::size_t index) {
    Stretch& stretch = m_stretches[index];
    if (!stretch.begin.empty()) {
        return;
    }
    const auto& documents = m_tokens->documentOffsets();
    auto nextDocument = std::upper_bound(documents.begin(), documents.end(), stretch.first);
    double used = 0.0;
    bool breakNow = true;
    for (std::uint64_t token = stretch.first; token < stretch.end; ++token) {
        while (nextDocument != documents.end() && *nextDocument == token) {
            breakNow = true;
            ++nextDocument;
        }
        const double width = widthOf(token);
        if (breakNow || used + width > m_columns) {
            stretch.begin.push_back(static_cast<std::uint32_t>(token - stretch.first));
            used = 0.0;
        }
        used += width + m_spacing;
        breakNow = m_tokens->endsLine(token);
    }
    if (stretch.lines != stretch.begin.size()) {
        stretch.lines = stretch.begin.size();
        sumUp(index);
    }
}

void TokenFlow::breakAround(std::size_t stretch) {
    for (std::size_t i = stretch == 0 ? 0 : stretch - 1;
         i < std::min(stretch + 2, m_stretches.size()); ++i) {
        breakLines(i);
    }
}

std::uint64_t TokenFlow::breakAll() {
    for (std::size_t i = 0; i < m_stretches.size(); ++i) {
        breakLines(i);
    }
    return lineCount();
}

std::uint64_t TokenFlow::linesBefore(const FlowLine& line) const {
    return line.stretch < m_stretches.size() ? m_before[line.stretch] + line.line : lineCount();
}

FlowLine TokenFlow::lineAt(std::uint64_t before) {
    if (m_stretches.empty()) {
        return {};
    }
    const auto after = std::upper_bound(m_before.begin(), std::prev(m_before.end()), before);
    const auto stretch = static_cast<std::size_t>(after - m_before.begin()) - 1;
    const std::uint64_t within = before - m_before[stretch];
    const bool isBeyond = before >= lineCount();
    breakAround(stretch);
    const std::uint64_t last = m_stretches[stretch].lines - 1;
    return {stretch, isBeyond ? last : std::min(within, last)};
}

FlowLine TokenFlow::lineOf(std::uint64_t token) {
    if (m_stretches.empty()) {
        return {};
    }
    const auto after = std::ranges::upper_bound(m_stretches, token, {}, &Stretch::first);
    const auto stretch =
        static_cast<std::size_t>(std::max<std::ptrdiff_t>(after - m_stretches.begin() - 1, 0));
    breakAround(stretch);
    const Stretch& here = m_stretches[stretch];
    const std::uint64_t within = token < here.first ? 0 : token - here.first;
    const auto line = std::upper_bound(here.begin.begin(), here.begin.end(), within);
    return {stretch, static_cast<std::uint64_t>(line - here.begin.begin()) - 1};
}

FlowLine TokenFlow::moved(FlowLine from, std::int64_t lines) {
    if (m_stretches.empty()) {
        return {};
    }
    from.stretch = std::min(from.stretch, m_stretches.size() - 1);
    breakLines(from.stretch);
    auto line = static_cast<std::int64_t>(from.line) + lines;
    while (line < 0 && from.stretch > 0) {
        breakLines(--from.stretch);
        line += static_cast<std::int64_t>(m_stretches[from.stretch].lines);
    }
    const auto here = [&] { return static_cast<std::int64_t>(m_stretches[from.stretch].lines); };
    while (line >= here() && from.stretch + 1 < m_stretches.size()) {
        line -= here();
        breakLines(++from.stretch);
    }
    from.line = static_cast<std::uint64_t>(std::clamp<std::int64_t>(line, 0, here() - 1));
    return from;
}

std::uint64_t TokenFlow::lineBegin(const FlowLine& line) const {
    if (line.stretch >= m_stretches.size()) {
        return 0;
    }
    const Stretch& stretch = m_stretches[line.stretch];
    return line.line < stretch.begin.size() ? stretch.first + stretch.begin[line.line]
                                            : stretch.end;
}

std::uint64_t TokenFlow::lineEnd(const FlowLine& line) const {
    return lineBegin({line.stretch, line.line + 1});
}

bool TokenFlow::startsDocument(const FlowLine& line) const {
    const std::uint64_t token = lineBegin(line);
    const auto& documents = m_tokens->documentOffsets();
    return token != m_stretches.front().first &&
           std::binary_search(documents.begin(), documents.end(), token);
}

double TokenFlow::widthOf(std::uint64_t token) const {
    return std::min(std::max(static_cast<double>(m_tokens->columns(token)), m_narrowest),
                    m_columns);
}

TokenFlow::Span TokenFlow::spanOf(std::uint64_t token) {
    Span span;
    for (std::uint64_t t = lineBegin(lineOf(token)); t <= token; ++t) {
        span.left += span.width > 0.0 ? span.width + m_spacing : 0.0;
        span.width = widthOf(t);
    }
    return span;
}

std::optional<std::uint64_t> TokenFlow::tokenAt(const FlowLine& line, double column) const {
    double left = 0.0;
    for (std::uint64_t token = lineBegin(line); token < lineEnd(line) && column >= 0.0; ++token) {
        const double width = widthOf(token);
        if (column < left + width + m_spacing) {
            return token;
        }
        left += width + m_spacing;
    }
    return std::nullopt;
}

}  // namespace moescope::figures
