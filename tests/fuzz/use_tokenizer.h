// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/error.h"
#include "core/text/tokenizer.h"

#include <cstdlib>

namespace moescope::tests {

/// Encodes some texts with a tokenizer of unknown content. Text may be refused; ids that come out
/// must be the tokenizer's own.
inline void useTokenizer(const text::Tokenizer& tokenizer) {
    for (const char* text :
         {"", "Hello, world!  12 345", " \t\r\n\n",
          "na\xC3\xAFve \xE4\xB8\xAD\xE6\x96\x87 \xF0\x9F\xA6\x99", "<s>[INST] a </s><0x41>"}) {
        try {
            for (const auto id : tokenizer.encode(text, true)) {
                if (id >= tokenizer.vocabularySize()) {
                    std::abort();
                }
                (void)tokenizer.tokenBytes(id);
            }
        } catch (const Error&) {
            // A pattern may be too much for a text.
        }
    }
    (void)tokenizer.description();
    (void)tokenizer.identity();
    (void)tokenizer.isSpecial(0);
}

}  // namespace moescope::tests
