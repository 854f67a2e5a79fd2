// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/word_cache.h"

namespace moescope::text {

bool WordCache::find(std::string_view word, std::vector<TokenId>& out) const {
    const Part& part = m_parts[partOf(word)];
    const std::lock_guard lock(part.mutex);
    const auto found = part.words.find(word);
    if (found == part.words.end()) {
        return false;
    }
    out.insert(out.end(), found->second.begin(), found->second.end());
    return true;
}

void WordCache::insert(std::string_view word, const TokenId* begin, const TokenId* end) {
    Part& part = m_parts[partOf(word)];
    const std::lock_guard lock(part.mutex);
    if (part.words.size() < kWordsPerPart) {
        part.words.try_emplace(std::string(word), begin, end);
    }
}

}  // namespace moescope::text
