// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/utf8.h"

#include "core/base/error.h"

#include <fmt/format.h>

namespace moescope::text {
namespace {

unsigned byteAt(std::string_view text, std::size_t offset) noexcept {
    return static_cast<unsigned char>(text[offset]);
}

bool isContinuation(std::string_view text, std::size_t offset) noexcept {
    return offset < text.size() && (byteAt(text, offset) & 0xC0U) == 0x80U;
}

/// Bounds of the second byte exclude overlong forms, surrogates and values beyond U+10FFFF
/// (Unicode Standard, table 3-7).
bool secondByteFits(unsigned lead, unsigned second) noexcept {
    switch (lead) {
        case 0xE0:
            return second >= 0xA0;
        case 0xED:
            return second < 0xA0;
        case 0xF0:
            return second >= 0x90;
        case 0xF4:
            return second < 0x90;
        default:
            return true;
    }
}

}  // namespace

std::size_t utf8SequenceLength(std::string_view text, std::size_t offset) noexcept {
    const unsigned lead = byteAt(text, offset);
    if (lead < 0x80) {
        return 1;
    }
    const std::size_t length = lead >= 0xC2 && lead < 0xE0   ? 2
                               : lead >= 0xE0 && lead < 0xF0 ? 3
                               : lead >= 0xF0 && lead < 0xF5 ? 4
                                                             : 0;
    if (length == 0 || !isContinuation(text, offset + 1) ||
        !secondByteFits(lead, byteAt(text, offset + 1))) {
        return 0;
    }
    for (std::size_t i = 2; i < length; ++i) {
        if (!isContinuation(text, offset + i)) {
            return 0;
        }
    }
    return length;
}

std::optional<std::size_t> findInvalidUtf8(std::string_view text) noexcept {
    std::size_t offset = 0;
    while (offset < text.size()) {
        const std::size_t length = utf8SequenceLength(text, offset);
        if (length == 0) {
            return offset;
        }
        offset += length;
    }
    return std::nullopt;
}

void requireUtf8(std::string_view text, std::string_view what) {
    if (const auto offset = findInvalidUtf8(text)) {
        throw Error(ErrorCode::BadText,
                    fmt::format("{} is not UTF-8: byte 0x{:02X} at offset {}. Convert it, for "
                                "example with iconv -t UTF-8.",
                                what, byteAt(text, *offset), *offset));
    }
}

CodePoint codePointAt(std::string_view text, std::size_t offset) noexcept {
    const unsigned lead = byteAt(text, offset);
    if (lead < 0x80) {
        return {lead, 1};
    }
    const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    char32_t value = lead & (0x7FU >> length);
    for (std::size_t i = 1; i < length; ++i) {
        value = (value << 6U) | (byteAt(text, offset + i) & 0x3FU);
    }
    return {value, length};
}

void appendUtf8(std::string& out, char32_t codePoint) {
    const auto put = [&out](char32_t bits) { out.push_back(static_cast<char>(bits)); };
    if (codePoint < 0x80) {
        put(codePoint);
    } else if (codePoint < 0x800) {
        put(0xC0U | (codePoint >> 6U));
        put(0x80U | (codePoint & 0x3FU));
    } else if (codePoint < 0x10000) {
        put(0xE0U | (codePoint >> 12U));
        put(0x80U | ((codePoint >> 6U) & 0x3FU));
        put(0x80U | (codePoint & 0x3FU));
    } else {
        put(0xF0U | (codePoint >> 18U));
        put(0x80U | ((codePoint >> 12U) & 0x3FU));
        put(0x80U | ((codePoint >> 6U) & 0x3FU));
        put(0x80U | (codePoint & 0x3FU));
    }
}

bool isSpace(char32_t c) noexcept {
    return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 ||
           c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
           c == 0x202F || c == 0x205F || c == 0x3000;
}

std::string_view stripped(std::string_view text) noexcept {
    std::size_t begin = 0;
    while (begin < text.size()) {
        const CodePoint point = codePointAt(text, begin);
        if (!isSpace(point.value)) {
            break;
        }
        begin += point.length;
    }
    std::size_t end = text.size();
    while (end > begin) {
        std::size_t start = end - 1;
        while (start > begin && (byteAt(text, start) & 0xC0U) == 0x80U) {
            --start;
        }
        if (!isSpace(codePointAt(text, start).value)) {
            break;
        }
        end = start;
    }
    return text.substr(begin, end - begin);
}

}  // namespace moescope::text
