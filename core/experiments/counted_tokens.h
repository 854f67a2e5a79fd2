// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/text/corpus.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace moescope::experiments {

/// Which tokens of a text enter the statistics: all, or all but the first of each document. Borrows
/// the corpus. Thread-safe.
class CountedTokens {
public:
    CountedTokens(const text::TokenizedCorpus& corpus, bool skipFirstOfDocument);

    [[nodiscard]] bool contains(std::uint64_t token) const;
    /// Those among `tokens` from `first` on, as places in that stretch; none where all are.
    [[nodiscard]] std::optional<std::vector<std::int64_t>> rowsOf(std::uint64_t first,
                                                                  std::uint64_t tokens) const;
    [[nodiscard]] std::uint64_t count() const noexcept { return m_count; }

private:
    const text::TokenizedCorpus* m_corpus;
    bool m_skipFirst;
    std::uint64_t m_count;
};

}  // namespace moescope::experiments
