// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/token_table.h"

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace moescope::figures {

/// A line of a flow. Places of one flow compare as its lines follow one another.
struct FlowLine {
    std::size_t stretch = 0;
    std::uint64_t line = 0;  ///< within the stretch
    auto operator<=>(const FlowLine&) const = default;
};

/// Tokens broken into lines as text is, measured in character cells of a monospaced font. Only
/// stretches that are looked at are broken; how many lines the others take is estimated, so that
/// nothing but the constructor's thousandth of them grows with the text. The lines themselves do
/// not depend on what was looked at before. Not thread-safe.
class TokenFlow {
public:
    TokenFlow() = default;
    /// Tokens [first, first + count). A new document, and what follows a newline, starts a new
    /// line. Between tokens `spacing` cells stay free; a token takes `narrowest` cells at least.
    TokenFlow(std::shared_ptr<const TokenTable> tokens, std::uint64_t first, std::uint64_t count,
              int columns, double spacing, int narrowest = 1);

    /// Number of lines: exact once all stretches have been broken.
    [[nodiscard]] std::uint64_t lineCount() const { return m_before.empty() ? 0 : m_before.back(); }
    /// Lines before one, and the line with so many before it, as far as they are known. Of the line
    /// returned the neighbours are broken too: small steps from there are exact.
    [[nodiscard]] std::uint64_t linesBefore(const FlowLine& line) const;
    [[nodiscard]] FlowLine lineAt(std::uint64_t before);
    /// The line of a token, its neighbours broken too; the nearest one of tokens outside.
    [[nodiscard]] FlowLine lineOf(std::uint64_t token);
    /// So many lines further down or, negative, up; the first or last one beyond the ends.
    [[nodiscard]] FlowLine moved(FlowLine from, std::int64_t lines);
    /// lineCount() when it has to be right, as for a file.
    std::uint64_t breakAll();

    /// Tokens of a line: [begin, end). Equal for a line that does not exist.
    [[nodiscard]] std::uint64_t lineBegin(const FlowLine& line) const;
    [[nodiscard]] std::uint64_t lineEnd(const FlowLine& line) const;
    /// The line begins a document other than the first: a rule is drawn above it.
    [[nodiscard]] bool startsDocument(const FlowLine& line) const;

    /// Left edge and width of a token within its line, in character cells.
    struct Span {
        double left = 0.0, width = 0.0;
    };
    [[nodiscard]] double widthOf(std::uint64_t token) const;
    [[nodiscard]] Span spanOf(std::uint64_t token);
    /// The token of a line at a horizontal position in character cells.
    [[nodiscard]] std::optional<std::uint64_t> tokenAt(const FlowLine& line, double column) const;

private:
    struct Stretch {
        std::uint64_t first = 0, end = 0;
        std::uint64_t lines = 0;           // estimated until broken
        std::vector<std::uint32_t> begin;  // of each line after `first`; empty: not broken
    };
    void cut(std::uint64_t first, std::uint64_t end);
    [[nodiscard]] std::uint64_t estimate(const TokenStretch& of, double tokens, double share) const;
    void breakLines(std::size_t index);
    void breakAround(std::size_t stretch);
    void sumUp(std::size_t from);

    std::shared_ptr<const TokenTable> m_tokens;
    double m_spacing = 0.0;
    double m_columns = 1.0;
    double m_narrowest = 1.0;
    std::vector<Stretch> m_stretches;
    std::vector<std::uint64_t> m_before;  // [stretches + 1] lines before each
};

}  // namespace moescope::figures
