// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/text/corpus.h"

#include <cstdint>

namespace moescope::tests {

/// A text of made-up ids, the same each time: documents of the given length.
inline text::TokenizedCorpus madeUpCorpus(std::uint64_t tokens, std::uint64_t length,
                                          std::uint32_t vocabulary) {
    text::TokenizedCorpus corpus;
    std::uint32_t state = 12345;
    for (std::uint64_t t = 0; t < tokens; ++t) {
        if (t % length == 0) {
            corpus.offsets.push_back(t);
            corpus.sources.emplace_back("made up");
            corpus.domainOf.push_back(-1);
        }
        state = state * 1664525U + 1013904223U;
        corpus.ids.push_back((state >> 8U) % vocabulary);
        corpus.tokenBytes.push_back("t" + std::to_string(corpus.ids.back()));
    }
    corpus.offsets.push_back(tokens);
    return corpus;
}

}  // namespace moescope::tests
