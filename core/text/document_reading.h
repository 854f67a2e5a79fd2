// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/text/corpus.h"

#include <cstdint>
#include <vector>

namespace moescope::text {

/// The documents of a source, and what of it is none.
struct DocumentReading {
    std::vector<Document> documents;
    std::uint64_t leftOut = 0;  ///< blank texts and headings
};

/// As readDocuments() reads them.
[[nodiscard]] DocumentReading readAndCount(const TextSource& source);

}  // namespace moescope::text
