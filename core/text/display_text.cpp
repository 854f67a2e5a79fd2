// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/tokenizer.h"
#include "core/text/utf8.h"

#include <fmt/format.h>

namespace moescope::text {
namespace {

constexpr std::string_view kSpace = "\xC2\xB7";        // middle dot
constexpr std::string_view kNewline = "\xE2\x8F\x8E";  // return symbol
constexpr std::string_view kTab = "\xE2\x87\xA5";      // rightwards arrow to bar
constexpr std::string_view kOpen = "\xE2\x80\xB9";     // single left angle quote
constexpr std::string_view kClose = "\xE2\x80\xBA";

// Characters that show nothing, or change how their neighbours are laid out.
bool isInvisible(char32_t c) {
    return (c >= 0x7F && c <= 0xA0) || c == 0xAD || (c >= 0x200B && c <= 0x200F) ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF;
}

void appendMarked(std::string& out, std::string_view what) {
    out += kOpen;
    out += what;
    out += kClose;
}

void appendCharacter(std::string& out, std::string_view bytes, char32_t c) {
    if (c == ' ') {
        out += kSpace;
    } else if (c == '\n') {
        out += kNewline;
    } else if (c == '\t') {
        out += kTab;
    } else if (c < 0x20) {
        appendMarked(out, fmt::format("{:02X}", static_cast<unsigned>(c)));
    } else if (isInvisible(c)) {
        appendMarked(out, fmt::format("U+{:04X}", static_cast<unsigned>(c)));
    } else {
        out += bytes;
    }
}

}  // namespace

std::string displayText(std::string_view tokenBytes) {
    std::string out;
    std::string invalid;
    const auto flush = [&] {
        if (!invalid.empty()) {
            appendMarked(out, invalid);
            invalid.clear();
        }
    };
    for (std::size_t offset = 0; offset < tokenBytes.size();) {
        const std::size_t length = utf8SequenceLength(tokenBytes, offset);
        if (length == 0) {
            invalid += fmt::format("{}{:02X}", invalid.empty() ? "" : " ",
                                   static_cast<unsigned char>(tokenBytes[offset]));
            ++offset;
            continue;
        }
        flush();
        appendCharacter(out, tokenBytes.substr(offset, length),
                        codePointAt(tokenBytes, offset).value);
        offset += length;
    }
    flush();
    return out;
}

}  // namespace moescope::text
