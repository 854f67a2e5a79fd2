// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/text/corpus.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace moescope::figures {

/// Consecutive tokens that are broken into lines together: whole paragraphs of one or more
/// documents, or part of a paragraph of thousands of tokens. With what tells about how many lines
/// they take without looking at them.
struct TokenStretch {
    std::uint64_t first = 0;
    std::uint64_t columns = 0;     ///< of all its tokens
    std::uint32_t paragraphs = 0;  ///< lines it takes at least
    std::uint32_t narrow = 0;      ///< columns that its tokens of one or two lack to three
};

/// The text of a session as it is shown: one short UTF-8 string per token with visible marks, its
/// width in character cells, and where documents begin. Made once per session, shared by all
/// layers; compact, so that a million tokens fit. Immutable; Thread-safe.
class TokenTable {
public:
    /// Throws Error(BadSession) when the documents do not cover the tokens.
    explicit TokenTable(const text::TokenizedCorpus& corpus);

    [[nodiscard]] std::uint64_t size() const noexcept { return m_columns.size(); }
    [[nodiscard]] std::string_view text(std::uint64_t token) const;
    [[nodiscard]] int columns(std::uint64_t token) const { return m_columns[token]; }
    /// The token contains a newline: what follows starts on a new line.
    [[nodiscard]] bool endsLine(std::uint64_t token) const { return m_endsLine[token]; }
    [[nodiscard]] const std::vector<std::uint64_t>& documentOffsets() const noexcept {
        return m_offsets;
    }
    [[nodiscard]] std::uint64_t documentOf(std::uint64_t token) const;
    [[nodiscard]] const std::string& documentName(std::uint64_t document) const;
    /// Cover all tokens, in their order.
    [[nodiscard]] const std::vector<TokenStretch>& stretches() const noexcept {
        return m_stretches;
    }

private:
    void append(std::span<const std::string> tokenBytes);
    void cutStretches();

    std::string m_pool;
    std::vector<std::uint64_t> m_begin;  // [T + 1] into m_pool
    std::vector<std::uint16_t> m_columns;
    std::vector<bool> m_endsLine;
    std::vector<std::uint64_t> m_offsets;
    std::vector<TokenStretch> m_stretches;
    std::vector<std::string> m_names;
};

/// The token between marks with up to `around` tokens of its document on either side.
[[nodiscard]] std::string excerptAround(const TokenTable& tokens, std::uint64_t token,
                                        std::uint64_t around);

/// Character cells a UTF-8 string takes in a monospaced font: 2 for East Asian wide characters and
/// emoji, 0 for combining marks, else 1.
[[nodiscard]] int displayColumns(std::string_view utf8);

}  // namespace moescope::figures
