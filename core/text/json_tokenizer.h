// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/text/added_tokens.h"
#include "core/text/bpe_model.h"
#include "core/text/normalizer.h"
#include "core/text/pre_tokenizer.h"
#include "core/text/tokenizer.h"
#include "core/text/word_cache.h"

#include <filesystem>
#include <memory>
#include <unordered_set>

namespace moescope::text {

/// What a tokenizer.json says, read and checked: the parts of a JsonTokenizer.
struct JsonTokenizerParts {
    std::vector<AddedToken> addedTokens;
    Normalizer normalizer;
    PreTokenizer preTokenizer;
    BpeParts model;
    std::vector<TokenId> prefix;  ///< ids that the post-processor puts before a text
    std::vector<TokenId> suffix;
    /// What each piece is in the text, decoder applied; by id, empty where no id is.
    std::vector<std::string> tokenBytes;
    std::vector<std::string> pieces;  ///< as the file writes them
    std::optional<TokenId> bosId;
    std::string identity;
};

/// Byte-pair encoding as a tokenizer.json describes it: added tokens, normalizer, pre-tokenizer,
/// merges and template, in the order of the reference implementation (Hugging Face tokenizers,
/// TokenizerImpl::encode). Thread-safe.
///
/// Known deviations, both of Unicode tables: characters assigned after the version of the PCRE2
/// library (see Regex) fall into other words, and NFC orders combining marks as the ICU library's
/// version says, where the reference's table is older (seen: U+0EBA, Lao).
class JsonTokenizer final : public Tokenizer {
public:
    explicit JsonTokenizer(JsonTokenizerParts parts);

    [[nodiscard]] std::vector<TokenId> encode(std::string_view utf8,
                                              bool addSpecialTokens) const override;
    [[nodiscard]] std::string tokenBytes(TokenId id) const override;
    [[nodiscard]] bool isSpecial(TokenId id) const override;
    [[nodiscard]] std::size_t vocabularySize() const override { return m_parts.pieces.size(); }
    [[nodiscard]] std::optional<TokenId> bosId() const override { return m_parts.bosId; }
    [[nodiscard]] std::optional<TokenId> idOf(std::string_view token) const override;
    [[nodiscard]] std::string description() const override;
    [[nodiscard]] std::string identity() const override { return m_parts.identity; }

private:
    void encodeStretch(std::string_view text, bool isTextStart, std::vector<TokenId>& out) const;
    void encodeWord(std::string_view word, std::vector<TokenId>& out) const;

    JsonTokenizerParts m_parts;
    BpeModel m_model;
    AddedTokenMatcher m_rawTokens;         ///< found in the text as it is
    AddedTokenMatcher m_normalizedTokens;  ///< found in the normalised text
    std::unordered_set<TokenId> m_specials;
    Vocabulary m_ids;  ///< of all pieces as the file writes them
    mutable WordCache m_cache;
};

/// Reads a tokenizer.json beside its configuration. Throws Error(BadTokenizer) naming the file and
/// the component that is not understood.
[[nodiscard]] std::unique_ptr<Tokenizer> loadJsonTokenizer(const std::filesystem::path& folder);

}  // namespace moescope::text
