// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/sentencepiece_tokenizer.h"

#include "core/base/error.h"
#include "core/base/file_system.h"
#include "core/text/added_tokens.h"
#include "core/text/sentencepiece_model.h"
#include "core/text/tokenizer_config.h"
#include "core/text/utf8.h"
#include "core/text/vocabulary_identity.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

namespace moescope::text {
namespace {

using PieceType = SentencePieceModel::PieceType;

constexpr std::string_view kSpaceMark = "\xE2\x96\x81";  // U+2581

std::string spaced(std::string_view piece) {
    std::string out;
    for (std::size_t at = 0; at < piece.size();) {
        if (piece.substr(at).starts_with(kSpaceMark)) {
            out.push_back(' ');
            at += kSpaceMark.size();
        } else {
            out.push_back(piece[at++]);
        }
    }
    return out;
}

class SentencePieceTokenizer final : public Tokenizer {
public:
    SentencePieceTokenizer(SentencePieceProto proto, std::string_view where,
                           const TokenizerConfig& config)
        : m_model(std::move(proto), where), m_legacyPrefix(config.legacyPrefix) {
        readPieces();
        readAddedTokens(config);
        readTemplate(config);
    }

    std::vector<TokenId> encode(std::string_view utf8, bool addSpecialTokens) const override {
        requireUtf8(utf8, "The text");
        std::vector<TokenId> ids;
        if (addSpecialTokens && m_addBos) {
            ids.push_back(*m_bos);
        }
        bool isTextStart = true;
        for (const AddedTokenMatcher::Piece& piece : m_specialTokens.split(utf8)) {
            if (piece.id) {
                ids.push_back(*piece.id);
            } else {
                encodeStretch(piece.text, isTextStart, ids);
            }
            isTextStart = false;
        }
        if (addSpecialTokens && m_addEos) {
            ids.push_back(*m_eos);
        }
        return ids;
    }

    std::string tokenBytes(TokenId id) const override {
        return id < m_bytes.size() ? m_bytes[id] : std::string();
    }
    bool isSpecial(TokenId id) const override { return m_specials.contains(id); }
    std::size_t vocabularySize() const override { return m_bytes.size(); }
    std::optional<TokenId> bosId() const override { return m_bos; }
    std::optional<TokenId> idOf(std::string_view token) const override {
        if (const auto found = m_addedIds.find(std::string(token)); found != m_addedIds.end()) {
            return found->second;
        }
        return m_model.find(token);
    }
    std::string description() const override {
        return fmt::format("SentencePiece, {} pieces", vocabularySize());
    }
    std::string identity() const override { return m_identity; }

private:
    void readPieces() {
        std::vector<std::string> pieces;
        for (TokenId id = 0; id < m_model.size(); ++id) {
            pieces.push_back(m_model.piece(id));
            const std::string& piece = pieces.back();
            const PieceType type = m_model.type(id);
            if (type == PieceType::Byte) {
                m_bytes.emplace_back(1,
                                     static_cast<char>(std::stoi(piece.substr(3, 2), nullptr, 16)));
            } else if (type == PieceType::Control || type == PieceType::Unknown) {
                m_bytes.push_back(piece);
                m_specials.insert(id);
            } else {
                m_bytes.push_back(spaced(piece));
            }
        }
        m_identity = vocabularyIdentity(pieces);
    }

    void readAddedTokens(const TokenizerConfig& config) {
        std::vector<AddedToken> tokens = config.addedTokens;
        for (const TokenId id : m_specials) {
            AddedToken token;
            token.content = m_bytes[id];
            token.id = id;
            token.special = true;
            tokens.push_back(std::move(token));
        }
        constexpr TokenId kLargestId = (TokenId{1} << 22U) - 1;
        std::vector<AddedToken> kept;
        for (AddedToken& token : tokens) {
            if (token.id > kLargestId || !m_addedIds.emplace(token.content, token.id).second) {
                continue;
            }
            if (token.id >= m_bytes.size()) {
                m_bytes.resize(token.id + 1);
            }
            m_bytes[token.id] = token.content;
            if (token.special) {
                m_specials.insert(token.id);
            }
            kept.push_back(std::move(token));
        }
        m_specialTokens = AddedTokenMatcher(std::move(kept));
    }

    void readTemplate(const TokenizerConfig& config) {
        const auto choose = [this](const std::optional<std::string>& name,
                                   std::optional<TokenId> own) {
            const auto named = name ? idOf(*name) : std::nullopt;
            return named ? named : own;
        };
        m_bos = choose(config.bosToken, m_model.bosId());
        m_eos = choose(config.eosToken, m_model.eosId());
        m_addBos = config.addBos.value_or(true) && m_bos;
        m_addEos = config.addEos.value_or(false) && m_eos;
    }

    void encodeStretch(std::string_view text, bool isTextStart, std::vector<TokenId>& ids) const {
        m_model.encode(text, m_legacyPrefix || isTextStart, ids);
    }

    SentencePieceModel m_model;
    bool m_legacyPrefix;
    std::vector<std::string> m_bytes;
    std::unordered_set<TokenId> m_specials;
    std::unordered_map<std::string, TokenId> m_addedIds;
    AddedTokenMatcher m_specialTokens;
    std::optional<TokenId> m_bos;
    std::optional<TokenId> m_eos;
    bool m_addBos = false;
    bool m_addEos = false;
    std::string m_identity;
};

}  // namespace

std::unique_ptr<Tokenizer> loadSentencePiece(const std::filesystem::path& folder) {
    const std::filesystem::path path = folder / "tokenizer.model";
    return makeSentencePiece(parseSentencePiece(readTextFile(path), path.string()), path.string(),
                             readTokenizerConfig(folder));
}

std::unique_ptr<Tokenizer> makeSentencePiece(SentencePieceProto proto, std::string_view where,
                                             const TokenizerConfig& config) {
    return std::make_unique<SentencePieceTokenizer>(std::move(proto), where, config);
}

}  // namespace moescope::text
