// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/text/sentencepiece_proto.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace moescope::text {

/// Strings that are found whole before anything else: at each place the longest one. Thread-safe.
class PrefixMatcher {
public:
    void add(std::string text);
    /// Length of the longest string that begins the text; 0: none.
    [[nodiscard]] std::size_t match(std::string_view text) const;

private:
    std::unordered_map<char, std::vector<std::string>> m_byFirstByte;  // longest first
};

/// Replacement rules for characters as SentencePiece compiles them: a double-array trie (the darts
/// format) from UTF-8 sequences to offsets into a pool of zero-terminated strings. Thread-safe.
class CharsMap {
public:
    CharsMap() = default;
    /// Throws Error(BadTokenizer) naming `where`.
    CharsMap(std::string_view compiled, std::string_view where);

    struct Match {
        std::size_t length = 0;  ///< 0: no rule
        std::string_view replacement;
    };
    /// The longest rule that begins the text.
    [[nodiscard]] Match match(std::string_view text) const;

private:
    std::vector<std::uint32_t> m_trie;
    std::string m_pool;
};

/// The text as SentencePiece hands it to its models: characters replaced, spaces joined, trimmed
/// and marked (U+2581), as the model's normalizer_spec says (normalizer.cc). Thread-safe.
class SentencePieceNormalizer {
public:
    /// `userDefined`: pieces that no rule may touch.
    SentencePieceNormalizer(const SentencePieceProto& proto, PrefixMatcher userDefined,
                            std::string_view where);

    [[nodiscard]] std::string normalize(std::string_view text, bool addPrefix) const;
    [[nodiscard]] const PrefixMatcher& userDefined() const noexcept { return m_userDefined; }

private:
    struct Step {
        std::size_t consumed = 0;
        std::string_view replacement;
    };
    [[nodiscard]] Step step(std::string_view text) const;
    void appendSpace(std::string& out) const;
    [[nodiscard]] std::string_view withoutLeadingSpaces(std::string_view text) const;
    void removeTrailingSpaces(std::string& text) const;

    CharsMap m_charsMap;
    PrefixMatcher m_userDefined;
    bool m_addPrefix, m_removeExtraSpaces, m_escapeSpaces, m_spaceAsSuffix;
};

}  // namespace moescope::text
