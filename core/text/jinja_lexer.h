// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace moescope::text::jinja {

/// A piece of a template: text between tags, or a symbol inside one.
struct Token {
    enum class Kind {
        Text,
        OutputBegin,  ///< {{
        OutputEnd,
        BlockBegin,  ///< {%
        BlockEnd,
        Name,
        String,  ///< unescaped
        Integer,
        Float,
        Operator
    };
    Kind kind = Kind::Text;
    std::string text;
    int line = 1;

    [[nodiscard]] bool is(Kind wanted, std::string_view value) const {
        return kind == wanted && text == value;
    }
};

/// Cuts a template into tokens; comments and white space between symbols are gone. White space
/// around tags is treated as with Jinja's trim_blocks and lstrip_blocks, which is how transformers
/// renders chat templates. Throws Error(Unsupported) naming the line.
[[nodiscard]] std::vector<Token> tokenizeTemplate(std::string_view source);

}  // namespace moescope::text::jinja
