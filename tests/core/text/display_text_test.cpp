// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/tokenizer.h"
#include "core/text/utf8.h"
#include "tests/support/catch.h"

#include <random>

using moescope::text::displayText;

TEST_CASE("displayText: marks white space", "[core][text]") {
    CHECK(displayText(" the") == "\xC2\xB7the");
    CHECK(displayText("a\n") == "a\xE2\x8F\x8E");
    CHECK(displayText("\t") == "\xE2\x87\xA5");
    CHECK(displayText("").empty());
}

TEST_CASE("displayText: shows bytes that are no character", "[core][text]") {
    CHECK(displayText("\xE2") ==
          "\xE2\x80\xB9"
          "E2\xE2\x80\xBA");
    CHECK(displayText("\x82\xAC!") ==
          "\xE2\x80\xB9"
          "82 AC\xE2\x80\xBA!");
    CHECK(displayText("\xE2\x82\xAC") == "\xE2\x82\xAC");
}

TEST_CASE("displayText: shows control and invisible characters by number", "[core][text]") {
    CHECK(displayText(std::string_view("\0", 1)) ==
          "\xE2\x80\xB9"
          "00\xE2\x80\xBA");
    CHECK(displayText("\r") ==
          "\xE2\x80\xB9"
          "0D\xE2\x80\xBA");
    // NOLINTNEXTLINE(misc-misleading-bidirectional): what is shown in its place
    CHECK(displayText("\xE2\x80\xAE") == "\xE2\x80\xB9U+202E\xE2\x80\xBA");
    CHECK(displayText("\xC2\xA0") == "\xE2\x80\xB9U+00A0\xE2\x80\xBA");
}

TEST_CASE("displayText: any bytes give valid UTF-8", "[core][text]") {
    std::mt19937 random(7);
    for (int round = 0; round < 2000; ++round) {
        std::string bytes(random() % 12, '\0');
        for (char& byte : bytes) {
            byte = static_cast<char>(random());
        }
        CHECK_FALSE(moescope::text::findInvalidUtf8(displayText(bytes)));
    }
}
