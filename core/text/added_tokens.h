// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/text/tokenizer.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace moescope::text {

/// A token that is found in the text itself before anything else happens: specials such as <s>,
/// and ordinary ones that a model's makers added to a trained vocabulary.
struct AddedToken {
    std::string content;
    TokenId id = 0;
    bool special = false;
    bool normalized = false;  ///< looked for in the normalised text instead of the raw one
    bool stripLeft = false;   ///< takes the white space before it along
    bool stripRight = false;  ///< takes the white space after it along
    bool singleWord = false;  ///< counts only between characters that make no words
};

/// Finds added tokens in a text, at each place the longest, from left to right, as the reference
/// implementation (Hugging Face tokenizers, AddedVocabulary). Thread-safe once constructed.
class AddedTokenMatcher {
public:
    AddedTokenMatcher() = default;
    explicit AddedTokenMatcher(std::vector<AddedToken> tokens);

    /// A stretch of text, or the token it was found to be.
    struct Piece {
        std::string_view text;
        std::optional<TokenId> id;
    };
    /// The pieces of `text` in order, none empty.
    [[nodiscard]] std::vector<Piece> split(std::string_view text) const;
    [[nodiscard]] bool isEmpty() const noexcept { return m_tokens.empty(); }

private:
    /// A trie over bytes; 0 is the root, which is why no child is 0.
    struct Node {
        std::vector<std::pair<unsigned char, std::uint32_t>> children;
        std::optional<std::size_t> token;
    };
    struct Found {
        std::size_t begin = 0;
        std::size_t end = 0;
        const AddedToken* token = nullptr;
    };

    void insert(const std::string& content, std::size_t token);
    [[nodiscard]] std::uint32_t child(std::uint32_t node, unsigned char byte) const;
    [[nodiscard]] Found findFrom(std::string_view text, std::size_t from) const;

    std::vector<AddedToken> m_tokens;
    std::vector<Node> m_nodes{Node{}};
    std::array<bool, 256> m_starts{};  ///< bytes that some token begins with
};

}  // namespace moescope::text
