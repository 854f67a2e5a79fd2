// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/sentencepiece_proto.h"

#include "core/base/error.h"
#include "core/text/utf8.h"

#include <fmt/format.h>

#include <bit>
#include <optional>

namespace moescope::text {
namespace {

[[noreturn]] void refuse(std::string_view where, std::string_view what) {
    throw Error(ErrorCode::BadTokenizer,
                fmt::format("{} is no SentencePiece model: {}.", where, what));
}

/// One field of a message: a number (varint or fixed width) or bytes.
struct Field {
    std::uint64_t tag = 0;
    std::uint64_t number = 0;
    std::string_view bytes;
};

/// Walks over the fields of a message. Wire types: 0 varint, 1 eight bytes, 2 length and bytes,
/// 5 four bytes.
class FieldReader {
public:
    FieldReader(std::string_view message, std::string_view where)
        : m_rest(message), m_where(where) {}

    std::optional<Field> next() {
        if (m_rest.empty()) {
            return std::nullopt;
        }
        const std::uint64_t key = varint();
        Field field;
        field.tag = key >> 3U;
        switch (key & 7U) {
            case 0:
                field.number = varint();
                break;
            case 1:
                field.number = fixed(8);
                break;
            case 2:
                field.bytes = take(varint());
                break;
            case 5:
                field.number = fixed(4);
                break;
            default:
                refuse(m_where, "a field of an unknown kind");
        }
        return field;
    }

private:
    std::string_view take(std::uint64_t size) {
        if (size > m_rest.size()) {
            refuse(m_where, "it is cut off");
        }
        const std::string_view taken = m_rest.substr(0, static_cast<std::size_t>(size));
        m_rest.remove_prefix(taken.size());
        return taken;
    }
    std::uint64_t varint() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            const auto byte = static_cast<unsigned char>(take(1).front());
            value |= std::uint64_t{byte & 0x7FU} << shift;
            if (byte < 0x80U) {
                return value;
            }
        }
        refuse(m_where, "a number that does not end");
    }
    std::uint64_t fixed(unsigned size) {
        const std::string_view bytes = take(size);
        std::uint64_t value = 0;
        for (unsigned i = 0; i < size; ++i) {
            value |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8U * i);
        }
        return value;
    }

    std::string_view m_rest;
    std::string_view m_where;
};

template <typename Use>
void forEachField(std::string_view message, std::string_view where, const Use& use) {
    FieldReader reader(message, where);
    while (const std::optional<Field> field = reader.next()) {
        use(*field);
    }
}

/// An enumeration whose values run from 1 to `last`.
template <typename Enum>
Enum enumOf(std::uint64_t value, Enum last, std::string_view where, std::string_view what) {
    if (value < 1 || value > static_cast<std::uint64_t>(last)) {
        refuse(where, what);
    }
    return static_cast<Enum>(value);
}

SentencePieceProto::Piece readPiece(std::string_view message, std::string_view where) {
    SentencePieceProto::Piece piece;
    forEachField(message, where, [&](const Field& field) {
        if (field.tag == 1) {
            piece.text = field.bytes;
        } else if (field.tag == 2) {
            piece.score = std::bit_cast<float>(static_cast<std::uint32_t>(field.number));
        } else if (field.tag == 3) {
            piece.type = enumOf(field.number, SentencePieceProto::PieceType::Byte, where,
                                "a piece of an unknown kind");
        }
    });
    if (piece.text.empty() || findInvalidUtf8(piece.text)) {
        refuse(where, "a piece is empty or not UTF-8");
    }
    return piece;
}

void readTrainer(std::string_view message, std::string_view where, SentencePieceProto& proto) {
    forEachField(message, where, [&](const Field& field) {
        switch (field.tag) {
            case 3:
                proto.modelType = enumOf(field.number, SentencePieceProto::ModelType::Char, where,
                                         "an unknown kind of model");
                break;
            case 24:
                proto.spaceAsSuffix = field.number != 0;
                break;
            case 35:
                proto.byteFallback = field.number != 0;
                break;
            case 46:
                proto.bosPiece = field.bytes;
                break;
            case 47:
                proto.eosPiece = field.bytes;
                break;
            default:
                break;
        }
    });
}

void readNormalizer(std::string_view message, std::string_view where, SentencePieceProto& proto) {
    forEachField(message, where, [&](const Field& field) {
        switch (field.tag) {
            case 2:
                proto.charsMap = field.bytes;
                break;
            case 3:
                proto.addDummyPrefix = field.number != 0;
                break;
            case 4:
                proto.removeExtraSpaces = field.number != 0;
                break;
            case 5:
                proto.escapeSpaces = field.number != 0;
                break;
            default:
                break;
        }
    });
}

}  // namespace

SentencePieceProto parseSentencePiece(std::string_view bytes, std::string_view where) {
    SentencePieceProto proto;
    forEachField(bytes, where, [&](const Field& field) {
        if (field.tag == 1) {
            proto.pieces.push_back(readPiece(field.bytes, where));
        } else if (field.tag == 2) {
            readTrainer(field.bytes, where, proto);
        } else if (field.tag == 3) {
            readNormalizer(field.bytes, where, proto);
        }
    });
    if (proto.pieces.empty()) {
        refuse(where, "it has no pieces");
    }
    return proto;
}

}  // namespace moescope::text
