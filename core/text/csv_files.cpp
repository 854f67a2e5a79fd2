// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/closest_name.h"
#include "core/base/error.h"
#include "core/text/csv_reader.h"
#include "core/text/document_readers.h"
#include "core/text/text_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace moescope::text {
namespace {

std::optional<std::size_t> asIndex(const std::string& column) {
    std::size_t index = 0;
    const char* end = column.data() + column.size();
    const auto [stop, error] = std::from_chars(column.data(), end, index);
    return error == std::errc() && stop == end ? std::optional(index) : std::nullopt;
}

/// The first record as the columns' names, or only their number where there is no header.
struct Columns {
    std::string fileName;
    std::vector<std::string> names;
    std::size_t count = 0;

    [[nodiscard]] std::string listed() const {
        return names.empty() ? fmt::format(
                                   "it has {} column{} and no header, so give an index "
                                   "from 0 to {}",
                                   count, count == 1 ? "" : "s", count - 1)
                             : fmt::format("it has: {}", fmt::join(names, ", "));
    }
    [[nodiscard]] std::optional<std::size_t> find(const std::string& column) const {
        const auto named = std::find(names.begin(), names.end(), column);
        if (named != names.end()) {
            return static_cast<std::size_t>(named - names.begin());
        }
        const auto index = asIndex(column);
        return index && *index < count ? index : std::nullopt;
    }
    [[nodiscard]] std::size_t require(const std::string& column) const {
        if (const auto index = find(column)) {
            return *index;
        }
        if (asIndex(column)) {
            throw Error(ErrorCode::BadText,
                        fmt::format("{}, line 1: there is no column {}, the record has {} column{} "
                                    "(numbers count from 0); {}.",
                                    fileName, column, count, count == 1 ? "" : "s", listed()));
        }
        const std::vector<std::string_view> known(names.begin(), names.end());
        throw Error(ErrorCode::BadText, fmt::format("{} has no column \"{}\"; {}.{}", fileName,
                                                    column, listed(), didYouMean(column, known)));
    }
    /// Without a choice: the only column, or the one called "text".
    [[nodiscard]] std::size_t textColumn(const std::string& column) const {
        if (!column.empty()) {
            return require(column);
        }
        const auto byName = find("text");
        if (byName || count == 1) {
            return byName.value_or(0);
        }
        throw Error(ErrorCode::BadText, fmt::format("Which column of {} is the text? Name it with "
                                                    "--column; {}.",
                                                    fileName, listed()));
    }
};

const CsvField& fieldAt(const std::vector<CsvField>& record, std::size_t index,
                        const TextFile& file) {
    if (index < record.size()) {
        return record[index];
    }
    throw Error(ErrorCode::BadText,
                fmt::format("{}, line {}: the record has {} field{}, column {} (from 0) is "
                            "missing. Quote fields that hold commas or line breaks.",
                            file.name(), record.front().line, record.size(),
                            record.size() == 1 ? "" : "s", index));
}

Columns columnsOf(const std::vector<CsvField>& first, const TextFile& file, bool hasHeader) {
    Columns columns{file.name(), {}, first.size()};
    if (hasHeader) {
        for (const CsvField& field : first) {
            columns.names.push_back(field.value);
        }
    }
    return columns;
}

void readOne(const std::filesystem::path& path, const TextSource& source,
             DocumentCollector& documents) {
    const TextFile file(path);
    CsvReader reader(file.text(), file.name(), path.extension() == ".tsv" ? '\t' : ',');
    std::vector<CsvField> record;
    if (!reader.next(record)) {
        return;
    }
    file.requireReadable(reader.record());
    const Columns columns = columnsOf(record, file, source.hasHeader);
    const std::size_t textColumn = columns.textColumn(source.column);
    std::optional<std::size_t> domainColumn;
    if (!source.domainColumn.empty()) {
        domainColumn = columns.require(source.domainColumn);
    }
    const std::string name = path.filename().string();
    bool unread = !source.hasHeader;  // the first record is data then
    while (!documents.isFull() && (unread || reader.next(record))) {
        unread = false;
        file.requireReadable(reader.record());
        const CsvField& field = fieldAt(record, textColumn, file);
        documents.add(field.value, name, field.line,
                      domainColumn ? fieldAt(record, *domainColumn, file).value : std::string());
    }
}

}  // namespace

void readCsvFiles(const TextSource& source, DocumentCollector& documents) {
    for (const auto& path : source.paths) {
        if (documents.isFull()) {
            return;
        }
        readOne(path, source, documents);
    }
}

}  // namespace moescope::text
