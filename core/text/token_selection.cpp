// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/token_selection.h"

#include "core/base/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

namespace moescope::text {
namespace {

std::optional<std::uint64_t> parseIndex(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

/// Calls `take` with each of the texts between commas.
template <typename Take>
void forEachEntry(std::string_view text, Take take) {
    for (std::size_t comma = 0; comma != std::string_view::npos;) {
        comma = text.find(',');
        take(text.substr(0, comma));
        text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    }
}

std::vector<TokenRange>::const_iterator firstBehind(const std::vector<TokenRange>& ranges,
                                                    std::uint64_t token) {
    return std::upper_bound(
        ranges.begin(), ranges.end(), token,
        [](std::uint64_t value, const TokenRange& range) { return value < range.first; });
}

}  // namespace

TokenSelection::TokenSelection(TokenRange range) : TokenSelection(std::vector<TokenRange>{range}) {}

TokenSelection::TokenSelection(std::vector<TokenRange> ranges) {
    std::sort(ranges.begin(), ranges.end(),
              [](const TokenRange& a, const TokenRange& b) { return a.first < b.first; });
    for (const TokenRange& range : ranges) {
        if (range.count == 0) {
            continue;
        }
        if (!m_ranges.empty() && range.first <= m_ranges.back().end()) {
            TokenRange& last = m_ranges.back();
            last.count = std::max(last.end(), range.end()) - last.first;
        } else {
            m_ranges.push_back(range);
        }
    }
    std::uint64_t before = 0;
    for (const TokenRange& range : m_ranges) {
        m_before.push_back(before);
        before += range.count;
    }
}

bool TokenSelection::contains(std::uint64_t token) const {
    const auto after = firstBehind(m_ranges, token);
    return after != m_ranges.begin() && token < std::prev(after)->end();
}

std::uint64_t TokenSelection::at(std::uint64_t index) const {
    const auto after = std::upper_bound(m_before.begin(), m_before.end(), index);
    const auto range = static_cast<std::size_t>(after - m_before.begin()) - 1;
    return m_ranges[range].first + index - m_before[range];
}

std::uint64_t TokenSelection::rank(std::uint64_t token) const {
    const auto after = firstBehind(m_ranges, token);
    if (after == m_ranges.begin()) {
        return 0;
    }
    const auto range = static_cast<std::size_t>(after - m_ranges.begin()) - 1;
    return m_before[range] + std::min(token - m_ranges[range].first, m_ranges[range].count);
}

std::uint64_t TokenSelection::end() const noexcept {
    return m_ranges.empty() ? 0 : m_ranges.back().end();
}

namespace {

/// "17", "0-63" or "64-" of `count` things, "Tokens" or "Documents"; nothing for another form.
/// Throws Error(Usage) where there are not so many.
std::optional<TokenRange> parseRange(std::string_view text, std::uint64_t count,
                                     std::string_view things) {
    const std::size_t dash = text.find('-');
    const auto first = parseIndex(text.substr(0, dash));
    std::optional<std::uint64_t> last = first;
    if (dash != std::string_view::npos) {
        const std::string_view end = text.substr(dash + 1);
        last = end.empty() ? std::optional(count == 0 ? 0 : count - 1) : parseIndex(end);
    }
    if (!first || !last || *last < *first) {
        return std::nullopt;
    }
    if (*last >= count) {
        std::string lower(things);
        lower.front() = static_cast<char>(lower.front() - 'A' + 'a');
        throw Error(ErrorCode::Usage,
                    count == 0
                        ? fmt::format("{} {} were asked for, but there is no text.", things, text)
                        : fmt::format("{} {} were asked for, but the text has {} 0 to {}.", things,
                                      text, lower, count - 1));
    }
    return TokenRange{*first, *last - *first + 1};
}

}  // namespace

TokenRange parseTokenRange(std::string_view text, std::uint64_t tokenCount) {
    const auto range = parseRange(text, tokenCount, "Tokens");
    if (!range) {
        throw Error(ErrorCode::Usage,
                    fmt::format("The token range \"{}\" is not understood: give one token (17), a "
                                "range with both ends in it (0-63) or an open one (64-).",
                                text));
    }
    return *range;
}

TokenSelection parseTokens(std::string_view text, std::uint64_t tokenCount) {
    std::vector<TokenRange> ranges;
    forEachEntry(text, [&](std::string_view entry) {
        ranges.push_back(parseTokenRange(entry, tokenCount));
    });
    return TokenSelection(std::move(ranges));
}

TokenSelection parseDocuments(std::string_view text, std::span<const std::uint64_t> offsets) {
    const std::uint64_t documents = offsets.empty() ? 0 : offsets.size() - 1;
    std::vector<TokenRange> ranges;
    forEachEntry(text, [&](std::string_view entry) {
        const auto range = parseRange(entry, documents, "Documents");
        if (!range) {
            throw Error(ErrorCode::Usage,
                        fmt::format("The documents \"{}\" are not understood: give numbers from 0 "
                                    "and ranges such as 0,2,5-7.",
                                    text));
        }
        ranges.push_back({offsets[range->first], offsets[range->end()] - offsets[range->first]});
    });
    return TokenSelection(std::move(ranges));
}

std::string canonicalRanges(std::string_view text) {
    constexpr auto kEndless = std::numeric_limits<std::uint64_t>::max();
    std::string result;
    const TokenSelection tokens = parseTokens(text, kEndless);
    for (const TokenRange& range : tokens.ranges()) {
        result += result.empty() ? "" : ",";
        result += range.end() == kEndless ? fmt::format("{}-", range.first)
                  : range.count == 1      ? fmt::format("{}", range.first)
                                          : fmt::format("{}-{}", range.first, range.end() - 1);
    }
    return result;
}

std::string listOf(const TokenSelection& tokens) {
    std::string list;
    for (const TokenRange& range : tokens.ranges()) {
        list += list.empty() ? "" : ",";
        list += range.count == 1 ? fmt::format("{}", range.first)
                                 : fmt::format("{}-{}", range.first, range.end() - 1);
    }
    return list;
}

std::string describe(const TokenSelection& tokens) {
    if (tokens.empty()) {
        return "no tokens";
    }
    const TokenRange& first = tokens.ranges().front();
    if (tokens.count() == 1) {
        return fmt::format("token {}", first.first);
    }
    if (tokens.isOneRange()) {
        return fmt::format("tokens {} to {}", first.first, first.end() - 1);
    }
    return fmt::format("{} tokens in {} ranges from {} to {}", tokens.count(),
                       tokens.ranges().size(), first.first, tokens.end() - 1);
}

}  // namespace moescope::text
