// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/csv_reader.h"

#include "core/base/error.h"
#include "core/text/limits.h"

#include <fmt/format.h>

#include <utility>

namespace moescope::text {

CsvReader::CsvReader(std::string_view content, std::string name, char separator)
    : m_content(content), m_name(std::move(name)), m_separator(separator) {}

void CsvReader::fail(std::uint64_t line, std::size_t lineStart, std::size_t offset,
                     std::string_view problem) const {
    throw Error(ErrorCode::BadText, fmt::format("{}, line {}, column {}: {}", m_name, line,
                                                offset - lineStart + 1, problem));
}

bool CsvReader::atLineEnd() const {
    if (m_offset >= m_content.size() || m_content[m_offset] == '\n') {
        return true;
    }
    return m_content[m_offset] == '\r' &&
           (m_offset + 1 == m_content.size() || m_content[m_offset + 1] == '\n');
}

void CsvReader::passLineEnd() {
    if (m_offset < m_content.size() && m_content[m_offset] == '\r') {
        ++m_offset;
    }
    if (m_offset < m_content.size()) {
        ++m_offset;
    }
    ++m_line;
    m_lineStart = m_offset;
}

CsvField CsvReader::readQuoted() {
    const std::uint64_t openLine = m_line;
    const std::size_t openLineStart = m_lineStart;
    const std::size_t open = m_offset++;
    CsvField field{{}, openLine};
    while (true) {
        const std::size_t quote = m_content.find('"', m_offset);
        if (quote == std::string_view::npos) {
            fail(openLine, openLineStart, open,
                 "the quote opened here is never closed. Close it, and write quotes inside a field "
                 "twice (\"\").");
        }
        const std::string_view part = m_content.substr(m_offset, quote - m_offset);
        if (field.value.size() + part.size() > kMaxDocumentBytes) {
            fail(openLine, openLineStart, open, kTooLongMessage);
        }
        for (std::size_t i = part.find('\n'); i != std::string_view::npos;
             i = part.find('\n', i + 1)) {
            ++m_line;
            m_lineStart = m_offset + i + 1;
        }
        field.value += part;
        m_offset = quote + 1;
        if (m_offset >= m_content.size() || m_content[m_offset] != '"') {
            break;
        }
        field.value.push_back('"');
        ++m_offset;
    }
    if (!atLineEnd() && m_content[m_offset] != m_separator) {
        fail(m_line, m_lineStart, m_offset,
             "text follows a closing quote. Write quotes inside a field twice (\"\").");
    }
    return field;
}

CsvField CsvReader::readField() {
    if (m_offset < m_content.size() && m_content[m_offset] == '"') {
        return readQuoted();
    }
    const std::size_t start = m_offset;
    while (!atLineEnd() && m_content[m_offset] != m_separator) {
        ++m_offset;
    }
    if (m_offset - start > kMaxDocumentBytes) {
        fail(m_line, m_lineStart, start, kTooLongMessage);
    }
    return {std::string(m_content.substr(start, m_offset - start)), m_line};
}

bool CsvReader::next(std::vector<CsvField>& fields) {
    fields.clear();
    while (m_offset < m_content.size() && atLineEnd()) {
        passLineEnd();
    }
    m_recordStart = m_offset;
    if (m_offset >= m_content.size()) {
        return false;
    }
    fields.push_back(readField());
    while (!atLineEnd()) {
        ++m_offset;  // the separator
        fields.push_back(readField());
    }
    m_recordEnd = m_offset;
    passLineEnd();
    return true;
}

}  // namespace moescope::text
