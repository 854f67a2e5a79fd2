// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/byte_alphabet.h"

#include "tests/support/catch.h"

using namespace moescope::text;

TEST_CASE("Byte alphabet: every byte has its own character and comes back", "[core][text]") {
    std::string all;
    for (int byte = 0; byte < 256; ++byte) {
        all.push_back(static_cast<char>(byte));
    }
    CHECK(fromByteAlphabet(toByteAlphabet(all)) == all);
    CHECK(toByteAlphabet(" the\n") == "\xC4\xA0the\xC4\x8A");
    CHECK(toByteAlphabet("\xC2\xAD\xFF") == "\xC3\x82\xC5\x83\xC3\xBF");
}

TEST_CASE("Byte alphabet: characters outside of it", "[core][text]") {
    CHECK(fromByteAlphabet("a b") == std::nullopt);
    CHECK(fromByteAlphabet("\xE4\xB8\xAD") == std::nullopt);
    CHECK(fromByteAlphabet("\xFF") == std::nullopt);
    CHECK(fromByteAlphabet("") == std::string());
}
