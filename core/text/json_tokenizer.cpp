// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/json_tokenizer.h"

#include "core/text/utf8.h"

#include <fmt/format.h>

namespace moescope::text {
namespace {

AddedTokenMatcher matcher(const JsonTokenizerParts& parts, bool normalized) {
    std::vector<AddedToken> tokens;
    for (AddedToken token : parts.addedTokens) {
        if (token.normalized != normalized) {
            continue;
        }
        if (normalized) {
            token.content = parts.normalizer.apply(token.content);
        }
        tokens.push_back(std::move(token));
    }
    return AddedTokenMatcher(std::move(tokens));
}

}  // namespace

JsonTokenizer::JsonTokenizer(JsonTokenizerParts parts)
    : m_parts(std::move(parts)),
      m_model(std::move(m_parts.model)),
      m_rawTokens(matcher(m_parts, false)),
      m_normalizedTokens(matcher(m_parts, true)) {
    for (const AddedToken& token : m_parts.addedTokens) {
        if (token.special) {
            m_specials.insert(token.id);
        }
    }
    for (std::size_t id = 0; id < m_parts.pieces.size(); ++id) {
        if (!m_parts.pieces[id].empty()) {
            m_ids.emplace(m_parts.pieces[id], static_cast<TokenId>(id));
        }
    }
}

void JsonTokenizer::encodeWord(std::string_view word, std::vector<TokenId>& out) const {
    const bool keep = WordCache::isWorthKeeping(word);
    if (keep && m_cache.find(word, out)) {
        return;
    }
    const std::size_t before = out.size();
    m_model.encode(word, out);
    if (keep) {
        m_cache.insert(word, out.data() + before, out.data() + out.size());
    }
}

void JsonTokenizer::encodeStretch(std::string_view text, bool isTextStart,
                                  std::vector<TokenId>& out) const {
    std::string changed;
    if (!m_parts.normalizer.isEmpty()) {
        changed = m_parts.normalizer.apply(text);
        text = changed;
    }
    PreTokenizer::Words words;
    for (const AddedTokenMatcher::Piece& piece : m_normalizedTokens.split(text)) {
        if (piece.id) {
            out.push_back(*piece.id);
        } else {
            m_parts.preTokenizer.apply(piece.text, isTextStart, words);
            for (const std::string_view word : words.list) {
                encodeWord(word, out);
            }
        }
        isTextStart = false;
    }
}

std::vector<TokenId> JsonTokenizer::encode(std::string_view utf8, bool addSpecialTokens) const {
    requireUtf8(utf8, "The text");
    std::vector<TokenId> ids;
    ids.reserve(utf8.size() / 3);
    if (addSpecialTokens) {
        ids = m_parts.prefix;
    }
    bool isTextStart = true;
    for (const AddedTokenMatcher::Piece& piece : m_rawTokens.split(utf8)) {
        if (piece.id) {
            ids.push_back(*piece.id);
        } else {
            encodeStretch(piece.text, isTextStart, ids);
        }
        isTextStart = false;
    }
    if (addSpecialTokens) {
        ids.insert(ids.end(), m_parts.suffix.begin(), m_parts.suffix.end());
    }
    return ids;
}

std::string JsonTokenizer::tokenBytes(TokenId id) const {
    return id < m_parts.tokenBytes.size() ? m_parts.tokenBytes[id] : std::string();
}

bool JsonTokenizer::isSpecial(TokenId id) const {
    return m_specials.contains(id);
}

std::optional<TokenId> JsonTokenizer::idOf(std::string_view token) const {
    const auto found = m_ids.find(token);
    return found != m_ids.end() ? std::optional(found->second) : std::nullopt;
}

std::string JsonTokenizer::description() const {
    return fmt::format("{}, {} pieces",
                       m_parts.preTokenizer.isByteLevel() ? "byte-level BPE" : "BPE",
                       vocabularySize());
}

}  // namespace moescope::text
