// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/csv_reader.h"

#include "core/base/error.h"
#include "tests/support/catch.h"

#include <random>

using namespace moescope;
using namespace moescope::text;

namespace {

using Rows = std::vector<std::vector<std::string>>;

Rows readAll(std::string_view content, char separator = ',') {
    CsvReader reader(content, "t.csv", separator);
    std::vector<CsvField> record;
    Rows rows;
    while (reader.next(record)) {
        rows.emplace_back();
        for (const CsvField& field : record) {
            rows.back().push_back(field.value);
        }
    }
    return rows;
}

std::string messageOf(std::string_view content) {
    try {
        (void)readAll(content);
    } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::BadText);
        return error.what();
    }
    return {};
}

std::string written(const Rows& rows, std::string_view lineEnd) {
    std::string out;
    for (const auto& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            out += i == 0 ? "\"" : ",\"";
            for (const char c : row[i]) {
                out += c == '"' ? "\"\"" : std::string(1, c);
            }
            out += '"';
        }
        out += lineEnd;
    }
    return out;
}

}  // namespace

TEST_CASE("CsvReader: RFC 4180 records", "[core][text]") {
    CHECK(readAll("a,b\nc,d\n") == Rows{{"a", "b"}, {"c", "d"}});
    CHECK(readAll("a,b\r\nc,\r\n") == Rows{{"a", "b"}, {"c", ""}});
    CHECK(readAll("\"x,\"\"y\"\"\",z") == Rows{{"x,\"y\"", "z"}});
    CHECK(readAll("\"two\r\nlines\",1\n") == Rows{{"two\r\nlines", "1"}});
    CHECK(readAll("5\" disk,b") == Rows{{"5\" disk", "b"}});
    CHECK(readAll("\"\"\n,\n") == Rows{{""}, {"", ""}});
    CHECK(readAll("a\tb,c", '\t') == Rows{{"a", "b,c"}});
    CHECK(readAll("\n\r\na\n\n").size() == 1);
    CHECK(readAll("").empty());
    CHECK(readAll("a\rb") == Rows{{"a\rb"}});
}

TEST_CASE("CsvReader: fields know their line", "[core][text]") {
    CsvReader reader("h,i\n\"a\n\nb\",c\nd,\"e\"\n", "t.csv");
    std::vector<CsvField> record;
    REQUIRE(reader.next(record));
    REQUIRE(reader.next(record));
    CHECK(record[0].line == 2);
    CHECK(record[1].line == 4);
    CHECK(reader.record() == "\"a\n\nb\",c");
    REQUIRE(reader.next(record));
    CHECK(record[1].line == 5);
    CHECK_FALSE(reader.next(record));
}

TEST_CASE("CsvReader: broken quoting is named with its place", "[core][text]") {
    CHECK_THAT(messageOf("a\nb,\"never closed\n\n"),
               Catch::Contains("t.csv, line 2, column 3") && Catch::Contains("never closed"));
    CHECK_THAT(messageOf("\"two\nlines\"x,b\n"), Catch::Contains("line 2, column 7"));
    CHECK_THAT(messageOf("\""), Catch::Contains("line 1, column 1"));
}

TEST_CASE("CsvReader: what a writer quotes comes back", "[core][text]") {
    std::mt19937 random(7);
    const std::string alphabet = "ab,\"\n\r \xC3\xA9";
    for (int round = 0; round < 200; ++round) {
        Rows rows(1 + random() % 4, std::vector<std::string>(1 + random() % 3));
        for (auto& row : rows) {
            for (auto& value : row) {
                for (auto n = random() % 8; n > 0; --n) {
                    value += alphabet[random() % alphabet.size()];
                }
            }
        }
        REQUIRE(readAll(written(rows, "\n")) == rows);
        REQUIRE(readAll(written(rows, "\r\n")) == rows);
    }
}
