// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/choices.h"

#include "core/base/file_system.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/throws.h"
#include "tests/support/tiny_checkpoint.h"

using namespace moescope;
using namespace moescope::text;
using tests::checkThrows;

namespace {

std::vector<ChoiceQuestion> questionsOf(const std::string& content) {
    const tests::TemporaryFolder folder;
    writeFileAtomically(folder / "questions.jsonl", content);
    return readChoices(folder / "questions.jsonl");
}

std::string textOf(const TokenizedChoices& choices, std::size_t text, bool choiceAlone,
                   const Tokenizer& tokenizer) {
    std::string bytes;
    const std::uint64_t skipped = choiceAlone ? choices.contextLength[text] : 1;  // <s>
    for (std::uint64_t t = choices.offsets[text] + skipped; t < choices.offsets[text + 1]; ++t) {
        bytes += tokenizer.tokenBytes(choices.ids[t]);
    }
    return bytes;
}

}  // namespace

TEST_CASE("readChoices: questions under either name, blank lines left out", "[core][text]") {
    const auto questions = questionsOf(
        "{\"question\": \"a\", \"choices\": [\"b\", \"c\"], \"answer\": 1}\n"
        "\n"
        "{\"context\": \"d\", \"endings\": [\"e\", \"f\", \"g\"], \"label\": \"2\", \"id\": 7}");
    REQUIRE(questions.size() == 2);
    CHECK(questions[0].question == "a");
    CHECK(questions[0].choices == std::vector<std::string>{"b", "c"});
    CHECK(questions[0].answer == 1);
    CHECK(questions[1].question == "d");
    CHECK(questions[1].answer == 2);
    CHECK(questions[1].source == "questions.jsonl, line 3");
}

TEST_CASE("readChoices: what is wrong is said with its line", "[core][text]") {
    const auto refused = [](const char* line, const std::vector<std::string>& words) {
        CAPTURE(line);
        checkThrows([&] { static_cast<void>(questionsOf(std::string("\n") + line)); },
                    ErrorCode::BadText, words);
    };
    refused("[1]", {"line 2", "JSON object"});
    refused("{\"question\": ", {"line 2", "JSON object"});
    refused("{\"choices\": [\"a\", \"b\"], \"answer\": 0}", {"line 2", "\"question\""});
    refused("{\"question\": \"q\", \"answer\": 0}", {"\"choices\""});
    refused("{\"question\": \"q\", \"choices\": [\"a\", \"b\"]}", {"\"answer\""});
    refused("{\"question\": \"q\", \"choices\": [\"a\"], \"answer\": 0}", {"two or more"});
    refused("{\"question\": \"q\", \"choices\": [\"a\", 3], \"answer\": 0}", {"two or more"});
    for (const char* answer : {"2", "-1", "1.5", "\"B\"", "\"\"", "null", "1e99"}) {
        refused(("{\"question\": \"q\", \"choices\": [\"a\", \"b\"], \"answer\": " +
                 std::string(answer) + "}")
                    .c_str(),
                {"line 2"});
    }
    refused(" ", {"no question"});
    refused("{\"question\": \"\xFF\", \"choices\": [\"a\", \"b\"], \"answer\": 0}", {"line 2"});
    const std::string deep =
        R"({"question": "q", "choices": ["a", "b"], "answer": )" + std::string(100000, '[') + "}";
    refused(deep.c_str(), {"line 2", "deeper than 64 levels"});
    refused(R"({"question": "q", "choices": ["a", "b"], "answer": [0]})", {"answer array is not"});
    checkThrows([] { static_cast<void>(readChoices("/nowhere.jsonl")); }, ErrorCode::FileNotFound,
                {"nowhere"});
}

TEST_CASE("tokenizeChoices: a text for each choice, its tokens behind the question's",
          "[core][text]") {
    const tests::TemporaryFolder folder;
    tests::makeTinyMixtral(folder / "model");
    const auto tokenizer = loadTokenizer(folder / "model");
    const auto choices = tokenizeChoices(
        {{"you", {"see", " a b"}, 0, "here"}, {"I am ", {"he", " it", "so"}, 2, "there"}},
        *tokenizer);
    CHECK(choices.question == std::vector<std::uint32_t>{0, 0, 1, 1, 1});
    CHECK(choices.answer == std::vector<std::uint32_t>{0, 2});
    REQUIRE(choices.offsets.size() == 6);
    CHECK(choices.ids[0] == 1);  // <s>
    CHECK(textOf(choices, 0, true, *tokenizer) == " see");
    CHECK(textOf(choices, 1, true, *tokenizer) == " a b");
    CHECK(textOf(choices, 2, true, *tokenizer) == " he");
    CHECK(textOf(choices, 3, true, *tokenizer) == " it");
    CHECK(textOf(choices, 0, false, *tokenizer) == "you see");
    CHECK(choices.chance() == Approx((0.5 + 1.0 / 3.0) / 2.0));
    auto other = choices;
    CHECK(other.digest() == choices.digest());
    other.answer[0] = 1;
    CHECK(other.digest() != choices.digest());
    checkThrows(
        [&] {
            static_cast<void>(tokenizeChoices({{"q", {"a", ""}, 0, "f, line 9"}}, *tokenizer));
        },
        ErrorCode::BadText, {"f, line 9", "no token"});
    // Behind a text, as documents of their own.
    TokenizedCorpus corpus;
    corpus.ids = {1, 2, 3};
    corpus.offsets = {0, 2, 3};
    const TokenizedCorpus passed = withChoices(corpus, choices);
    CHECK(passed.documentCount() == 7);
    CHECK(passed.offsets[3] == 3 + choices.offsets[1]);
    CHECK(passed.ids.size() == 3 + choices.ids.size());
    CHECK(withChoices(corpus, {}).offsets == corpus.offsets);
}
