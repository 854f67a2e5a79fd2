// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/text/tokenizer.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace moescope::text {

/// One attention context of the input: a text with where it came from.
struct Document {
    std::string text;
    std::string source;  ///< "corpus.csv:12", "books/a.txt" or "prompt"
    std::string domain;  ///< empty: none
};

/// Where text comes from; exactly one kind is used per run.
struct TextSource {
    enum class Kind { Files, Prompt, Csv, Jsonl };
    Kind kind = Kind::Prompt;
    std::vector<std::filesystem::path>
        paths;  ///< Files: text files, or folders with one sub-folder per domain
    std::string prompt;
    std::string column;  ///< name, or index from 0; empty: "text", or the only one of a CSV file
    std::string domainColumn;
    bool hasHeader = true;
    bool splitLines = false;  ///< every non-empty line is a document, stripped
    std::string skipPrefix;   ///< texts (lines with splitLines) that begin with it are left out
    std::optional<std::uint64_t> maxDocuments;
};

/// Reads the documents in order. Blank texts are no documents. Throws Error(BadText | FileNotFound
/// | FileUnreadable) naming file, line and column; input without any document is Error(BadText).
[[nodiscard]] std::vector<Document> readDocuments(const TextSource& source);

/// Documents as token ids, flattened in document order: what the engine runs and the session keeps.
struct TokenizedCorpus {
    std::vector<TokenId> ids;  ///< [T]
    std::vector<std::uint64_t>
        offsets;  ///< [D + 1], document d is ids[offsets[d] .. offsets[d + 1])
    std::vector<std::string> tokenBytes;  ///< [T], see Tokenizer::tokenBytes
    std::vector<std::string> sources;     ///< [D]
    std::vector<std::string> domains;     ///< names, in order of first appearance; may be empty
    std::vector<std::int32_t> domainOf;   ///< [D], index into domains or -1

    [[nodiscard]] std::size_t tokenCount() const noexcept { return ids.size(); }
    [[nodiscard]] std::size_t documentCount() const noexcept {
        return offsets.empty() ? 0 : offsets.size() - 1;
    }
};

struct TokenizeOptions {
    std::optional<std::uint64_t> maxTokens;      ///< in all; the last document is cut
    std::optional<std::uint64_t> contextLength;  ///< longer documents are cut
    bool addSpecialTokens = true;
};

/// Throws Error(BadText) when nothing is left. Documents that become empty are dropped.
[[nodiscard]] TokenizedCorpus tokenize(const std::vector<Document>& documents,
                                       const Tokenizer& tokenizer, const TokenizeOptions& options);

}  // namespace moescope::text
