// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/counted_tokens.h"

#include <algorithm>

namespace moescope::experiments {

CountedTokens::CountedTokens(const text::TokenizedCorpus& corpus, bool skipFirstOfDocument)
    : m_corpus(&corpus), m_skipFirst(skipFirstOfDocument), m_count(corpus.tokenCount()) {
    if (m_skipFirst) {
        // Documents are never empty (text::tokenize drops those), so each start is a token.
        m_count -= corpus.documentCount();
    }
}

bool CountedTokens::contains(std::uint64_t token) const {
    return !m_skipFirst ||
           !std::binary_search(m_corpus->offsets.begin(), m_corpus->offsets.end(), token);
}

std::optional<std::vector<std::int64_t>> CountedTokens::rowsOf(std::uint64_t first,
                                                               std::uint64_t tokens) const {
    if (!m_skipFirst) {
        return std::nullopt;
    }
    std::vector<std::int64_t> rows;
    rows.reserve(tokens);
    for (std::uint64_t i = 0; i < tokens; ++i) {
        if (contains(first + i)) {
            rows.push_back(static_cast<std::int64_t>(i));
        }
    }
    return rows;
}

}  // namespace moescope::experiments
