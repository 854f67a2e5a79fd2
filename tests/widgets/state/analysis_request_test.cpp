// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/state/analysis_request.h"

#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"
#include "widgets/state/window_words.h"

#include <QDir>
#include <QFile>

#include <algorithm>

using namespace moescope::widgets;

namespace {

AnalysisRequest validRequest(const moescope::tests::TemporaryFolder& folder) {
    const QString here = QString::fromStdString(folder.path().string());
    AnalysisRequest request;
    request.checkpoint = here;
    request.prompt = QStringLiteral("Hello");
    request.experiments = {QStringLiteral("rank_counts"), QStringLiteral("parameters")};
    request.output = here + QStringLiteral("/run.h5");
    return request;
}

bool complains(const AnalysisRequest& request, RequestField field) {
    const QList<RequestProblem> problems = check(request);
    return std::any_of(problems.begin(), problems.end(),
                       [field](const RequestProblem& p) { return p.field == field; });
}

}  // namespace

TEST_CASE("AnalysisRequest: arguments of a prompt", "[widgets][state]") {
    AnalysisRequest request;
    request.checkpoint = QStringLiteral("/m");
    request.prompt = QStringLiteral("-- two words");
    request.experiments = {QStringLiteral("a"), QStringLiteral("b")};
    request.baselines = {QStringLiteral("/f")};
    request.memory = QStringLiteral("8GiB");
    request.maxTokens = 100;
    request.output = QStringLiteral("/o.h5");
    request.resume = true;
    const QStringList arguments = analyzeArguments(request, false);
    CHECK(arguments == QStringList{QStringLiteral("analyze"), QStringLiteral("/m"),
                                   QStringLiteral("--prompt=-- two words"),
                                   QStringLiteral("--baseline"), QStringLiteral("/f"),
                                   QStringLiteral("--experiments"), QStringLiteral("a,b"),
                                   QStringLiteral("--device"), QStringLiteral("auto"),
                                   QStringLiteral("--memory"), QStringLiteral("8GiB"),
                                   QStringLiteral("--max-tokens"), QStringLiteral("100"),
                                   QStringLiteral("-o"), QStringLiteral("/o.h5"),
                                   QStringLiteral("--resume"), QStringLiteral("--json")});
    request.experiments = {QStringLiteral("chosen_experts"), QStringLiteral("importance")};
    CHECK(analyzeArguments(request, false).contains(QStringLiteral("chosen_experts,E1")));
    const QStringList dry = analyzeArguments(request, true);
    CHECK(dry.contains(QStringLiteral("--dry-run")));
    CHECK_FALSE(dry.contains(QStringLiteral("--resume")));
}

TEST_CASE("AnalysisRequest: the paper's own input as arguments", "[widgets][state]") {
    AnalysisRequest request;
    request.checkpoint = QStringLiteral("/m");
    request.textKind = TextKind::Csv;
    request.files = {QStringLiteral("/wiki.csv")};
    request.column = QStringLiteral("0");
    request.hasHeader = false;
    request.splitLines = true;
    request.skipPrefix = QStringLiteral("=");
    request.maxDocuments = 10;
    const QString line = analyzeArguments(request, false).join(QLatin1Char(' '));
    CHECK(
        line.contains(QStringLiteral("--csv /wiki.csv --column 0 --no-header --split-lines "
                                     "--skip-prefix== --max-documents 10")));
}

TEST_CASE("AnalysisRequest: JSONL has a domain column and no CSV options", "[widgets][state]") {
    AnalysisRequest request;
    request.textKind = TextKind::Jsonl;
    request.files = {QStringLiteral("/t.jsonl")};
    request.column = QStringLiteral("text");
    request.domainColumn = QStringLiteral("source");
    request.hasHeader = false;
    const QString line = analyzeArguments(request, false).join(QLatin1Char(' '));
    CHECK(line.contains(QStringLiteral("--jsonl /t.jsonl --column text --domain-column source")));
    CHECK_FALSE(line.contains(QStringLiteral("--no-header")));
}

TEST_CASE("AnalysisRequest: a good one has no problems", "[widgets][state]") {
    const moescope::tests::TemporaryFolder folder;
    CHECK(check(validRequest(folder)).isEmpty());
}

TEST_CASE("AnalysisRequest: problems name the field they belong to", "[widgets][state]") {
    const moescope::tests::TemporaryFolder folder;
    AnalysisRequest request = validRequest(folder);
    SECTION("checkpoint") {
        request.checkpoint = QStringLiteral("/no/such/folder");
        CHECK(complains(request, RequestField::Checkpoint));
    }
    SECTION("empty prompt") {
        request.prompt = QStringLiteral(" \n");
        CHECK(complains(request, RequestField::Text));
    }
    SECTION("no text for experiments that need one") {
        request.textKind = TextKind::None;
        CHECK(complains(request, RequestField::Text));
        request.experiments = {QStringLiteral("parameters")};
        CHECK_FALSE(complains(request, RequestField::Text));
    }
    SECTION("table without a column") {
        request.textKind = TextKind::Csv;
        request.files = {request.checkpoint};
        CHECK(complains(request, RequestField::Text));
    }
    SECTION("missing file") {
        request.textKind = TextKind::Files;
        request.files = {QStringLiteral("/nothing.txt")};
        CHECK(complains(request, RequestField::Text));
    }
    SECTION("baseline") {
        request.baselines = {QStringLiteral("/nothing")};
        CHECK(complains(request, RequestField::Baselines));
    }
    SECTION("memory") {
        request.memory = QStringLiteral("lots");
        CHECK(complains(request, RequestField::Machine));
        request.memory = QStringLiteral("1.5 GiB");
        CHECK_FALSE(complains(request, RequestField::Machine));
    }
    SECTION("experiments") {
        request.experiments.clear();
        CHECK(complains(request, RequestField::Experiments));
    }
    SECTION("output") {
        request.output = QStringLiteral("/no/such/folder/run.h5");
        CHECK(complains(request, RequestField::Output));
    }
}

TEST_CASE("AnalysisRequest: engine errors go to the field concerned", "[widgets][state]") {
    CHECK(fieldOf({QStringLiteral("bad_text"), {}, {}}) == RequestField::Text);
    CHECK(fieldOf({QStringLiteral("disk_full"), {}, {}}) == RequestField::Output);
    CHECK(fieldOf({QStringLiteral("baseline_mismatch"), {}, {}}) == RequestField::Baselines);
    CHECK(fieldOf({QStringLiteral("memory_budget"), {}, {}}) == RequestField::Machine);
    CHECK(fieldOf({QStringLiteral("unknown_family"), {}, {}}) == RequestField::Checkpoint);
    const QString list = inWindowWords(QStringLiteral("--prune-list /a.json: no \"list\"."));
    CHECK(list == QStringLiteral("Prune list /a.json: no \"list\"."));
    CHECK(fieldOf({QStringLiteral("usage"), list, {}}) == RequestField::Experiments);
}

TEST_CASE("AnalysisRequest: command lines split as a shell does", "[widgets][state]") {
    CHECK(splitCommandLine(QStringLiteral("a  'b c' \"d e\" f\\ g 'it'\\''s' ''")) ==
          QStringList{QStringLiteral("a"), QStringLiteral("b c"), QStringLiteral("d e"),
                      QStringLiteral("f g"), QStringLiteral("it's"), QString()});
    CHECK(splitCommandLine(QStringLiteral("a 'open")).isEmpty());
}

TEST_CASE("AnalysisRequest: of the lines that made a session, the one with the text is replayed",
          "[widgets][state]") {
    const QString weights = QStringLiteral("moescope-engine analyze /m --experiments weights");
    const QString text = QStringLiteral("moescope-engine analyze /m --prompt=x --skip-first-token");
    const QString added = QStringLiteral("moescope-engine analyze /m --experiments removal");
    const QLatin1Char end('\n');
    CHECK(lineToReplay(text) == text);
    CHECK(lineToReplay(text + end + added) == text);
    CHECK(lineToReplay(weights + end + text + end + added) == text);
    CHECK(lineToReplay(weights + end + added) == weights);
    CHECK(lineToReplay({}).isEmpty());
}

TEST_CASE("AnalysisRequest: adding to a session repeats its run", "[widgets][state]") {
    const QString session = QStringLiteral("/run.h5");
    const auto request = requestToAdd(
        QStringLiteral(
            "moescope-engine analyze /m --csv texts.csv --column 'two words' --no-header "
            "--skip-prefix = --baseline /f --experiments rank_counts parameters --json "
            "--title 'A run' -o /old.h5 --resume --restart --chat --remove 3:3,5:1 --remove 3 "
            "--remove-controls=3 "
            "--dtype float32"),
        session, {QStringLiteral("norms_scores")}, true);
    REQUIRE(request.has_value());
    CHECK(request->checkpoint == QStringLiteral("/m"));
    CHECK(request->folder.isEmpty());
    CHECK(absoluteCheckpoint(*request) == QStringLiteral("/m"));
    // The session brings its text and keeps its title.
    CHECK(analyzeArguments(*request, false).join(QLatin1Char('|')) ==
          QStringLiteral("analyze|/m|--baseline|/f|--experiments|norms_scores|"
                         "--dtype|float32|-o|/run.h5|--resume|--json"));
    CHECK_FALSE(requestToAdd(QStringLiteral("python script.py"), session, {}, false).has_value());
    CHECK_FALSE(requestToAdd({}, session, {}, false).has_value());
}

TEST_CASE("AnalysisRequest: options that the window asks for are its fields", "[widgets][state]") {
    auto request =
        requestToAdd(QStringLiteral("moescope-engine analyze /m --baseline=/f --baseline /g "
                                    "--device cuda:1 --dtype=float32 --memory 8G --top-k 3 "
                                    "--kept-from spread -o run.h5"),
                     QStringLiteral("/run.h5"), {QStringLiteral("margins")}, false);
    REQUIRE(request.has_value());
    CHECK(request->baselines == QStringList{QStringLiteral("/f"), QStringLiteral("/g")});
    CHECK(request->device == QStringLiteral("cuda:1"));
    CHECK(request->dtype == QStringLiteral("float32"));
    CHECK(request->memory == QStringLiteral("8G"));
    CHECK(request->keptFrom == QStringLiteral("spread"));
    CHECK(request->textKind == TextKind::Session);
    request->device = QStringLiteral("cpu");  // as one may change it
    CHECK(analyzeArguments(*request, false).join(QLatin1Char('|')) ==
          QStringLiteral("analyze|/m|--top-k|3|--baseline|/f|--baseline|/g|--experiments|margins|"
                         "--device|cpu|--dtype|float32|--memory|8G|--kept-from|spread|-o|/run.h5|"
                         "--json"));
}

TEST_CASE("AnalysisRequest: the session's own text goes to the session, or to its copy",
          "[widgets][state]") {
    const moescope::tests::TemporaryFolder folder;
    AnalysisRequest request = validRequest(folder);
    request.textKind = TextKind::Session;
    request.maxTokens = 5;
    request.session = request.output;
    CHECK(check(request).isEmpty());
    CHECK_FALSE(analyzeArguments(request, false).contains(QStringLiteral("--max-tokens")));
    request.session = QStringLiteral("/session.h5");
    CHECK(complains(request, RequestField::Output));
    request.isCopied = true;
    CHECK(check(request).isEmpty());
    CHECK(analyzeArguments(request, false).contains(request.output));
    CHECK(analyzeArguments(request, true).contains(request.session));  // of what is there
    CHECK_FALSE(analyzeArguments(request, true).contains(request.output));
}

TEST_CASE("WindowWords: the engine's options are called by the window's fields",
          "[widgets][state]") {
    const auto said = [](const char* message) { return inWindowWords(QLatin1String(message)); };
    CHECK(said("a.h5 holds results of other dense baselines (F). Give the same --baseline, choose "
               "another output file with -o, or remove it.") ==
          QStringLiteral("a.h5 holds results of other dense baselines (F). Give the same dense "
                         "baselines, choose another session file, or remove it."));
    CHECK(said("a.h5.partial holds unfinished results of another dtype (float32). Give --dtype "
               "float32, choose another output file with -o, or drop them with --restart.") ==
          QStringLiteral("a.h5.partial holds unfinished results of another dtype (float32). Have "
                         "it computed in float32, choose another session file, or delete that "
                         "folder."));
    CHECK(said("This run needs at least 2 GiB of memory and may use 1 GiB. Give more with "
               "--memory, or use less text or fewer experiments.") ==
          QStringLiteral("This run needs at least 2 GiB of memory and may use 1 GiB. Give more in "
                         "\"Memory\", or use less text or fewer experiments."));
    CHECK(said("The machine ran out of memory. Give a smaller --memory budget, or less text.") ==
          QStringLiteral(
              "The machine ran out of memory. Give a smaller memory budget, or less text."));
    CHECK(
        said("What is finished is kept in /a/x--y/b.partial; go on with --resume.") ==
        QStringLiteral("What is finished is kept in /a/x--y/b.partial; start it again to go on."));
    CHECK(said("Leave out --baseline, choose") ==
          QStringLiteral("Leave out dense baseline, choose"));
    CHECK(said("The figure pruning needs pruning/intact. Add it with: moescope analyze ... "
               "--experiments pruning") ==
          QStringLiteral("The figure pruning needs pruning/intact. \"New analysis\" adds it: "
                         "experiment pruning"));
    CHECK(said("reap needs the experiment parameters, which is missing. Add it with: moescope "
               "analyze ... --experiments parameters.") ==
          QStringLiteral("reap needs the experiment parameters, which is missing. \"New "
                         "analysis\" adds it: experiment parameters."));
    CHECK(said("Losses are kept for 0:1. Add them with: moescope analyze ... --experiments "
               "expert_removal --remove 0:3,5:1") ==
          QStringLiteral("Losses are kept for 0:1. \"New analysis\" adds them: experiment "
                         "expert_removal"));
    CHECK(said("F is not where it was: say where it is with --baseline, or leave it out.") ==
          QStringLiteral("F is not where it was: say where it is in \"Dense baseline\", or leave "
                         "it out."));
    CHECK(said("70 were asked for. Their mean is drawn with --mean.") ==
          QStringLiteral("70 were asked for. \"Tokens\" has their mean."));
    CHECK(said("sets two sessions beside each other: name the other one with --with OTHER.h5.") ==
          QStringLiteral("sets two sessions beside each other: open the other one, and choose it "
                         "in \"Compare with\"."));
    CHECK(said("").isEmpty());
    // What the window has no field for.
    CHECK(said("as --device-memory says") ==
          QStringLiteral("as moescope analyze --device-memory says"));
    CHECK(said("moescope analyze --threads 2") == QStringLiteral("moescope analyze --threads 2"));
}

TEST_CASE("AnalysisRequest: relative paths stand where the run was started", "[widgets][state]") {
    const auto request =
        requestToAdd(QStringLiteral("cd '/my models' && moescope-engine analyze tiny/a "
                                    "--baseline ../dense --prompt=x -o run.h5"),
                     QStringLiteral("/run.h5"), {QStringLiteral("parameters")}, false);
    REQUIRE(request.has_value());
    CHECK(request->folder == QStringLiteral("/my models"));
    CHECK(absoluteCheckpoint(*request) == QStringLiteral("/my models/tiny/a"));
    CHECK(analyzeArguments(*request, false).join(QLatin1Char('|')) ==
          QStringLiteral("analyze|tiny/a|--baseline|../dense|--experiments|parameters|-o|/run.h5|"
                         "--json"));
}

TEST_CASE("AnalysisRequest: what is added to an existing session needs no text",
          "[widgets][state]") {
    const moescope::tests::TemporaryFolder folder;
    AnalysisRequest request = validRequest(folder);
    request.textKind = TextKind::None;
    CHECK(complains(request, RequestField::Text));
    QFile file(request.output);
    REQUIRE(file.open(QIODevice::WriteOnly));
    CHECK_FALSE(complains(request, RequestField::Text));
}

TEST_CASE("AnalysisRequest: tokens to keep", "[widgets][state]") {
    AnalysisRequest request;
    request.checkpoint = QStringLiteral("/m");
    request.keptFrom = QStringLiteral("100-163,4000");
    const QStringList arguments = analyzeArguments(request, false);
    const qsizetype at = arguments.indexOf(QStringLiteral("--kept-from"));
    REQUIRE(at >= 0);
    CHECK(arguments.value(at + 1) == request.keptFrom);
    const auto faults = [&](const char* kept) {
        AnalysisRequest other = request;
        other.keptFrom = QString::fromLatin1(kept);
        return check(other).size();
    };
    const qsizetype others = faults("");
    for (const char* good : {"first", "spread", "7", "7-", "1,5-9"}) {
        CHECK(faults(good) == others);
    }
    for (const char* bad : {"last", "9-7", "1,,2", "a-b"}) {
        CHECK(faults(bad) == others + 1);
    }
}

TEST_CASE("AnalysisRequest: experts to remove", "[widgets][state]") {
    AnalysisRequest request;
    request.checkpoint = QStringLiteral("/m");
    request.experiments = {QStringLiteral("expert_removal")};
    request.removals = QStringLiteral("0:3, 5:1; 3;all");
    const QStringList arguments = analyzeArguments(request, false);
    CHECK(arguments.count(QStringLiteral("--remove")) == 3);
    CHECK(arguments.contains(QStringLiteral("0:3,5:1")));
    const auto faults = [&](const char* removals) {
        AnalysisRequest other = request;
        other.removals = QString::fromLatin1(removals);
        return check(other).size();
    };
    const qsizetype others = faults("");
    CHECK(faults("0:3, 5:1; 3;all") == others);
    for (const char* bad : {"a", "0:3;x", "1:2:3", "0:"}) {
        CHECK(faults(bad) == others + 1);
    }
    request.experiments = {QStringLiteral("rank_counts")};
    CHECK(faults("3") == others + 1);
}
