// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/byte_alphabet.h"

#include "core/text/utf8.h"

#include <array>

namespace moescope::text {
namespace {

constexpr char32_t kFirstMapped = 0x100;

constexpr bool standsForItself(unsigned byte) {
    return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

constexpr std::array<char32_t, 256> characters() {
    std::array<char32_t, 256> out{};
    char32_t next = kFirstMapped;
    for (unsigned byte = 0; byte < 256; ++byte) {
        out[byte] = standsForItself(byte) ? byte : next++;
    }
    return out;
}

constexpr std::array<char32_t, 256> kCharacters = characters();
constexpr std::size_t kMapped = 68;

/// Byte for each mapped character from U+0100.
constexpr std::array<unsigned char, kMapped> mappedBytes() {
    std::array<unsigned char, kMapped> out{};
    std::size_t next = 0;
    for (unsigned byte = 0; byte < 256; ++byte) {
        if (!standsForItself(byte)) {
            out[next++] = static_cast<unsigned char>(byte);
        }
    }
    return out;
}

constexpr std::array<unsigned char, kMapped> kMappedBytes = mappedBytes();

}  // namespace

std::string toByteAlphabet(std::string_view bytes) {
    std::string out;
    for (const char c : bytes) {
        appendUtf8(out, kCharacters[static_cast<unsigned char>(c)]);
    }
    return out;
}

std::optional<std::string> fromByteAlphabet(std::string_view piece) {
    std::string out;
    std::size_t at = 0;
    while (at < piece.size()) {
        if (utf8SequenceLength(piece, at) == 0) {
            return std::nullopt;
        }
        const CodePoint point = codePointAt(piece, at);
        at += point.length;
        if (point.value >= kFirstMapped && point.value < kFirstMapped + kMapped) {
            out.push_back(static_cast<char>(kMappedBytes[point.value - kFirstMapped]));
        } else if (point.value < kFirstMapped && standsForItself(point.value)) {
            out.push_back(static_cast<char>(point.value));
        } else {
            return std::nullopt;
        }
    }
    return out;
}

}  // namespace moescope::text
