// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/text/tokenizer.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace moescope::text {

/// Hash that lets a map of strings be asked with a string_view.
struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
        return std::hash<std::string_view>{}(text);
    }
};
using Vocabulary = std::unordered_map<std::string, TokenId, TextHash, std::equal_to<>>;

/// What a byte-pair encoder is made of.
struct BpeParts {
    Vocabulary vocabulary;  ///< pieces as the text holds them (byte-level alphabets undone)
    struct Merge {
        TokenId left = 0;
        TokenId right = 0;
        TokenId merged = 0;
    };
    std::vector<Merge> merges;    ///< in order of rank
    bool bytesAsSymbols = false;  ///< start from bytes (byte-level), else from characters
    bool byteFallback = false;    ///< characters out of the vocabulary become <0xNN> pieces
    bool fuseUnknown = false;     ///< neighbouring unknown characters give one unknown token
    bool ignoreMerges = false;    ///< a word that is a piece is that piece
    std::optional<TokenId> unknownId;
};

/// Byte-pair encoding of one word (Sennrich et al. 2016): merges the pair of lowest rank first, the
/// leftmost of equals, in O(n log n) for n symbols. Characters that are neither pieces nor bytes
/// nor have an unknown token are left out, as the reference implementation does. Thread-safe.
class BpeModel {
public:
    explicit BpeModel(BpeParts parts);

    /// Appends the ids of `word`, valid UTF-8, to `out`.
    void encode(std::string_view word, std::vector<TokenId>& out) const;
    [[nodiscard]] const Vocabulary& vocabulary() const noexcept { return m_parts.vocabulary; }

private:
    /// Open-addressing table from a pair of ids to the rank and result of its merge.
    class MergeTable {
    public:
        struct Entry {
            std::uint64_t pair = UINT64_MAX;
            std::uint32_t rank = 0;
            TokenId merged = 0;
        };
        void build(const std::vector<BpeParts::Merge>& merges);
        [[nodiscard]] const Entry* find(TokenId left, TokenId right) const noexcept;

    private:
        [[nodiscard]] std::size_t slot(std::uint64_t pair) const noexcept;
        std::vector<Entry> m_entries;
        unsigned m_shift = 63;
    };

    void addBytes(std::string_view word, std::vector<TokenId>& symbols) const;
    void addCharacters(std::string_view word, std::vector<TokenId>& symbols) const;
    [[nodiscard]] bool addFallback(std::string_view character, std::vector<TokenId>& symbols) const;
    void mergeAll(const std::vector<TokenId>& symbols, std::vector<TokenId>& out) const;
    void mergeShort(std::vector<TokenId>& symbols) const;

    BpeParts m_parts;
    MergeTable m_merges;
    std::array<std::optional<TokenId>, 256> m_byteIds;  ///< of one-byte pieces or <0xNN>
};

}  // namespace moescope::text
