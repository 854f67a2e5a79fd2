// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace moescope::text {

/// What a tokenizer.model holds, a protocol-buffers message (sentencepiece_model.proto of
/// SentencePiece). We read it ourselves: the SentencePiece library brings a protocol-buffers
/// library of its own whose symbols break the one LibTorch uses in the same process.
struct SentencePieceProto {
    enum class PieceType {
        Normal = 1,
        Unknown = 2,
        Control = 3,
        UserDefined = 4,
        Unused = 5,
        Byte = 6
    };
    struct Piece {
        std::string text;
        float score = 0.0F;
        PieceType type = PieceType::Normal;
    };
    enum class ModelType { Unigram = 1, Bpe = 2, Word = 3, Char = 4 };

    std::vector<Piece> pieces;
    ModelType modelType = ModelType::Unigram;
    bool byteFallback = false;
    bool spaceAsSuffix = false;
    std::string bosPiece = "<s>", eosPiece = "</s>";

    std::string charsMap;  ///< see CharsMap; empty: characters stay as they are
    bool addDummyPrefix = true;
    bool removeExtraSpaces = true;
    bool escapeSpaces = true;
};

/// Throws Error(BadTokenizer) naming `where`; everything in the bytes is untrusted.
[[nodiscard]] SentencePieceProto parseSentencePiece(std::string_view bytes, std::string_view where);

}  // namespace moescope::text
