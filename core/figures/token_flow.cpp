// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/token_flow.h"

#include <algorithm>

namespace moescope::figures {

TokenFlow::TokenFlow(const TokenTable& tokens, std::uint64_t first, std::uint64_t count,
                     int columns, double spacing, int narrowest)
    : m_spacing(spacing), m_columns(std::max(columns, 1)), m_narrowest(narrowest) {
    const std::uint64_t end = std::min(first + count, tokens.size());
    if (first >= end) {
        return;
    }
    const auto& documents = tokens.documentOffsets();
    auto nextDocument = std::upper_bound(documents.begin(), documents.end(), first);
    double used = 0.0;
    bool breakNow = true;
    for (std::uint64_t token = first; token < end; ++token) {
        bool newDocument = false;
        while (nextDocument != documents.end() && *nextDocument == token) {
            newDocument = true;
            ++nextDocument;
        }
        const double width = widthOf(tokens, token);
        if (breakNow || newDocument || used + width > m_columns) {
            m_lines.push_back(token);
            m_startsDocument.push_back(newDocument && token != first);
            used = 0.0;
        }
        used += width + m_spacing;
        breakNow = tokens.endsLine(token);
    }
    m_lines.push_back(end);
}

std::uint64_t TokenFlow::lineOf(std::uint64_t token) const {
    const auto after = std::upper_bound(m_lines.begin(), m_lines.end(), token);
    const auto line =
        static_cast<std::uint64_t>(std::max<std::ptrdiff_t>(after - m_lines.begin() - 1, 0));
    return std::min(line, lineCount() == 0 ? 0 : lineCount() - 1);
}

double TokenFlow::widthOf(const TokenTable& tokens, std::uint64_t token) const {
    return std::min(std::max(static_cast<double>(tokens.columns(token)), m_narrowest), m_columns);
}

TokenFlow::Span TokenFlow::spanOf(const TokenTable& tokens, std::uint64_t token) const {
    Span span;
    for (std::uint64_t t = lineBegin(lineOf(token)); t <= token; ++t) {
        span.left += span.width > 0.0 ? span.width + m_spacing : 0.0;
        span.width = widthOf(tokens, t);
    }
    return span;
}

std::optional<std::uint64_t> TokenFlow::tokenAt(const TokenTable& tokens, std::uint64_t line,
                                                double column) const {
    if (line >= lineCount() || column < 0.0) {
        return std::nullopt;
    }
    double left = 0.0;
    for (std::uint64_t token = lineBegin(line); token < lineEnd(line); ++token) {
        const double width = widthOf(tokens, token);
        if (column < left + width + m_spacing) {
            return token;
        }
        left += width + m_spacing;
    }
    return std::nullopt;
}

}  // namespace moescope::figures
