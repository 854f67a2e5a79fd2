// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/token_flow.h"

#include "core/base/error.h"
#include "core/figures/routing_layout.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <memory>
#include <random>

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
    const auto table = std::make_shared<const TokenTable>(
        corpus({"aaaa", "bbbb", "cc\n", "d", "e", "ffffffffffffffff"}, {0, 4, 6}));
    TokenFlow flow(table, 0, 6, 10, 0.0);
    REQUIRE(flow.breakAll() == 5);
    CHECK(flow.lineEnd({0, 0}) == 2);  // "aaaa" "bbbb"; "cc" + mark would be 11
    CHECK(flow.lineEnd({0, 1}) == 3);
    CHECK(flow.lineEnd({0, 2}) == 4);
    CHECK(flow.startsDocument({0, 3}));
    CHECK_FALSE(flow.startsDocument({0, 0}));
    CHECK(flow.lineEnd({0, 3}) == 5);
    CHECK(flow.spanOf(5).width == 10.0);
    CHECK(flow.spanOf(1).left == 4.0);
    CHECK(flow.tokenAt({0, 0}, 5.0) == std::uint64_t{1});
    CHECK_FALSE(flow.tokenAt({0, 0}, 9.0));
    CHECK_FALSE(flow.tokenAt({0, 99}, 0.0));
    CHECK(TokenFlow(table, 0, 0, 10, 0).breakAll() == 0);
}

namespace {

/// Paragraphs of `each` tokens, or of about as many, documents of `document`.
std::shared_ptr<const TokenTable> paragraphs(int count, int each, std::uint64_t document,
                                             bool isUneven = false) {
    std::mt19937 random(5);
    const auto ends = [&](int i) {
        return isUneven ? random() % static_cast<unsigned>(each) == 0 : i % each == each - 1;
    };
    std::vector<std::string> tokens;
    std::vector<std::uint64_t> offsets;
    for (int i = 0; i < count; ++i) {
        if (static_cast<std::uint64_t>(i) % document == 0) {
            offsets.push_back(static_cast<std::uint64_t>(i));
        }
        tokens.push_back(std::string(static_cast<std::size_t>(1 + i * 7 % 13), 'x') +
                         (ends(i) ? "\n" : ""));
    }
    offsets.push_back(static_cast<std::uint64_t>(count));
    return std::make_shared<const TokenTable>(corpus(tokens, offsets));
}

/// First tokens of the lines, broken the plain way: one token after another.
std::vector<std::uint64_t> plainLines(const TokenTable& table, std::uint64_t first,
                                      std::uint64_t count, double columns, double spacing) {
    std::vector<std::uint64_t> begin;
    double used = 0.0;
    for (std::uint64_t token = first; token < first + count; ++token) {
        const double width = std::min(static_cast<double>(table.columns(token)), columns);
        const auto& documents = table.documentOffsets();
        const bool starts = token == first || table.endsLine(token - 1) ||
                            std::count(documents.begin(), documents.end(), token) > 0;
        if (starts || used + width > columns) {
            begin.push_back(token);
            used = 0.0;
        }
        used += width + spacing;
    }
    return begin;
}

}  // namespace

TEST_CASE("TokenFlow: lines are those of plain breaking, in whatever order they are asked for",
          "[core][figures]") {
    const auto table = paragraphs(20'000, 29, 3'000);
    REQUIRE(table->stretches().size() > 10);
    for (const int columns : {1, 5, 40, 200}) {
        CAPTURE(columns);
        const auto expected = plainLines(*table, 100, 19'000, columns, 0.5);
        TokenFlow flow(table, 100, 19'000, columns, 0.5);
        // From the end, from the middle, by steps; then all lines in their order.
        CHECK(flow.lineBegin(flow.moved(flow.lineAt(flow.lineCount()), 0)) == expected.back());
        const FlowLine middle = flow.lineOf(expected[expected.size() / 2]);
        CHECK(flow.lineBegin(middle) == expected[expected.size() / 2]);
        CHECK(flow.lineBegin(flow.moved(middle, -7)) == expected[expected.size() / 2 - 7]);
        CHECK(flow.lineBegin(flow.moved(middle, 700)) ==
              expected[std::min(expected.size() / 2 + 700, expected.size() - 1)]);
        REQUIRE(flow.breakAll() == expected.size());
        for (std::size_t i = 0; i < expected.size(); ++i) {
            const FlowLine line = flow.lineAt(i);
            REQUIRE(flow.lineBegin(line) == expected[i]);
            REQUIRE(flow.linesBefore(line) == i);
            REQUIRE(flow.lineEnd(line) == (i + 1 < expected.size() ? expected[i + 1] : 19'100));
        }
    }
}

TEST_CASE("TokenFlow: each token lies on exactly one line", "[core][figures]") {
    const auto table = paragraphs(1'000, 29, 1'000);
    for (const int columns : {1, 5, 40, 200}) {
        TokenFlow flow(table, 100, 700, columns, 0.5);
        for (std::uint64_t token = 100; token < 800; ++token) {
            const FlowLine line = flow.lineOf(token);
            REQUIRE(flow.lineBegin(line) <= token);
            REQUIRE(token < flow.lineEnd(line));
            const auto span = flow.spanOf(token);
            CHECK(span.left + span.width <= columns + 1e-9);
            CHECK(flow.tokenAt(line, span.left + 0.1) == token);
        }
    }
}

TEST_CASE("TokenFlow: lines that nobody looked at are estimated well", "[core][figures]") {
    for (const int each : {3, 29, 100'000}) {
        const auto table = paragraphs(100'000, each, 100'000, true);
        for (const int columns : {60, 90, 200}) {
            CAPTURE(each, columns);
            TokenFlow flow(table, 0, 100'000, columns, 0.25);
            const auto estimated = static_cast<double>(flow.lineCount());
            CHECK(estimated == Approx(static_cast<double>(flow.breakAll())).epsilon(0.1));
        }
    }
}

TEST_CASE("TokenFlow: a paragraph without end is broken after thousands of tokens",
          "[core][figures]") {
    const auto table = paragraphs(9'000, 100'000, 100'000);
    REQUIRE(table->stretches().size() == 3);
    CHECK(table->stretches()[1].first == 4096);
    TokenFlow flow(table, 0, 9'000, 80, 0.25);
    std::uint64_t next = 0;
    for (std::uint64_t i = 0; i < flow.breakAll(); ++i) {
        REQUIRE(flow.lineBegin(flow.lineAt(i)) == next);
        next = flow.lineEnd(flow.lineAt(i));
    }
    CHECK(next == 9'000);
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
