// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/regex.h"

#include "core/base/error.h"
#include "tests/support/catch.h"

using namespace moescope;
using namespace moescope::text;

namespace {

std::string matches(std::string_view pattern, std::string_view text) {
    const Regex regex(pattern, "test");
    std::string out;
    std::size_t from = 0;
    while (const auto match = regex.find(text, from)) {
        out += "|" + std::string(text.substr(match->begin, match->end - match->begin));
        from = match->end;
        if (match->begin == match->end) {
            break;
        }
    }
    return out;
}

}  // namespace

TEST_CASE("Regex: Unicode classes, look-ahead, possessive runs", "[core][text]") {
    CHECK(matches("\\p{L}+|\\p{N}{1,3}", "a\xC3\xA9 1234") == "|a\xC3\xA9|123|4");
    CHECK(matches("\\s+(?!\\S)|\\s+", "a   b") == "|  | ");
    CHECK(matches("(?i:'s|'LL)", "it'S we'll") == "|'S|'ll");
    CHECK(matches("[^\\s]++", "ab cd") == "|ab|cd");
    CHECK(matches("\\p{Han}+", "a\xE4\xB8\xAD") == "|\xE4\xB8\xAD");
    // The ideographic full stop is used in Han texts, but is not of that script.
    const std::string sentence = "\xE4\xB8\xAD\xE3\x80\x82\xE6\x96\x87";
    CHECK(matches("\\p{Han}+", sentence) == "|\xE4\xB8\xAD|\xE6\x96\x87");
    CHECK(matches("[^\\p{Han}]", sentence) == "|\xE3\x80\x82");
    CHECK(matches("\\p{^Han}|\\P{Han}", sentence) == "|\xE3\x80\x82");
    CHECK(matches("a$", "a\na") == "|a|a");  // lines, as in the reference implementation
}

TEST_CASE("Regex: U+180E is no white space", "[core][text]") {
    const std::string separator = "\xE1\xA0\x8E";
    CHECK(matches("\\s", separator).empty());
    CHECK(matches("[^\\s]", separator) == "|" + separator);
    CHECK(matches("\\S", separator) == "|" + separator);
    CHECK(matches("\\s+", " \t\n\xC2\x85\xC2\xA0\xE2\x80\xA8\xE3\x80\x80") ==
          "| \t\n\xC2\x85\xC2\xA0\xE2\x80\xA8\xE3\x80\x80");
}

TEST_CASE("Regex: intersections of classes", "[core][text]") {
    const std::string text =
        "Ab\xE4\xB8\xAD"
        "c1";
    CHECK(matches("[\\p{L}&&[^\\p{Han}]]+", text) == "|Ab|c");
    CHECK(matches("[\\p{L}&&\\p{Lu}]", text) == "|A");
    CHECK(matches("[^\\p{L}&&[^\\p{Han}]]+", text) == "|\xE4\xB8\xAD|1");
    CHECK(matches("[]a&]+", "]&a&&b") == "|]&a&&");  // && is an operator only between operands
}

TEST_CASE("Regex: what does not compile or is not supported says so", "[core][text]") {
    const auto codeOf = [](std::string_view pattern) {
        try {
            const Regex regex(pattern, "tokenizer.json");
        } catch (const Error& error) {
            return error.code();
        }
        return ErrorCode::Internal;
    };
    CHECK(codeOf("(a") == ErrorCode::BadTokenizer);
    CHECK(codeOf("[a") == ErrorCode::BadTokenizer);
    CHECK(codeOf("a\\") == ErrorCode::BadTokenizer);
    CHECK(codeOf("[a[bc]]") == ErrorCode::Unsupported);
    CHECK(codeOf(std::string(100'000, '[')) == ErrorCode::Unsupported);
    CHECK(codeOf("[[ab]]") == ErrorCode::Unsupported);
    CHECK(codeOf("[[:alpha:]]") == ErrorCode::Internal);  // compiles
}

TEST_CASE("Regex: a group over a long run neither fails nor overflows", "[core][text]") {
    const std::string text(2'000'000, 'a');
    const Regex regex("(?:(?=[a-z])[\\p{L}])+", "test");
    const auto match = regex.find(text, 0);
    REQUIRE(match);
    CHECK(match->end == text.size());
}
