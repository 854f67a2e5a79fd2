// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/geometry.h"
#include "core/figures/token_table.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace moescope::figures {

/// Tokens broken into lines as text is, measured in character cells of a monospaced font. A million
/// tokens take milliseconds, so it is redone for every width; positions within a line are computed
/// only for lines that are drawn.
class TokenFlow {
public:
    TokenFlow() = default;
    /// Tokens [first, first + count). A new document, and what follows a newline, starts a new
    /// line. Between tokens `spacing` cells stay free.
    TokenFlow(const TokenTable& tokens, std::uint64_t first, std::uint64_t count, int columns,
              double spacing, int narrowest = 1);

    [[nodiscard]] std::uint64_t lineCount() const noexcept {
        return m_lines.empty() ? 0 : m_lines.size() - 1;
    }
    /// Tokens of a line: [begin, end).
    [[nodiscard]] std::uint64_t lineBegin(std::uint64_t line) const { return m_lines[line]; }
    [[nodiscard]] std::uint64_t lineEnd(std::uint64_t line) const { return m_lines[line + 1]; }
    /// The line begins a document other than the first: a rule is drawn above it.
    [[nodiscard]] bool startsDocument(std::uint64_t line) const { return m_startsDocument[line]; }
    [[nodiscard]] std::uint64_t lineOf(std::uint64_t token) const;

    /// Left edge and width of a token within its line, in character cells.
    struct Span {
        double left = 0.0, width = 0.0;
    };
    [[nodiscard]] double widthOf(const TokenTable& tokens, std::uint64_t token) const;
    [[nodiscard]] Span spanOf(const TokenTable& tokens, std::uint64_t token) const;
    /// The token of a line at a horizontal position in character cells.
    [[nodiscard]] std::optional<std::uint64_t> tokenAt(const TokenTable& tokens, std::uint64_t line,
                                                       double column) const;

private:
    double m_spacing = 0.0;
    double m_columns = 0.0;
    double m_narrowest = 1.0;
    std::vector<std::uint64_t> m_lines;  // [lines + 1]
    std::vector<bool> m_startsDocument;
};

}  // namespace moescope::figures
