// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/analyze_options.h"

#include "app/cli/parser.h"
#include "core/session/run_store.h"
#include "tests/support/catch.h"
#include "tests/support/session_builder.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/throws.h"

#include <CLI/CLI.hpp>

using namespace moescope;
using namespace moescope::cli;
using moescope::tests::checkThrows;
using Strings = std::vector<std::string>;
using text::TextSource;

namespace {

/// "analyze CHECKPOINT -o run.h5" and what else is given.
AnalyzeOptions parsed(const Strings& more) {
    AnalyzeCommand analyze;
    const auto parser = makeParser("moescope", "");
    analyze.attach(*parser);
    Strings arguments{"analyze", "model", "-o", "run.h5"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    REQUIRE_FALSE(parse(*parser, arguments));
    REQUIRE(analyze.wasCalled());
    return analyze.result();
}

void checkRefused(const Strings& more, const Strings& words) {
    CAPTURE(more);
    checkThrows([&] { static_cast<void>(parsed(more)); }, ErrorCode::Usage, words);
}

}  // namespace

TEST_CASE("AnalyzeCommand: defaults", "[app][cli]") {
    const AnalyzeOptions options = parsed({"--prompt", "Hello"});
    CHECK(options.checkpoint == "model");
    CHECK(options.session == "run.h5");
    REQUIRE(options.text);
    CHECK(options.text->kind == TextSource::Kind::Prompt);
    CHECK(options.text->prompt == "Hello");
    CHECK(options.experiments.size() >= 8);
    CHECK(options.experimentOptions == experiments::ExperimentOptions{});
    CHECK(options.device == "auto");
    CHECK(options.dtype == "auto");
    CHECK_FALSE(options.memoryBytes);
    CHECK_FALSE(options.topK);
    CHECK(options.interrupted == Interrupted::Refuse);
    CHECK(options.tokenize.addSpecialTokens);
    CHECK_FALSE(options.json);
    CHECK_FALSE(options.dryRun);
}

TEST_CASE("AnalyzeCommand: the paper's own text", "[app][cli]") {
    const AnalyzeOptions options =
        parsed({"--csv", "wikitext103_test.csv", "--no-header", "--column", "0", "--split-lines",
                "--skip-prefix", "=", "--max-documents", "10"});
    REQUIRE(options.text);
    CHECK(options.text->kind == TextSource::Kind::Csv);
    CHECK(options.text->paths == std::vector<std::filesystem::path>{"wikitext103_test.csv"});
    CHECK(options.text->column == "0");
    CHECK_FALSE(options.text->hasHeader);
    CHECK(options.text->splitLines);
    CHECK(options.text->skipPrefix == "=");
    CHECK(options.text->maxDocuments == std::uint64_t{10});
}

TEST_CASE("AnalyzeCommand: every other kind of text", "[app][cli]") {
    const AnalyzeOptions jsonl =
        parsed({"--jsonl", "c.jsonl", "--column", "text", "--domain-column", "domain",
                "--max-tokens", "500", "--context", "64"});
    CHECK(jsonl.text->kind == TextSource::Kind::Jsonl);
    CHECK(jsonl.text->domainColumn == "domain");
    CHECK(jsonl.tokenize.maxTokens == std::uint64_t{500});
    CHECK(jsonl.tokenize.contextLength == std::uint64_t{64});
    const AnalyzeOptions files = parsed({"--text", "a.txt", "b.txt", "--chat"});
    CHECK(files.text->kind == TextSource::Kind::Files);
    CHECK(files.text->paths.size() == 2);
    CHECK(files.chat);
    CHECK_FALSE(files.tokenize.addSpecialTokens);
    CHECK(parsed({"--preset", "short"}).text->prompt == "As an open source alternative to");
    CHECK_FALSE(parsed({"--experiments", "static"}).text);
}

TEST_CASE("AnalyzeCommand: a checkpoint after --text is still the checkpoint", "[app][cli]") {
    AnalyzeCommand analyze;
    const auto parser = makeParser("moescope", "");
    analyze.attach(*parser);
    const Strings arguments{"analyze", "-o", "r.h5", "--text", "a.txt", "b.txt", "model"};
    REQUIRE_FALSE(parse(*parser, arguments));
    CHECK(analyze.result().checkpoint == "model");
    CHECK(analyze.result().text->paths.size() == 2);
}

TEST_CASE("AnalyzeCommand: experiments, baselines and how to run", "[app][cli]") {
    const AnalyzeOptions options = parsed({"--prompt",
                                           "x",
                                           "--experiments",
                                           "rank-counts",
                                           "parameters",
                                           "--baseline",
                                           "d1",
                                           "--baseline",
                                           "d2",
                                           "--top-k",
                                           "3",
                                           "--relative-to",
                                           "baseline",
                                           "--skip-first-token",
                                           "--kept-tokens",
                                           "5",
                                           "--kept-states",
                                           "3",
                                           "--activity-threshold",
                                           "0.01",
                                           "--kept-size",
                                           "2G",
                                           "--kept-from",
                                           "spread",
                                           "--device",
                                           "cuda:1",
                                           "--dtype",
                                           "bf16",
                                           "--memory",
                                           "2G",
                                           "--threads",
                                           "3",
                                           "--scratch",
                                           "always",
                                           "--resume",
                                           "--dry-run",
                                           "--json",
                                           "--title",
                                           "A run"});
    CHECK(options.experiments == Strings{"parameters", "rank_counts"});
    CHECK(options.baselines == std::vector<std::filesystem::path>{"d1", "d2"});
    CHECK(options.topK == 3);
    CHECK(options.experimentOptions.relativeTo == experiments::RelativeTo::Baseline);
    CHECK(options.experimentOptions.skipFirstToken);
    CHECK(options.experimentOptions.keptTokenCount == 5);
    CHECK(options.experimentOptions.keptStateCount == 3);
    CHECK(options.experimentOptions.keptBytes == std::uint64_t{2} << 30U);
    CHECK(options.experimentOptions.activityThreshold == 0.01);
    CHECK(options.experimentOptions.keptTokens == experiments::KeptTokens::Spread);
    CHECK(options.device == "cuda:1");
    CHECK(options.dtype == "bfloat16");
    CHECK(options.memoryBytes == std::uint64_t{2} << 30U);
    CHECK(options.threads == 3);
    CHECK(options.scratch == Scratch::Always);
    CHECK(options.interrupted == Interrupted::Resume);
    CHECK(options.dryRun);
    CHECK(options.json);
    CHECK(options.title == "A run");
    CHECK(parsed({"--prompt", "x", "--restart"}).interrupted == Interrupted::Restart);
}

TEST_CASE("AnalyzeCommand: options of the experiments on weights", "[app][cli]") {
    const AnalyzeOptions options =
        parsed({"--prompt", "x", "--router-against", "matrix", "--projection", "raw",
                "--outlier-radius", "2.5", "--outlier-neighbours", "3"});
    CHECK(options.experimentOptions.routerAgainst == experiments::WeightMeasure::Matrix);
    CHECK(options.experimentOptions.projection == experiments::Scaling::Raw);
    CHECK(options.experimentOptions.outlierRadius == 2.5);
    CHECK(options.experimentOptions.outlierNeighbours == 3);
    const AnalyzeOptions matching =
        parsed({"--prompt", "x", "--matching", "joint", "--match-roles", "up,gate", "--match-pairs",
                "3:F,0:1", "--static-layers", "0,2-3"});
    CHECK(matching.experimentOptions.matching == experiments::Matching::Joint);
    CHECK(matching.experimentOptions.matchRoles == std::set<std::string>{"gate", "up"});
    CHECK(matching.experimentOptions.matchPairs ==
          std::vector<experiments::LabelPair>{{"3", "F"}, {"0", "1"}});
    CHECK(matching.staticLayers == std::vector<int>{0, 2, 3});
    checkRefused({"--prompt", "x", "--match-roles", "router"}, {"router", "gate"});
    checkRefused({"--prompt", "x", "--match-pairs", "1:1"}, {"1:1", "3:F"});
    checkRefused({"--prompt", "x", "--static-layers", "two"}, {"two"});
    CHECK(parsed({"--prompt", "x"}).experimentOptions == experiments::ExperimentOptions{});
    checkRefused({"--prompt", "x", "--router-against", "bias"}, {"bias", "mean-neuron"});
    checkRefused({"--prompt", "x", "--projection", "none"}, {"none", "raw"});
    checkRefused({"--prompt", "x", "--outlier-radius", "0"}, {"--outlier-radius"});
    checkRefused({"--prompt", "x", "--outlier-neighbours", "0"}, {"--outlier-neighbours"});
}

TEST_CASE("AnalyzeCommand: contradictions and gaps are refused with the remedy", "[app][cli]") {
    checkRefused({}, {"--prompt", "--experiments static"});
    checkRefused({"--experiments", "rank_counts"}, {"--text"});
    checkRefused({"--prompt", "x", "--csv", "f"}, {"one of"});
    checkRefused({"--preset", "short", "--prompt", "x"}, {"one of"});
    checkRefused({"--prompt", "x", "--column", "0"}, {"--csv"});
    checkRefused({"--jsonl", "f", "--no-header"}, {"--csv"});
    checkRefused({"--experiments", "static", "--max-tokens", "9"}, {"need a text"});
    checkRefused({"--experiments", "static", "--chat"}, {"need a text"});
    checkRefused({"--prompt", "x", "--resume", "--restart"}, {"--resume", "--restart"});
    checkRefused({"--prompt", "x", "--relative-to", "baseline"}, {"--baseline CHECKPOINT"});
    checkRefused({"--prompt", "x", "--relative-to", "zero"}, {"zero", "mean"});
    checkRefused({"--prompt", "x", "--kept-from", "last"}, {"spread"});
    checkRefused({"--prompt", "x", "--kept-from", "9-3"}, {"9-3"});
    checkRefused({"--prompt", "x", "--kept-from", "3,,4"}, {"token range"});
    checkRefused({"--prompt", "x", "--kept-documents", "first"},
                 {"--kept-documents", "first", "0,2,5-7"});
    checkRefused({"--prompt", "x", "--kept-from", "spread", "--kept-documents", "1"},
                 {"--kept-from spread", "--kept-documents"});
    checkRefused({"--prompt", "x", "--scratch", "maybe"}, {"never"});
    checkRefused({"--prompt", "x", "--top-k", "0"}, {"--top-k"});
    checkRefused({"--prompt", "x", "--max-tokens", "0"}, {"--max-tokens"});
    checkRefused({"--prompt", "x", "--context", "0"}, {"--context"});
    checkRefused({"--csv", "f", "--max-documents", "0"}, {"--max-documents"});
    checkRefused({"--csv", "f", "--max-documents", "-3"}, {"--max-documents", "-3"});
    checkRefused({"--prompt", "x", "--kept-tokens", "-1"}, {"--kept-tokens"});
    checkRefused({"--prompt", "x", "--top-k", "99999"}, {"--top-k"});
    checkRefused({"--preset", "medium"}, {"medium"});
    checkRefused({"--prompt", "x", "--device", "tpu"}, {"tpu"});
    checkRefused({"--prompt", "x", "--dtype", "int4"}, {"int4"});
    checkRefused({"--prompt", "x", "--memory", "much"}, {"much"});
    checkRefused({"--prompt", "x", "--experiments", "nope"}, {"nope", "rank_counts"});
}

TEST_CASE("AnalyzeCommand: a session that holds a text needs none", "[app][cli]") {
    const tests::TemporaryFolder folder;
    const std::string path = (folder / "own.h5").string();
    const auto options = [&] {
        AnalyzeCommand analyze;
        const auto parser = makeParser("moescope", "");
        analyze.attach(*parser);
        REQUIRE_FALSE(parse(
            *parser, Strings{"analyze", "model", "-o", path, "--experiments", "rank_counts"}));
        return analyze.result();
    };
    checkThrows([&] { static_cast<void>(options()); }, ErrorCode::Usage, {"need a text"});
    SECTION("finished") {
        tests::writeSyntheticSession(path, {});
        CHECK_FALSE(options().text);
    }
    SECTION("unfinished") {
        session::RunStore store(path);
        store.begin(tests::syntheticHead({}));
        store.writePart(tests::syntheticParts({}).front());
        CHECK_FALSE(options().text);
    }
    SECTION("without a text of its own") {
        session::RunStore store(path);
        tests::SyntheticRun run;
        run.experiments = {"parameters"};
        session::Head head = tests::syntheticHead(run);
        head.corpus = {};
        store.begin(head);
        for (const session::Part& part : tests::syntheticParts(run)) {
            store.writePart(part);
        }
        store.finish();
        checkThrows([&] { static_cast<void>(options()); }, ErrorCode::Usage, {"need a text"});
    }
}

TEST_CASE("AnalyzeCommand: an output is required", "[app][cli]") {
    AnalyzeCommand analyze;
    const auto parser = makeParser("moescope", "");
    analyze.attach(*parser);
    REQUIRE_FALSE(parse(*parser, Strings{"analyze", "model", "--prompt", "x"}));
    checkThrows([&] { static_cast<void>(analyze.result()); }, ErrorCode::Usage, {"-o RUN.h5"});
}

TEST_CASE("AnalyzeCommand: tokens to keep are named as export names them", "[app]") {
    using experiments::KeptTokens;
    const auto kept = [](const Strings& more) {
        Strings arguments{"--prompt", "x"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return parsed(arguments).experimentOptions;
    };
    const auto named = kept({"--kept-from", "100-163,4000,164"});
    CHECK(named.keptTokens == KeptTokens::Listed);
    CHECK(named.keptList == "100-164,4000");
    CHECK(named.keptTokenCount == experiments::kEveryListed);
    CHECK(named.keptStateCount == experiments::kEveryListed);
    const auto both =
        kept({"--kept-from", "7-", "--kept-documents", "2,0-1", "--kept-states", "4"});
    CHECK(both.keptList == "7-");
    CHECK(both.keptDocuments == "0-2");
    CHECK(both.keptTokenCount == experiments::kEveryListed);
    CHECK(both.keptStateCount == 4);
    const auto plain = kept({});
    CHECK(plain.keptTokens == KeptTokens::First);
    CHECK(plain.keptTokenCount == 64);
}

TEST_CASE("AnalyzeCommand: sets of experts to remove", "[app]") {
    const auto options =
        parsed({"--prompt", "x", "--experiments", "expert_removal", "--remove", "5:1,0:3",
                "--remove", "all", "--remove", "3,3", "--remove-controls", "2"})
            .experimentOptions;
    CHECK(options.removals == Strings{"all", "0:3,5:1", "3"});
    CHECK(options.removalControls == 2);
    CHECK(experiments::optionsJson("expert_removal", options) ==
          R"({"controls":2,"sets":["all","0:3,5:1","3"]})");
    CHECK(parsed({"--prompt", "x"}).experimentOptions.removals.empty());
    const auto turn =
        parsed({"--prompt", "x", "--experiments", "expert_removal", "--remove", "all"});
    CHECK(experiments::optionsJson("expert_removal", turn.experimentOptions) == "{}");
    checkRefused({"--prompt", "x", "--remove", "3"}, {"--experiments"});
    checkRefused({"--prompt", "x", "--experiments", "expert_removal", "--remove", "3:"},
                 {"LAYER:EXPERT"});
    checkRefused({"--prompt", "x", "--experiments", "expert_removal", "--remove-controls", "-1"},
                 {"--remove-controls"});
}

TEST_CASE("AnalyzeCommand: prune lists", "[app]") {
    const auto options = parsed({"--prompt", "x", "--experiments", "pruning", "--prune-list",
                                 "a.json", "--prune-list", "/b.json"});
    CHECK(options.pruneLists == std::vector<std::filesystem::path>{"a.json", "/b.json"});
    CHECK(cli::hasRelativePaths(options));
    CHECK(options.experimentOptions.curves);
    const auto alone = parsed({"--prompt", "x", "--experiments", "pruning", "--prune-list",
                               "a.json", "--prune-lists-only"});
    CHECK_FALSE(alone.experimentOptions.curves);
    checkRefused({"--prompt", "x", "--experiments", "pruning", "--prune-lists-only"},
                 {"--prune-list FILE"});
    checkRefused({"--prompt", "x", "--prune-list", "a.json"}, {"--experiments"});
    checkRefused({"--prompt", "x", "--experiments", "expert_removal", "--remove-controls", "1001"},
                 {"1000 or less"});
}
