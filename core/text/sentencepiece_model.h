// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/text/bpe_model.h"
#include "core/text/sentencepiece_normalizer.h"
#include "core/text/sentencepiece_proto.h"
#include "core/text/tokenizer.h"

#include <array>
#include <optional>
#include <string_view>
#include <vector>

namespace moescope::text {

/// Encodes as the SentencePiece library does, for BPE and unigram models: merges by falling piece
/// score, the leftmost of equals (bpe_model.cc), or the best path by the sum of piece scores
/// (unigram_model.cc). Characters that no piece covers become byte pieces or the unknown piece.
/// Thread-safe.
class SentencePieceModel {
public:
    using PieceType = SentencePieceProto::PieceType;

    /// Throws Error(BadTokenizer) naming `where` for a model that contradicts itself, or of a kind
    /// that no language model uses (word, character).
    SentencePieceModel(SentencePieceProto proto, std::string_view where);

    [[nodiscard]] std::size_t size() const noexcept { return m_proto.pieces.size(); }
    [[nodiscard]] const std::string& piece(TokenId id) const { return m_proto.pieces[id].text; }
    [[nodiscard]] PieceType type(TokenId id) const { return m_proto.pieces[id].type; }
    [[nodiscard]] std::optional<TokenId> find(std::string_view piece) const;
    [[nodiscard]] std::optional<TokenId> bosId() const { return control(m_proto.bosPiece); }
    [[nodiscard]] std::optional<TokenId> eosId() const { return control(m_proto.eosPiece); }
    [[nodiscard]] const SentencePieceProto& proto() const noexcept { return m_proto; }

    /// Appends the ids of a text in UTF-8. `addPrefix` false leaves out the prefix space that the
    /// model asks for.
    void encode(std::string_view text, bool addPrefix, std::vector<TokenId>& ids) const;

private:
    [[nodiscard]] std::optional<TokenId> control(std::string_view piece) const;
    void index(std::string_view where);
    void indexPiece(TokenId id, std::string_view where);
    [[nodiscard]] std::vector<std::string_view> splitBpe(std::string_view text) const;
    [[nodiscard]] std::vector<std::string_view> splitUnigram(std::string_view text) const;
    void appendPiece(std::string_view piece, bool& afterUnknown, std::vector<TokenId>& ids) const;

    SentencePieceProto m_proto;
    Vocabulary m_textPieces;   ///< what a text can be made of: normal, user-defined, unused
    Vocabulary m_otherPieces;  ///< unknown, control, byte
    std::array<std::optional<TokenId>, 256> m_bytes;
    TokenId m_unknown = 0;
    std::size_t m_longestPiece = 0;                       ///< in bytes
    float m_smallestScore = 0.0F, m_largestScore = 0.0F;  ///< of normal pieces
    SentencePieceNormalizer m_normalizer;
};

}  // namespace moescope::text
