// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/error.h"
#include "core/text/document_readers.h"
#include "core/text/limits.h"
#include "core/text/utf8.h"

#include <fmt/format.h>

#include <algorithm>

namespace moescope::text {
namespace {

std::string sourceName(const std::string& name, std::uint64_t line) {
    return line == 0 ? name : fmt::format("{}:{}", name, line);
}

}  // namespace

void DocumentCollector::keep(std::string_view text, const std::string& name, std::uint64_t line,
                             const std::string& domain) {
    if (text.size() > kMaxDocumentBytes) {
        throw Error(ErrorCode::BadText,
                    fmt::format("{}: {}", sourceName(name, line), kTooLongMessage));
    }
    const std::string_view visible = stripped(text);
    if (visible.empty() ||
        (!m_source.skipPrefix.empty() && visible.starts_with(m_source.skipPrefix))) {
        ++m_skipped;
        return;
    }
    m_documents.push_back(
        {std::string(m_source.splitLines ? visible : text), sourceName(name, line), domain});
}

void DocumentCollector::add(std::string_view text, const std::string& name, std::uint64_t line,
                            const std::string& domain) {
    if (!m_source.splitLines) {
        if (!isFull()) {
            keep(text, name, line, domain);
        }
        return;
    }
    line = std::max<std::uint64_t>(line, 1);
    for (; !text.empty() && !isFull(); ++line) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        keep(text.substr(0, end), name, line, domain);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
}

}  // namespace moescope::text
