// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/normalizer.h"

#include "tests/support/catch.h"

using namespace moescope::text;

TEST_CASE("Normalizer: steps one after another", "[core][text]") {
    Normalizer llama;
    llama.add(Normalizer::Prepend{"_"});
    llama.add(Normalizer::Replace{std::string(" "), "_"});
    CHECK(llama.apply("a  b") == "_a__b");
    CHECK(llama.apply("").empty());  // nothing is put before nothing
    CHECK(llama.apply(" ") == "__");
    CHECK(Normalizer().apply("x") == "x");
}

TEST_CASE("Normalizer: patterns, also ones that match nothing", "[core][text]") {
    Normalizer digits;
    digits.add(Normalizer::Replace{Regex("\\d+", "test"), "#"});
    CHECK(digits.apply("a12b3") == "a#b#");
    Normalizer empty;
    empty.add(Normalizer::Replace{Regex("x*", "test"), "-"});
    CHECK(empty.apply("a\xC3\xA9") == "-a-\xC3\xA9-");
    Normalizer nothing;
    nothing.add(Normalizer::Replace{std::string(), "-"});
    CHECK(nothing.apply("ab") == "ab");
}

TEST_CASE("Normalizer: Unicode forms", "[core][text]") {
    const auto apply = [](NormalForm form, std::string_view text) {
        Normalizer normalizer;
        normalizer.add(form);
        return normalizer.apply(text);
    };
    CHECK(apply(NormalForm::Nfc, "e\xCC\x81") == "\xC3\xA9");
    CHECK(apply(NormalForm::Nfd, "\xC3\xA9") == "e\xCC\x81");
    CHECK(apply(NormalForm::Nfkc, "\xEF\xAC\x81") == "fi");
    CHECK(apply(NormalForm::Nfkd, "\xEF\xAC\x81") == "fi");
    CHECK(apply(NormalForm::Nfc, "\xE2\x84\xAA") == "K");  // Kelvin sign
    CHECK(apply(NormalForm::Nfc, "").empty());
}
