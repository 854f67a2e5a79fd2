// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace moescope::text {

/// Offset of the first byte that is not part of a well-formed UTF-8 sequence (overlong forms,
/// surrogates and values beyond U+10FFFF are not well-formed).
[[nodiscard]] std::optional<std::size_t> findInvalidUtf8(std::string_view text) noexcept;

/// Throws Error(BadText) naming `what` and the byte offset when `text` is not UTF-8.
void requireUtf8(std::string_view text, std::string_view what);

/// Length in bytes of the well-formed sequence that starts at `offset`, 0 when there is none.
[[nodiscard]] std::size_t utf8SequenceLength(std::string_view text, std::size_t offset) noexcept;

/// The code point at `offset` and the bytes it takes. Precondition: the text is valid there.
struct CodePoint {
    char32_t value = 0;
    std::size_t length = 0;
};
[[nodiscard]] CodePoint codePointAt(std::string_view text, std::size_t offset) noexcept;

void appendUtf8(std::string& out, char32_t codePoint);

/// White space as Python's str.isspace() sees it, which is what the reference notebooks strip.
[[nodiscard]] bool isSpace(char32_t codePoint) noexcept;

/// `text` without leading and trailing white space. Precondition: valid UTF-8.
[[nodiscard]] std::string_view stripped(std::string_view text) noexcept;

}  // namespace moescope::text
