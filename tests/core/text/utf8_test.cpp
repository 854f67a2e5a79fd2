// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/utf8.h"

#include "core/base/error.h"
#include "tests/support/catch.h"

using namespace moescope;
using namespace moescope::text;

TEST_CASE("UTF-8: every code point round-trips and is valid", "[core][text]") {
    std::size_t wrong = 0;
    for (char32_t c = 0; c <= 0x10FFFF; ++c) {
        std::string bytes;
        appendUtf8(bytes, c);
        const bool surrogate = c >= 0xD800 && c < 0xE000;
        const bool valid = !findInvalidUtf8(bytes).has_value();
        const CodePoint back = codePointAt(bytes, 0);
        wrong += valid == surrogate || back.value != c || back.length != bytes.size() ? 1U : 0U;
    }
    CHECK(wrong == 0);
}

TEST_CASE("UTF-8: malformed sequences are found where they begin", "[core][text]") {
    CHECK(findInvalidUtf8("ab\xC3") == 2U);                // cut
    CHECK(findInvalidUtf8("\xC0\xAF") == 0U);              // overlong
    CHECK(findInvalidUtf8("a\xE0\x80\x80") == 1U);         // overlong
    CHECK(findInvalidUtf8("\xED\xA0\x80") == 0U);          // surrogate
    CHECK(findInvalidUtf8("\xF4\x90\x80\x80") == 0U);      // beyond U+10FFFF
    CHECK(findInvalidUtf8("\xF8\x88\x80\x80\x80") == 0U);  // five bytes
    CHECK(findInvalidUtf8("x\x80") == 1U);                 // lone continuation
    CHECK(!findInvalidUtf8("\xF4\x8F\xBF\xBF"));
    CHECK(!findInvalidUtf8(""));
}

TEST_CASE("UTF-8: the error names text and offset", "[core][text]") {
    try {
        requireUtf8("abc\xFF", "The prompt");
        FAIL("accepted a byte that is not UTF-8");
    } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::BadText);
        CHECK_THAT(error.what(), Catch::Contains("The prompt") && Catch::Contains("0xFF") &&
                                     Catch::Contains("offset 3"));
    }
}

TEST_CASE("UTF-8: strips white space as Python does", "[core][text]") {
    CHECK(stripped(" \t\r\n a b \xE3\x80\x80\xC2\xA0") == "a b");
    CHECK(stripped("\xE2\x80\x8B") == "\xE2\x80\x8B");  // zero width space is no white space
    CHECK(stripped(" \n ").empty());
    CHECK(stripped("").empty());
    CHECK(stripped("\xE4\xB8\xAD") == "\xE4\xB8\xAD");
}
