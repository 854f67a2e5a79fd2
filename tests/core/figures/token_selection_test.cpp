// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/token_selection.h"

#include "core/base/error.h"
#include "tests/support/catch.h"

#include <array>
#include <random>
#include <set>

using namespace moescope;
using namespace moescope::figures;

namespace {

template <typename Work>
std::string messageOf(Work work) {
    try {
        work();
    } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::Usage);
        return error.what();
    }
    return {};
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("TokenSelection: ranges are sorted and joined, as sets of tokens are",
          "[core][figures]") {
    std::mt19937 random(3);
    std::uniform_int_distribution<std::uint64_t> place(0, 60);
    std::uniform_int_distribution<std::uint64_t> length(0, 9);
    for (int round = 0; round < 200; ++round) {
        std::vector<TokenRange> ranges;
        std::set<std::uint64_t> expected;
        for (int i = 0; i < 6; ++i) {
            ranges.push_back({place(random), length(random)});
            for (std::uint64_t token = ranges.back().first; token < ranges.back().end(); ++token) {
                expected.insert(token);
            }
        }
        const TokenSelection selection(ranges);
        REQUIRE(selection.count() == expected.size());
        REQUIRE(selection.end() == (expected.empty() ? 0 : *expected.rbegin() + 1));
        std::uint64_t before = 0;
        for (std::uint64_t token = 0; token < 80; ++token) {
            REQUIRE(selection.contains(token) == expected.contains(token));
            REQUIRE(selection.rank(token) == before);
            if (expected.contains(token)) {
                REQUIRE(selection.at(before) == token);
                ++before;
            }
        }
        for (std::size_t i = 1; i < selection.ranges().size(); ++i) {
            REQUIRE(selection.ranges()[i - 1].end() < selection.ranges()[i].first);
        }
    }
}

TEST_CASE("parseTokens: several ranges, and what is wrong with others", "[core][figures]") {
    CHECK(parseTokens("5-9,0,7-12", 20) == TokenSelection(std::vector<TokenRange>{{0, 1}, {5, 8}}));
    CHECK(parseTokens("18-", 20) == TokenSelection(TokenRange{18, 2}));
    CHECK(has(messageOf([] { (void)parseTokens("1,,2", 20); }), "not understood"));
    CHECK(has(messageOf([] { (void)parseTokens("1,25", 20); }), "tokens 0 to 19"));
}

TEST_CASE("parseDocuments: the tokens of documents", "[core][figures]") {
    const std::array<std::uint64_t, 5> offsets{0, 4, 10, 11, 30};
    CHECK(parseDocuments("1", offsets) == TokenSelection(TokenRange{4, 6}));
    CHECK(parseDocuments("0,2-3", offsets) ==
          TokenSelection(std::vector<TokenRange>{{0, 4}, {10, 20}}));
    CHECK(has(messageOf([&] { (void)parseDocuments("4", offsets); }), "documents 0 to 3"));
    CHECK(has(messageOf([&] { (void)parseDocuments("2-1", offsets); }), "not understood"));
    CHECK(has(messageOf([] { (void)parseDocuments("0", {}); }), "no text"));
}

TEST_CASE("listOf: apart for selections that are, though their words are not", "[core][figures]") {
    const auto one = parseTokens("0-4,10-14,30-34", 100);
    const auto other = parseTokens("0-4,20-24,30-34", 100);
    CHECK(describe(one) == describe(other));
    CHECK(listOf(one) == "0-4,10-14,30-34");
    CHECK(listOf(other) == "0-4,20-24,30-34");
    CHECK(parseTokens(listOf(one), 100) == one);
    CHECK(listOf(parseTokens("7", 100)) == "7");
    CHECK(listOf(TokenSelection()).empty());
}

TEST_CASE("describe: tokens in words", "[core][figures]") {
    CHECK(describe(TokenRange{17, 1}) == "token 17");
    CHECK(describe(TokenRange{10, 5}) == "tokens 10 to 14");
    CHECK(describe(TokenSelection(std::vector<TokenRange>{{10, 5}, {20, 1}})) ==
          "6 tokens in 2 ranges from 10 to 20");
}
