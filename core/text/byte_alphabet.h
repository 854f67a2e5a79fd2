// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace moescope::text {

/// The alphabet in which byte-level tokenizers write bytes as printable characters (GPT-2,
/// encoder.py, bytes_to_unicode): printable Latin-1 bytes stand for themselves, the other 68 for
/// U+0100 onwards in their order.
[[nodiscard]] std::string toByteAlphabet(std::string_view bytes);

/// The bytes a piece stands for; nothing when it holds a character outside of the alphabet.
[[nodiscard]] std::optional<std::string> fromByteAlphabet(std::string_view piece);

}  // namespace moescope::text
