// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/text/pre_tokenizer.h"

#include <string>
#include <string_view>

namespace moescope::text {

/// What the word in "tokenizer.ggml.pre" stands for. GGUF files do not carry the patterns:
/// llama.cpp knows them by name, and so must we. The patterns are those of the models' own
/// tokenizer.json.
struct GgufPreTokenizer {
    PreTokenizer steps;
    bool normalizeNfc = false;
    bool ignoreMerges = false;  ///< see BpeParts
    bool addBos = false;        ///< where the file does not say
};

/// Throws Error(BadTokenizer) naming `where` and the word, and listing those that are known.
[[nodiscard]] GgufPreTokenizer ggufPreTokenizer(std::string_view word, const std::string& where);

}  // namespace moescope::text
