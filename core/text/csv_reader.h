// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace moescope::text {

/// One field of a record and the line of the file it starts on (from 1).
struct CsvField {
    std::string value;
    std::uint64_t line = 0;
};

/// Reads comma-separated records one after another (RFC 4180): quoted fields with commas, doubled
/// quotes and line breaks; LF or CRLF. A quote inside an unquoted field is an ordinary character.
/// Borrows the content. Thread-compatible.
class CsvReader {
public:
    /// `name` is how errors call the file.
    CsvReader(std::string_view content, std::string name, char separator = ',');

    /// The next record into `fields`; false at the end. Empty lines are passed over. Throws
    /// Error(BadText) naming file, line and column for a quote that is never closed, text after a
    /// closing quote and fields beyond the size limit.
    [[nodiscard]] bool next(std::vector<CsvField>& fields);

    /// The last record as it stands in the content.
    [[nodiscard]] std::string_view record() const {
        return m_content.substr(m_recordStart, m_recordEnd - m_recordStart);
    }

private:
    CsvField readField();
    CsvField readQuoted();
    [[nodiscard]] bool atLineEnd() const;
    void passLineEnd();
    [[noreturn]] void fail(std::uint64_t line, std::size_t lineStart, std::size_t offset,
                           std::string_view problem) const;

    std::string_view m_content;
    std::string m_name;
    char m_separator;
    std::size_t m_offset = 0;
    std::uint64_t m_line = 1;
    std::size_t m_lineStart = 0;
    std::size_t m_recordStart = 0;
    std::size_t m_recordEnd = 0;
};

}  // namespace moescope::text
