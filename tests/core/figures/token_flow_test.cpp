// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/token_flow.h"

#include "core/base/error.h"
#include "core/figures/routing_layout.h"
#include "tests/support/catch.h"

#include <chrono>

using namespace moescope;
using namespace moescope::figures;

namespace {

text::TokenizedCorpus corpus(const std::vector<std::string>& tokens,
                             std::vector<std::uint64_t> offsets = {}) {
    text::TokenizedCorpus made;
    made.tokenBytes = tokens;
    made.ids.resize(tokens.size());
    made.offsets = offsets.empty() ? std::vector<std::uint64_t>{0, tokens.size()} : offsets;
    made.sources.resize(made.offsets.size() - 1);
    return made;
}

}  // namespace

TEST_CASE("displayColumns: wide characters take two cells, marks none", "[core][figures]") {
    CHECK(displayColumns("abc") == 3);
    CHECK(displayColumns("\xE4\xB8\xAD\xE6\x96\x87") == 4);
    CHECK(displayColumns("e\xCC\x81") == 1);
    CHECK(displayColumns("\xF0\x9F\x98\x80") == 2);
    CHECK(displayColumns("\xFF") == 1);
}

TEST_CASE("TokenTable: text, widths and documents", "[core][figures]") {
    const TokenTable table(corpus({" a", "\n", "", "b"}, {0, 2, 4}));
    CHECK(table.size() == 4);
    CHECK(table.text(0) ==
          "\xC2\xB7"
          "a");
    CHECK(table.columns(0) == 2);
    CHECK(table.columns(2) == 1);
    CHECK(table.endsLine(1));
    CHECK_FALSE(table.endsLine(0));
    CHECK(table.documentOf(1) == 0);
    CHECK(table.documentOf(2) == 1);
    CHECK(table.documentOf(3) == 1);
}

TEST_CASE("TokenTable: refuses documents that do not cover the tokens", "[core][figures]") {
    for (const std::vector<std::uint64_t>& offsets :
         {std::vector<std::uint64_t>{0, 9}, {1, 2}, {0, 2, 1, 2}, {0}}) {
        CHECK_THROWS_AS(TokenTable(corpus({"a", "b"}, offsets)), Error);
    }
}

TEST_CASE("TokenFlow: breaks at the width, at newlines and at documents", "[core][figures]") {
    const TokenTable table(
        corpus({"aaaa", "bbbb", "cc\n", "d", "e", "ffffffffffffffff"}, {0, 4, 6}));
    const TokenFlow flow(table, 0, 6, 10, 0.0);
    REQUIRE(flow.lineCount() == 5);
    CHECK(flow.lineEnd(0) == 2);  // "aaaa" "bbbb"; "cc" + mark would be 11
    CHECK(flow.lineEnd(1) == 3);
    CHECK(flow.lineEnd(2) == 4);
    CHECK(flow.startsDocument(3));
    CHECK(flow.lineEnd(3) == 5);
    CHECK(flow.spanOf(table, 5).width == 10.0);
    CHECK(flow.spanOf(table, 1).left == 4.0);
    CHECK(flow.tokenAt(table, 0, 5.0) == std::uint64_t{1});
    CHECK_FALSE(flow.tokenAt(table, 0, 9.0));
    CHECK_FALSE(flow.tokenAt(table, 99, 0.0));
}

TEST_CASE("TokenFlow: each token lies on exactly one line", "[core][figures]") {
    std::vector<std::string> tokens;
    for (int i = 0; i < 1000; ++i) {
        tokens.push_back(std::string(static_cast<std::size_t>(1 + i * 7 % 13), 'x') +
                         (i % 29 == 0 ? "\n" : ""));
    }
    const TokenTable table(corpus(tokens));
    for (const int columns : {1, 5, 40, 200}) {
        const TokenFlow flow(table, 100, 700, columns, 0.5);
        CHECK(flow.lineBegin(0) == 100);
        CHECK(flow.lineEnd(flow.lineCount() - 1) == 800);
        for (std::uint64_t token = 100; token < 800; ++token) {
            const std::uint64_t line = flow.lineOf(token);
            REQUIRE(flow.lineBegin(line) <= token);
            REQUIRE(token < flow.lineEnd(line));
            const auto span = flow.spanOf(table, token);
            CHECK(span.left + span.width <= columns + 1e-9);
            CHECK(flow.tokenAt(table, line, span.left + 0.1) == token);
        }
    }
    CHECK(TokenFlow(table, 0, 0, 10, 0).lineCount() == 0);
}

TEST_CASE("layoutRouting: a cell is found where it is drawn", "[core][figures]") {
    const TextMetrics text{12.0, [](std::string_view s) { return 6.0 * double(s.size()); }};
    for (const int experts : {1, 8, 64, 256}) {
        for (const double rowHeight : {16.0, 4.0, 1.0}) {
            const RoutingLayout layout =
                layoutRouting({900.0, 600.0, experts, 5000, rowHeight, 90.0}, text);
            const std::uint64_t rows =
                layout.rowsPerBlock * static_cast<std::uint64_t>(layout.blocks);
            for (std::uint64_t row = 0; row < rows; row += 17) {
                const int expert = static_cast<int>(row) % experts;
                const Rect cell = layout.cellRect(row, expert);
                CHECK(cell.right() <= 900.5);
                CHECK(cell.bottom() <= 600.5);
                const auto found = layout.at(cell.x + cell.width / 2, cell.y + cell.height / 2);
                REQUIRE(found);
                CHECK(found->row == row);
                CHECK(found->expert == expert);
            }
        }
    }
}

TEST_CASE("layoutRouting: an exported map has room for all tokens", "[core][figures]") {
    const TextMetrics text{12.0, [](std::string_view s) { return 6.0 * double(s.size()); }};
    for (const std::uint64_t tokens : {1U, 7U, 64U, 1000U}) {
        const RoutingLayout layout =
            layoutRouting({657.0, std::nullopt, 8, tokens, 12.0, 80.0}, text);
        CHECK(layout.tokensShown() >= tokens);
        CHECK(layout.tokensShown() < tokens + static_cast<std::uint64_t>(layout.blocks));
    }
    const RoutingLayout zoomedOut = layoutRouting({657.0, 500.0, 8, 1000000, 0.25, 80.0}, text);
    CHECK(zoomedOut.tokensPerRow == 4);
}
