// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/sentencepiece_model.h"

#include "core/base/error.h"
#include "core/text/utf8.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace moescope::text {
namespace {

using PieceType = SentencePieceProto::PieceType;

[[noreturn]] void refuse(std::string_view where, std::string_view what) {
    throw Error(ErrorCode::BadTokenizer, fmt::format("{}: {}.", where, what));
}

bool isOfText(PieceType type) {
    return type == PieceType::Normal || type == PieceType::UserDefined || type == PieceType::Unused;
}

PrefixMatcher userDefinedOf(const SentencePieceProto& proto) {
    PrefixMatcher matcher;
    for (const auto& piece : proto.pieces) {
        if (piece.type == PieceType::UserDefined) {
            matcher.add(piece.text);
        }
    }
    return matcher;
}

/// "<0x41>" is the byte 0x41.
std::optional<unsigned> byteOf(std::string_view piece) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    if (piece.size() != 6 || !piece.starts_with("<0x") || piece.back() != '>') {
        return std::nullopt;
    }
    const std::size_t high = kDigits.find(piece[3]);
    const std::size_t low = kDigits.find(piece[4]);
    if (high == std::string_view::npos || low == std::string_view::npos) {
        return std::nullopt;
    }
    return static_cast<unsigned>(high * 16 + low);
}

}  // namespace

SentencePieceModel::SentencePieceModel(SentencePieceProto proto, std::string_view where)
    : m_proto(std::move(proto)), m_normalizer(m_proto, userDefinedOf(m_proto), where) {
    if (m_proto.modelType != SentencePieceProto::ModelType::Bpe &&
        m_proto.modelType != SentencePieceProto::ModelType::Unigram) {
        refuse(where, "this kind of SentencePiece model (word or character) is not supported");
    }
    index(where);
}

void SentencePieceModel::index(std::string_view where) {
    m_smallestScore = std::numeric_limits<float>::max();
    m_largestScore = std::numeric_limits<float>::lowest();
    std::size_t unknowns = 0;
    for (TokenId id = 0; id < size(); ++id) {
        indexPiece(id, where);
        unknowns += type(id) == PieceType::Unknown ? 1 : 0;
        if (type(id) == PieceType::Normal) {
            m_smallestScore = std::min(m_smallestScore, m_proto.pieces[id].score);
            m_largestScore = std::max(m_largestScore, m_proto.pieces[id].score);
        }
    }
    if (unknowns != 1) {
        refuse(where, "the model must have exactly one unknown piece");
    }
    const bool allBytes =
        std::all_of(m_bytes.begin(), m_bytes.end(), [](const auto& id) { return id.has_value(); });
    if (m_proto.byteFallback && !allBytes) {
        refuse(where, "the model falls back to bytes but does not have all 256 byte pieces");
    }
}

void SentencePieceModel::indexPiece(TokenId id, std::string_view where) {
    const std::string& text = piece(id);
    Vocabulary& vocabulary = isOfText(type(id)) ? m_textPieces : m_otherPieces;
    if (!vocabulary.emplace(text, id).second) {
        refuse(where, fmt::format("the piece \"{}\" comes twice", text));
    }
    if (isOfText(type(id))) {
        m_longestPiece = std::max(m_longestPiece, text.size());
    } else if (type(id) == PieceType::Unknown) {
        m_unknown = id;
    } else if (type(id) == PieceType::Byte) {
        const std::optional<unsigned> byte = byteOf(text);
        if (!byte) {
            refuse(where, fmt::format("\"{}\" is no byte piece", text));
        }
        m_bytes[*byte] = id;
    }
}

std::optional<TokenId> SentencePieceModel::find(std::string_view piece) const {
    for (const Vocabulary* vocabulary : {&m_otherPieces, &m_textPieces}) {
        if (const auto found = vocabulary->find(piece); found != vocabulary->end()) {
            return found->second;
        }
    }
    return std::nullopt;
}

std::optional<TokenId> SentencePieceModel::control(std::string_view piece) const {
    const std::optional<TokenId> id = find(piece);
    return id && type(*id) == PieceType::Control ? id : std::nullopt;
}

void SentencePieceModel::encode(std::string_view text, bool addPrefix,
                                std::vector<TokenId>& ids) const {
    const std::string normalized = m_normalizer.normalize(text, addPrefix);
    const bool bpe = m_proto.modelType == SentencePieceProto::ModelType::Bpe;
    bool afterUnknown = false;
    for (const std::string_view piece : bpe ? splitBpe(normalized) : splitUnigram(normalized)) {
        appendPiece(piece, afterUnknown, ids);
    }
}

void SentencePieceModel::appendPiece(std::string_view piece, bool& afterUnknown,
                                     std::vector<TokenId>& ids) const {
    const std::optional<TokenId> id = find(piece);
    const bool unknown = !id || *id == m_unknown;
    if (!unknown) {
        ids.push_back(*id);
    } else if (m_proto.byteFallback) {
        for (const char byte : piece) {
            ids.push_back(*m_bytes[static_cast<unsigned char>(byte)]);
        }
    } else if (!afterUnknown) {
        ids.push_back(m_unknown);  // a run of unknown characters is one unknown token
    }
    afterUnknown = unknown;
}

std::vector<std::string_view> SentencePieceModel::splitUnigram(std::string_view text) const {
    constexpr float kUnknownPenalty = 10.0F;
    struct Arrival {
        float score = 0.0F;
        std::size_t from = 0;
        bool reached = false;
    };
    std::vector<Arrival> best(text.size() + 1);
    best[0].reached = true;
    const auto arrive = [&](std::size_t from, std::size_t length, float score) {
        Arrival& there = best[from + length];
        const float sum = best[from].score + score;
        if (!there.reached || sum > there.score) {
            there = {sum, from, true};
        }
    };
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t character = std::max<std::size_t>(1, utf8SequenceLength(text, at));
        bool covered = false;
        const std::size_t longest = std::min(m_longestPiece, text.size() - at);
        for (std::size_t length = character; length <= longest; ++length) {
            const auto found = m_textPieces.find(text.substr(at, length));
            if (found == m_textPieces.end() || type(found->second) == PieceType::Unused) {
                continue;
            }
            // A user-defined piece wins over whatever else covers its text.
            const float score = type(found->second) == PieceType::UserDefined
                                    ? static_cast<float>(length) * m_largestScore - 0.1F
                                    : m_proto.pieces[found->second].score;
            arrive(at, length, score);
            covered = covered || length == character;
        }
        if (!covered) {
            arrive(at, character, m_smallestScore - kUnknownPenalty);
        }
        at += character;
    }
    std::vector<std::string_view> pieces;
    for (std::size_t end = text.size(); end > 0; end = best[end].from) {
        pieces.push_back(text.substr(best[end].from, end - best[end].from));
    }
    std::reverse(pieces.begin(), pieces.end());
    return pieces;
}

}  // namespace moescope::text
