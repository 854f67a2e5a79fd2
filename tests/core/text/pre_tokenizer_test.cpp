// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/pre_tokenizer.h"

#include "tests/support/catch.h"

using namespace moescope::text;
using Behavior = PreTokenizer::Behavior;
using Metaspace = PreTokenizer::Metaspace;

namespace {

const std::string kMark = "\xE2\x96\x81";

std::string words(const PreTokenizer& preTokenizer, std::string_view text, bool isStart = true) {
    PreTokenizer::Words found;
    preTokenizer.apply(text, isStart, found);
    std::string out;
    for (const auto word : found.list) {
        out += "|" + std::string(word);
    }
    return out;
}

PreTokenizer split(std::string_view pattern, Behavior behavior, bool invert = false) {
    PreTokenizer out;
    out.add(PreTokenizer::Split{Regex(pattern, "test"), behavior, invert});
    return out;
}

PreTokenizer metaspace(Metaspace::Prepend prepend, bool splits) {
    PreTokenizer out;
    out.add(Metaspace{kMark, prepend, splits});
    return out;
}

}  // namespace

// The expected values are those of the documentation of SplitDelimiterBehavior.
TEST_CASE("PreTokenizer: split behaviours", "[core][text]") {
    const std::string text = "the-final--countdown";
    CHECK(words(split("-", Behavior::Removed), text) == "|the|final|countdown");
    CHECK(words(split("-", Behavior::Isolated), text) == "|the|-|final|-|-|countdown");
    CHECK(words(split("-", Behavior::MergedWithPrevious), text) == "|the-|final-|-|countdown");
    CHECK(words(split("-", Behavior::MergedWithNext), text) == "|the|-final|-|-countdown");
    CHECK(words(split("-", Behavior::Contiguous), text) == "|the|-|final|--|countdown");
    CHECK(words(split("[a-z]+", Behavior::Removed, true), text) == "|the|final|countdown");
    CHECK(words(split("-", Behavior::Isolated), "").empty());
    CHECK(words(split("x", Behavior::Isolated), "abc") == "|abc");
}

TEST_CASE("PreTokenizer: an empty match cuts and goes on", "[core][text]") {
    CHECK(words(split("(?=b)", Behavior::Isolated), "abab") == "|a|ba|b");
    CHECK(words(split("x*", Behavior::Removed), "axb") == "|a|b");
}

TEST_CASE("PreTokenizer: a step works on the pieces of the step before", "[core][text]") {
    PreTokenizer steps = split("\\d", Behavior::Isolated);
    steps.add(PreTokenizer::Split{Regex("\\s+$", "test")});
    CHECK(words(steps, "ab  1c ") == "|ab|  |1|c| ");  // $ is the end of a piece
}

TEST_CASE("PreTokenizer: Metaspace", "[core][text]") {
    const auto all = metaspace(Metaspace::Prepend::Always, true);
    CHECK(words(all, "a b") == "|" + kMark + "a|" + kMark + "b");
    CHECK(words(all, " a  ") == "|" + kMark + "a|" + kMark + "|" + kMark);
    const auto first = metaspace(Metaspace::Prepend::First, false);
    CHECK(words(first, "a b") == "|" + kMark + "a" + kMark + "b");
    CHECK(words(first, "a b", false) == "|a" + kMark + "b");
    CHECK(words(metaspace(Metaspace::Prepend::Never, false), "a") == "|a");
}

TEST_CASE("PreTokenizer: byte-level prefix space", "[core][text]") {
    PreTokenizer steps;
    steps.add(PreTokenizer::ByteLevel{true, Regex(" ?\\p{L}+", "test")});
    CHECK(words(steps, "ab c") == "| ab| c");
    CHECK(words(steps, " ab") == "| ab");
    CHECK(steps.isByteLevel());
}
