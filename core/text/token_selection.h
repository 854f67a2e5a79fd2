// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace moescope::text {

/// Tokens [first, first + count).
struct TokenRange {
    std::uint64_t first = 0, count = 0;
    [[nodiscard]] std::uint64_t end() const noexcept { return first + count; }
    bool operator==(const TokenRange&) const = default;
};
/// "17", "0-63" (both included) or "64-". Throws Error(Usage).
[[nodiscard]] TokenRange parseTokenRange(std::string_view text, std::uint64_t tokenCount);

/// Some tokens of a text: ranges, ascending, disjoint, none of them empty
/// and none touching the next.
class TokenSelection {
public:
    TokenSelection() = default;
    TokenSelection(TokenRange range);  // NOLINT(google-explicit-constructor): a range is one
    explicit TokenSelection(std::vector<TokenRange> ranges);

    [[nodiscard]] const std::vector<TokenRange>& ranges() const noexcept { return m_ranges; }
    [[nodiscard]] bool empty() const noexcept { return m_ranges.empty(); }
    [[nodiscard]] bool isOneRange() const noexcept { return m_ranges.size() == 1; }
    /// Number of tokens.
    [[nodiscard]] std::uint64_t count() const noexcept {
        return m_ranges.empty() ? 0 : m_before.back() + m_ranges.back().count;
    }
    [[nodiscard]] bool contains(std::uint64_t token) const;
    /// The i-th token, i < count(), and how many are before a token.
    [[nodiscard]] std::uint64_t at(std::uint64_t index) const;
    [[nodiscard]] std::uint64_t rank(std::uint64_t token) const;
    /// One behind the last token; 0 when empty.
    [[nodiscard]] std::uint64_t end() const noexcept;
    bool operator==(const TokenSelection&) const = default;

private:
    std::vector<TokenRange> m_ranges;
    std::vector<std::uint64_t> m_before;  ///< [ranges] tokens in the ranges before
};

/// Ranges separated by commas: "0-63,100,200-". Throws Error(Usage).
[[nodiscard]] TokenSelection parseTokens(std::string_view text, std::uint64_t tokenCount);
/// The tokens of documents "0", "2,5-7", "3-", numbered from 0; `offsets` as in a corpus (documents
/// + 1). Throws Error(Usage).
[[nodiscard]] TokenSelection parseDocuments(std::string_view text,
                                            std::span<const std::uint64_t> offsets);
/// Ranges as parseTokens() takes them for any text, ascending and as short as can be:
/// "4,0-2,3" is "0-4". Throws Error(Usage).
[[nodiscard]] std::string canonicalRanges(std::string_view text);
/// Every range, as parseTokens() takes them: "0-63,100". Apart for selections that are.
[[nodiscard]] std::string listOf(const TokenSelection& tokens);
/// "token 17", "tokens 10 to 14", "312 tokens in 4 ranges from 10 to 900".
[[nodiscard]] std::string describe(const TokenSelection& tokens);

}  // namespace moescope::text
