// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/text/corpus.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace moescope::text {

/// Collects documents as a TextSource asks: splits into lines, leaves out blank texts and headings,
/// stops at the limit. Thread-compatible.
class DocumentCollector {
public:
    explicit DocumentCollector(const TextSource& source) : m_source(source) {}

    /// `line` is where `text` begins in the file called `name`; 0 when lines mean nothing.
    /// Throws Error(BadText) for a text beyond kMaxDocumentBytes.
    void add(std::string_view text, const std::string& name, std::uint64_t line,
             const std::string& domain);
    [[nodiscard]] bool isFull() const noexcept {
        return m_source.maxDocuments && m_documents.size() >= *m_source.maxDocuments;
    }
    /// Blank texts, headings and the like that were passed over.
    [[nodiscard]] std::uint64_t skipped() const noexcept { return m_skipped; }
    [[nodiscard]] std::vector<Document> take() noexcept { return std::move(m_documents); }

private:
    void keep(std::string_view text, const std::string& name, std::uint64_t line,
              const std::string& domain);

    const TextSource& m_source;
    std::vector<Document> m_documents;
    std::uint64_t m_skipped = 0;
};

/// Text files, and folders whose sub-folders are domains; files in order of their paths.
void readTextFiles(const TextSource& source, DocumentCollector& documents);
/// Comma-separated files; tab-separated where the name ends in .tsv.
void readCsvFiles(const TextSource& source, DocumentCollector& documents);
/// One JSON object per line.
void readJsonlFiles(const TextSource& source, DocumentCollector& documents);

}  // namespace moescope::text
