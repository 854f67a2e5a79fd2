// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/tokenizer.h"
#include "core/text/utf8.h"
#include "tests/support/catch.h"

#include <random>

using namespace moescope::text;
using Texts = std::vector<std::string>;

TEST_CASE("displayTexts: a character over several tokens shows in each", "[core][text]") {
    const Texts tokens = {"x\xE4", "\xB8", "", "\xAD!", "\xE4", "y"};
    const Texts shown = displayTexts(tokens);
    CHECK(shown[0] == "x\xE4\xB8\xAD\xE2\x80\xB9\x31/3\xE2\x80\xBA");
    CHECK(shown[1] == "\xE4\xB8\xAD\xE2\x80\xB9\x32/3\xE2\x80\xBA");
    CHECK(shown[2].empty());
    CHECK(shown[3] == "\xE4\xB8\xAD\xE2\x80\xB9\x33/3\xE2\x80\xBA!");
    CHECK(shown[4] == displayText("\xE4"));
    CHECK(shown[5] == "y");
    CHECK(displayTexts({}).empty());
}

TEST_CASE("displayTexts: whole characters show as displayText shows them", "[core][text]") {
    const Texts tokens = {" the", "\n\n", "\xC3\xA9\xFF\xFE", "<s>"};
    const Texts shown = displayTexts(tokens);
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        CHECK(shown[i] == displayText(tokens[i]));
    }
}

TEST_CASE("displayTexts: any bytes give valid UTF-8 without controls", "[core][text]") {
    std::mt19937 random(3);
    for (int round = 0; round < 300; ++round) {
        Texts tokens(1 + random() % 6);
        for (auto& token : tokens) {
            for (auto n = random() % 5; n > 0; --n) {
                token.push_back(static_cast<char>(random()));
            }
        }
        for (const std::string& text : displayTexts(tokens)) {
            REQUIRE_FALSE(findInvalidUtf8(text));
            REQUIRE(std::none_of(text.begin(), text.end(),
                                 [](char c) { return static_cast<unsigned char>(c) < 0x20; }));
        }
    }
}
