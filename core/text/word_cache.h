// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/text/bpe_model.h"
#include "core/text/tokenizer.h"

#include <array>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace moescope::text {

/// Ids of words that were encoded before: texts repeat their words. Thread-safe; several threads
/// rarely wait for each other because words are spread over independent parts.
class WordCache {
public:
    /// Appends the ids to `out`; false when the word is not known.
    [[nodiscard]] bool find(std::string_view word, std::vector<TokenId>& out) const;
    void insert(std::string_view word, const TokenId* begin, const TokenId* end);
    /// Longer words are rare and not worth keeping.
    [[nodiscard]] static bool isWorthKeeping(std::string_view word) noexcept {
        return word.size() <= kLongestWord;
    }

private:
    static constexpr std::size_t kLongestWord = 64;
    static constexpr std::size_t kParts = 16;
    static constexpr std::size_t kWordsPerPart = 8192;

    struct Part {
        mutable std::mutex mutex;
        std::unordered_map<std::string, std::vector<TokenId>, TextHash, std::equal_to<>>
            words;  // guarded by mutex
    };
    [[nodiscard]] static std::size_t partOf(std::string_view word) noexcept {
        return TextHash{}(word) % kParts;
    }
    std::array<Part, kParts> m_parts;
};

}  // namespace moescope::text
