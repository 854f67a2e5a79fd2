// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/added_tokens.h"

#include "tests/support/catch.h"

using namespace moescope::text;

namespace {

/// "[text]" for stretches and "#id(text)" for tokens.
std::string shown(const AddedTokenMatcher& matcher, std::string_view text) {
    std::string out;
    for (const auto& piece : matcher.split(text)) {
        out += piece.id ? "#" + std::to_string(*piece.id) + "(" + std::string(piece.text) + ")"
                        : "[" + std::string(piece.text) + "]";
    }
    return out;
}

AddedToken token(std::string content, TokenId id) {
    AddedToken out;
    out.content = std::move(content);
    out.id = id;
    return out;
}

}  // namespace

TEST_CASE("AddedTokenMatcher: the leftmost, and there the longest", "[core][text]") {
    const AddedTokenMatcher matcher(
        {token("<s>", 1), token("  ", 2), token("    ", 3), token("<s>x", 4), token("s>", 5)});
    CHECK(shown(matcher, "a<s>b") == "[a]#1(<s>)[b]");
    CHECK(shown(matcher, "<s>x<s>") == "#4(<s>x)#1(<s>)");
    CHECK(shown(matcher, "a       b") == "[a]#3(    )#2(  )[ b]");
    CHECK(shown(matcher, "<<s>") == "[<]#1(<s>)");
    CHECK(shown(matcher, "<s") == "[<s]");
    CHECK(shown(matcher, "").empty());
    CHECK(shown(AddedTokenMatcher(), "abc") == "[abc]");
    CHECK(shown(AddedTokenMatcher({token("", 9)}), "abc") == "[abc]");
}

TEST_CASE("AddedTokenMatcher: white space taken along", "[core][text]") {
    AddedToken left = token("<l>", 1);
    left.stripLeft = true;
    AddedToken right = token("<r>", 2);
    right.stripRight = true;
    const AddedTokenMatcher matcher({left, right});
    CHECK(shown(matcher, "a \n<l> b") == "[a]#1( \n<l>)[ b]");
    CHECK(shown(matcher, "a <r>\xE3\x80\x80 b") == "[a ]#2(<r>\xE3\x80\x80 )[b]");
    // The first takes the space, the second finds none left.
    CHECK(shown(matcher, "<r> <l>") == "#2(<r> )#1(<l>)");
    CHECK(shown(matcher, "\xE3\x80\x80<l>") == "#1(\xE3\x80\x80<l>)");
}

TEST_CASE("AddedTokenMatcher: single words only", "[core][text]") {
    AddedToken word = token("tool", 1);
    word.singleWord = true;
    const AddedTokenMatcher matcher({word});
    CHECK(shown(matcher, "a tool.") == "[a ]#1(tool)[.]");
    CHECK(shown(matcher, "tools tool_ xtool") == "[tools tool_ xtool]");
    CHECK(shown(matcher, "\xC3\xA9tool tool\xCC\x81") == "[\xC3\xA9tool tool\xCC\x81]");
    CHECK(shown(matcher, "tool") == "#1(tool)");
}
