// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/engine/run_request.h"

#include "core/base/file_system.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/throws.h"
#include "tests/support/tiny_checkpoint.h"

using namespace moescope;
using namespace moescope::tests;

namespace {

cli::AnalyzeOptions optionsFor(const std::filesystem::path& checkpoint) {
    cli::AnalyzeOptions options;
    options.checkpoint = checkpoint;
    options.session = "run.h5";
    options.text = text::TextSource{};
    options.text->prompt = "Hello you";
    options.experiments = {"weight_similarity", "rank_counts"};
    options.experimentOptions.skipFirstToken = true;
    return options;
}

}  // namespace

TEST_CASE("makeRunRequest: text, options and cards of a run", "[app][engine]") {
    const TemporaryFolder folder;
    makeTinyMixtral(folder / "model");
    makeTinyBaseline(folder / "dense");
    cli::AnalyzeOptions options = optionsFor(folder / "model");
    options.baselines = {folder / "dense"};
    options.topK = 3;
    options.interrupted = cli::Interrupted::Resume;
    const engine::RunRequest request = app::makeRunRequest(options, "moescope analyze", {});
    CHECK(request.corpus.tokenCount() == 10);  // <s> and nine characters
    CHECK(request.corpus.ids.front() == 1);
    CHECK(request.corpus.tokenBytes[6] == " ");
    REQUIRE(request.experiments.size() == 2);
    CHECK(request.experiments[1].id == "rank_counts");
    CHECK(request.experiments[1].optionsJson == R"({"skip_first_token":true})");
    CHECK_THAT(request.cardJson, Catch::Contains("Mixtral"));
    CHECK(request.baselineCards.size() == 1);
    CHECK(request.topK == 3);
    CHECK(request.interrupted == engine::Interrupted::Resume);
    CHECK(request.commandLine == "moescope analyze");
}

TEST_CASE("makeRunRequest: records without text are said, lines without text are not",
          "[app][engine]") {
    const TemporaryFolder folder;
    makeTinyMixtral(folder / "model");
    writeFileAtomically(folder / "a.jsonl",
                        "{\"text\": \"one\"}\n{\"text\": \"  \"}\n"
                        "{\"text\": \"two\"}\n{\"text\": \"\"}\n");
    cli::AnalyzeOptions options = optionsFor(folder / "model");
    options.text->kind = text::TextSource::Kind::Jsonl;
    options.text->paths = {folder / "a.jsonl"};
    std::vector<std::string> said;
    const auto log = [&](LogLevel, const std::string& text) { said.push_back(text); };
    CHECK(app::makeRunRequest(options, "", log).corpus.documentCount() == 2);
    REQUIRE(said.size() == 1);
    CHECK(said[0] == "2 records hold no text and are left out; 2 are read.");
    said.clear();
    options.text->splitLines = true;
    CHECK(app::makeRunRequest(options, "", log).corpus.documentCount() == 2);
    CHECK(said.empty());
    options.text->kind = text::TextSource::Kind::Files;
    static_cast<void>(app::makeRunRequest(options, "", log));
    REQUIRE(said.size() == 1);
    CHECK_THAT(said[0], Catch::Contains("a.jsonl is read as plain text") &&
                            Catch::Contains("--jsonl makes a document"));
}

TEST_CASE("makeRunRequest: documents go through the chat template", "[app][engine]") {
    const TemporaryFolder folder;
    makeTinyMixtral(folder / "model");
    cli::AnalyzeOptions options = optionsFor(folder / "model");
    options.chat = true;
    options.tokenize.addSpecialTokens = false;
    checkThrows([&] { static_cast<void>(app::makeRunRequest(options, "", {})); },
                ErrorCode::BadTokenizer, {"no chat template", "--chat"});
    writeFileAtomically(folder / "model" / "chat_template.jinja",
                        "<s>{% for m in messages %}{{ m.role }} {{ m.content }}{% endfor %}");
    const engine::RunRequest request = app::makeRunRequest(options, "", {});
    CHECK(request.chatTemplate);
    CHECK(request.corpus.ids.front() == 1);
    CHECK(request.corpus.tokenBytes[1] == "u");
    CHECK(request.corpus.tokenCount() == 15);  // <s>, "user " and nine characters
}

TEST_CASE("makeRunRequest: static experiments need no tokenizer", "[app][engine]") {
    const TemporaryFolder folder;
    makeTinyMixtral(folder / "model");
    std::filesystem::remove(folder / "model" / "tokenizer.json");
    cli::AnalyzeOptions options = optionsFor(folder / "model");
    checkThrows([&] { static_cast<void>(app::makeRunRequest(options, "", {})); },
                ErrorCode::FileNotFound, {"tokenizer"});
    options.text.reset();
    CHECK(app::makeRunRequest(options, "", {}).corpus.tokenCount() == 0);
}

TEST_CASE("makeRunRequest: a baseline with another tokenizer is refused", "[app][engine]") {
    const TemporaryFolder folder;
    makeTinyMixtral(folder / "model");
    makeTinyBaseline(folder / "dense");
    cli::AnalyzeOptions options = optionsFor(folder / "model");
    options.baselines = {folder / "dense"};
    std::string other = tinyTokenizerJson();
    const std::size_t pair = other.find(R"("a":)");
    REQUIRE(pair != std::string::npos);
    other.replace(pair, 4, "\"\xC3\xA4\":");  // one piece differs
    writeFileAtomically(folder / "dense" / "tokenizer.json", other);
    checkThrows([&] { static_cast<void>(app::makeRunRequest(options, "", {})); },
                ErrorCode::BaselineMismatch, {"dense", "tokenizer"});

    std::filesystem::remove(folder / "dense" / "tokenizer.json");
    std::vector<std::string> warnings;
    static_cast<void>(app::makeRunRequest(
        options, "", [&](LogLevel, const std::string& text) { warnings.push_back(text); }));
    REQUIRE(warnings.size() == 1);
    CHECK_THAT(warnings[0], Catch::Contains("no tokenizer files"));
}

TEST_CASE("makeRunRequest: text and options are limited as asked", "[app][engine]") {
    const TemporaryFolder folder;
    makeTinyMixtral(folder / "model");
    writeFileAtomically(folder / "a.txt", "first line\n\nsecond line\n");
    cli::AnalyzeOptions options = optionsFor(folder / "model");
    options.text->kind = text::TextSource::Kind::Files;
    options.text->paths = {folder / "a.txt"};
    options.text->splitLines = true;
    options.tokenize.contextLength = 4;
    const engine::RunRequest request = app::makeRunRequest(options, "", {});
    CHECK(request.corpus.documentCount() == 2);
    CHECK(request.corpus.offsets == std::vector<std::uint64_t>{0, 4, 8});
    options.tokenize.maxTokens = 6;
    CHECK(app::makeRunRequest(options, "", {}).corpus.tokenCount() == 6);
}

TEST_CASE("makeRunRequest: questions are read and tokenized, also without a text",
          "[app][engine]") {
    const TemporaryFolder folder;
    makeTinyMixtral(folder / "model");
    cli::AnalyzeOptions options = optionsFor(folder / "model");
    options.text.reset();
    options.choices = folder / "questions.jsonl";
    writeFileAtomically(options.choices,
                        R"({"question": "you", "choices": ["see", "am"], "answer": 1})");
    const engine::RunRequest request = app::makeRunRequest(options, "", {});
    CHECK(request.choices.textCount() == 2);
    CHECK(request.choices.source == "questions.jsonl");
    CHECK(request.choices.answer == std::vector<std::uint32_t>{1});
    writeFileAtomically(options.choices, "{}");
    checkThrows([&] { static_cast<void>(app::makeRunRequest(options, "", {})); },
                ErrorCode::BadText, {"questions.jsonl, line 1"});
}

TEST_CASE("makeRunRequest: prune lists are read and checked against the model", "[app][engine]") {
    const TemporaryFolder folder;
    makeTinyMixtral(folder / "model");
    cli::AnalyzeOptions options = optionsFor(folder / "model");
    options.experiments = {"chosen_experts", "pruning"};
    options.pruneLists = {folder / "mine.json"};
    writeFileAtomically(options.pruneLists[0], "[[0, 1]]");
    const engine::RunRequest request = app::makeRunRequest(options, "", {});
    CHECK(request.experiments[0].optionsJson == "{}");
    CHECK(request.experiments[1].optionsJson == R"({"lists":[{"experts":"0:1","name":"mine"}]})");
    writeFileAtomically(options.pruneLists[0], "[[0, 99]]");
    checkThrows([&] { static_cast<void>(app::makeRunRequest(options, "", {})); }, ErrorCode::Usage,
                {"mine.json", "entry 1", "expert 99"});
    // A layer must keep as many as are chosen, of the model or by --top-k.
    writeFileAtomically(options.pruneLists[0],
                        R"({"list": [[0, 0], [0, 1], [0, 2], [0, 3], [0, 4]]})");
    options.topK = 3;
    checkThrows([&] { static_cast<void>(app::makeRunRequest(options, "", {})); }, ErrorCode::Usage,
                {"mine.json", "chooses 3"});
}
