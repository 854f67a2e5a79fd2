// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/corpus.h"

#include "core/base/error.h"
#include "core/text/document_readers.h"
#include "core/text/document_reading.h"
#include "core/text/utf8.h"

#include <fmt/format.h>

#include <algorithm>

namespace moescope::text {
namespace {

std::string describe(const TextSource& source) {
    if (source.kind == TextSource::Kind::Prompt) {
        return "The prompt";
    }
    if (source.paths.size() == 1) {
        return source.paths.front().string();
    }
    return fmt::format("The {} text inputs", source.paths.size());
}

[[noreturn]] void throwEmpty(const TextSource& source, std::uint64_t skipped) {
    std::string why = " It is empty.";
    if (source.maxDocuments == 0U) {
        why = " The limit of documents is 0.";
    } else if (skipped > 0) {
        why = fmt::format(" Passed over: {} blank or skipped.", skipped);
    }
    throw Error(ErrorCode::BadText,
                fmt::format("{} holds no text to read.{}", describe(source), why));
}

std::int32_t domainIndex(std::vector<std::string>& domains, const std::string& domain) {
    if (domain.empty()) {
        return -1;
    }
    const auto found = std::find(domains.begin(), domains.end(), domain);
    if (found == domains.end()) {
        domains.push_back(domain);
        return static_cast<std::int32_t>(domains.size() - 1);
    }
    return static_cast<std::int32_t>(found - domains.begin());
}

void append(TokenizedCorpus& corpus, const Document& document, const std::vector<TokenId>& ids) {
    corpus.ids.insert(corpus.ids.end(), ids.begin(), ids.end());
    corpus.offsets.push_back(corpus.ids.size());
    corpus.sources.push_back(document.source);
    corpus.domainOf.push_back(domainIndex(corpus.domains, document.domain));
}

}  // namespace

std::vector<Document> readDocuments(const TextSource& source) {
    return readAndCount(source).documents;
}

DocumentReading readAndCount(const TextSource& source) {
    DocumentCollector documents(source);
    switch (source.kind) {
        case TextSource::Kind::Files:
            readTextFiles(source, documents);
            break;
        case TextSource::Kind::Prompt:
            requireUtf8(source.prompt, "The prompt");
            documents.add(source.prompt, "prompt", 0, {});
            break;
        case TextSource::Kind::Csv:
            readCsvFiles(source, documents);
            break;
        case TextSource::Kind::Jsonl:
            readJsonlFiles(source, documents);
            break;
    }
    DocumentReading read{documents.take(), documents.skipped()};
    if (read.documents.empty()) {
        throwEmpty(source, read.leftOut);
    }
    return read;
}

TokenizedCorpus tokenize(const std::vector<Document>& documents, const Tokenizer& tokenizer,
                         const TokenizeOptions& options) {
    TokenizedCorpus corpus;
    corpus.offsets.push_back(0);
    for (const Document& document : documents) {
        std::vector<TokenId> ids = tokenizer.encode(document.text, options.addSpecialTokens);
        const std::uint64_t left = options.maxTokens.value_or(UINT64_MAX) - corpus.ids.size();
        const auto length =
            std::min<std::uint64_t>({ids.size(), options.contextLength.value_or(UINT64_MAX), left});
        ids.resize(length);
        if (!ids.empty()) {
            append(corpus, document, ids);
        }
        if (left == length) {
            break;
        }
    }
    if (corpus.ids.empty()) {
        throw Error(ErrorCode::BadText,
                    "No tokens are left: the texts are empty or the token limit is 0.");
    }
    corpus.tokenBytes.reserve(corpus.ids.size());
    for (const TokenId id : corpus.ids) {
        corpus.tokenBytes.push_back(tokenizer.tokenBytes(id));
    }
    return corpus;
}

}  // namespace moescope::text
