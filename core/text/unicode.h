// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>

namespace moescope::text {

/// Facts about characters from ICU's Unicode tables (15.0 with ICU 72, Debian 12).

/// Unicode's White_Space property: what Rust's and Oniguruma's \s match.
[[nodiscard]] bool isWhiteSpace(char32_t codePoint) noexcept;
/// \w of UTS 18: letters, marks, decimal digits, connector punctuation, joiners.
[[nodiscard]] bool isWordCharacter(char32_t codePoint) noexcept;
/// Has no glyph of its own: controls, format characters, unassigned and private ones, separators
/// other than the space.
[[nodiscard]] bool isInvisible(char32_t codePoint) noexcept;

enum class NormalForm { Nfc, Nfd, Nfkc, Nfkd };

/// `text`, valid UTF-8, in a Unicode normal form.
[[nodiscard]] std::string toNormalForm(std::string_view text, NormalForm form);

/// Full case mapping without a language's own rules, as Python's str.upper() and str.lower().
[[nodiscard]] std::string toUpper(std::string_view text);
[[nodiscard]] std::string toLower(std::string_view text);

}  // namespace moescope::text
