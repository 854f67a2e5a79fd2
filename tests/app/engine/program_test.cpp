// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/engine/program.h"

#include "app/cli/values.h"
#include "core/base/file_system.h"
#include "core/base/version.h"
#include "core/experiments/factory.h"
#include "core/session/run_events.h"
#include "core/session/session.h"
#include "core/text/tokenizer.h"
#include "tests/support/catch.h"
#include "tests/support/paths.h"
#include "tests/support/process.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tiny_checkpoint.h"

#include <algorithm>
#include <set>
#include <sstream>

using namespace moescope;
using namespace moescope::tests;
using namespace std::chrono_literals;
using session::RunEvent;
using Strings = std::vector<std::string>;

namespace {

/// Steps into a folder and back.
class Stay {
public:
    explicit Stay(const std::filesystem::path& folder) : m_before(std::filesystem::current_path()) {
        std::filesystem::current_path(folder);
    }
    ~Stay() { std::filesystem::current_path(m_before); }
    Stay(const Stay&) = delete;
    Stay& operator=(const Stay&) = delete;

private:
    std::filesystem::path m_before;
};

/// A folder with a tiny model, a baseline for it and a text, to run the program in: most cases call
/// it in this process, since starting it means loading LibTorch each time.
class Workbench {
public:
    Workbench() {
        makeTinyMixtral(m_folder / "model");
        makeTinyBaseline(m_folder / "dense");
        write("text.txt", "Two experts of seven answer for each token.\nA second line.\n");
    }

    [[nodiscard]] std::filesystem::path operator/(const std::string& name) const {
        return m_folder / name;
    }
    void write(const std::string& name, const std::string& content) const {
        writeFileAtomically(m_folder / name, content);
    }
    /// The built program as a user runs it.
    [[nodiscard]] Process::Result start(const Strings& arguments,
                                        Process::Options options = {}) const {
        options.workingFolder = m_folder.path();
        return runProcess(binDir() / "moescope-engine", arguments, options);
    }
    /// The same but for main() and the process.
    [[nodiscard]] Process::Result run(const Strings& arguments) const {
        const Stay here(m_folder.path());
        std::ostringstream out;
        std::ostringstream err;
        Process::Result result;
        result.exitCode =
            app::runEngineProgram(arguments, experiments::makeProbes, {}, {.out = out, .err = err});
        result.out = out.str();
        result.err = err.str();
        return result;
    }
    /// analyze model -o run.h5 and what else is given.
    [[nodiscard]] Process::Result analyze(const Strings& more) const {
        Strings arguments{"analyze", "model", "-o", "run.h5"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return run(arguments);
    }
    [[nodiscard]] std::shared_ptr<const session::Session> session(
        const std::string& name = "run.h5") const {
        return session::Session::open(m_folder / name);
    }

private:
    TemporaryFolder m_folder;
};

std::vector<RunEvent> eventsOf(const std::string& out) {
    std::vector<RunEvent> events;
    std::istringstream lines(out);
    std::string line;
    while (std::getline(lines, line)) {
        CAPTURE(line);
        const auto event = session::parseJsonLine(line);
        REQUIRE(event);
        events.push_back(*event);
    }
    return events;
}

/// Ends with that code and one message on stderr that holds the words; nothing on stdout.
void checkFails(const Process::Result& result, int exitCode, const Strings& words) {
    INFO(result.err);
    CHECK(result.exitCode == exitCode);
    CHECK(result.out.empty());
    CHECK_THAT(result.err, Catch::Contains("moescope-engine: "));
    for (const std::string& word : words) {
        CHECK_THAT(result.err, Catch::Contains(word));
    }
}

}  // namespace

TEST_CASE("moescope-engine: help and version", "[app][engine]") {
    const Workbench bench;
    const auto version = bench.start({"--version"});
    CHECK(version.exitCode == 0);
    CHECK(version.out == std::string("moescope-engine ") + kVersion + "\n");
    CHECK(version.err.empty());
    const auto help = bench.start({"analyze", "--help"});
    CHECK(help.exitCode == 0);
    CHECK_THAT(help.out, Catch::Contains("--skip-prefix") && Catch::Contains("rank_counts"));
}

TEST_CASE("moescope-engine: a run writes a session and says where", "[app][engine]") {
    const Workbench bench;
    const auto result = bench.start(
        {"analyze", "model", "-o", "run.h5", "--text", "text.txt", "--baseline", "dense"});
    INFO(result.err);
    REQUIRE(result.exitCode == 0);
    CHECK(result.out == "run.h5\n");
    CHECK_THAT(result.err, Catch::Contains("Estimate") && Catch::Contains("memory") &&
                               Catch::Contains("100 %") && Catch::Contains("Done in"));
    CHECK_FALSE(std::filesystem::exists(bench / "run.h5.partial"));
    const auto run = bench.session();
    CHECK(run->head().corpus.tokenCount() == 58);  // <s> and the characters but newlines
    CHECK(run->head().experiments.size() == cli::parseExperiments({}).size());
    // Relative paths come with the folder in which they hold.
    const auto here = std::filesystem::canonical(bench / "model").parent_path().string();
    CHECK(run->head().run.commandLine ==
          "cd " + here + " && moescope-engine analyze model -o run.h5 --text text.txt " +
              "--baseline dense");
    CHECK(run->head().title == "model");
    const auto info = bench.run({"info", "run.h5"});
    CHECK(info.exitCode == 0);
    CHECK_THAT(info.out, Catch::Contains("58 tokens in 1 document"));
    for (const session::ExperimentRecord& record : run->head().experiments) {
        CAPTURE(record.id);
        CHECK(record.state == session::ExperimentState::Done);
    }
}

TEST_CASE("moescope-engine: --json prints events and nothing else", "[app][engine]") {
    const Workbench bench;
    const auto result = bench.analyze({"--prompt", "Hello", "--json"});
    REQUIRE(result.exitCode == 0);
    const std::vector<RunEvent> events = eventsOf(result.out);
    REQUIRE(events.size() > 4);
    CHECK(events.front().kind == RunEvent::Kind::Estimate);
    CHECK(events.front().memoryBytes > 0);
    CHECK(events.back().kind == RunEvent::Kind::Finished);
    CHECK(events.back().path == "run.h5");
    const auto failed = bench.analyze({"--text", "nowhere.txt", "--json"});
    CHECK(failed.exitCode == 3);
    const std::vector<RunEvent> failure = eventsOf(failed.out);
    REQUIRE(failure.size() == 1);
    CHECK(failure[0].kind == RunEvent::Kind::Failed);
    CHECK(failure[0].errorCode == "file_not_found");
    CHECK_THAT(failure[0].message, Catch::Contains("nowhere.txt"));
}

TEST_CASE("moescope-engine: --dry-run prints the estimate and writes nothing", "[app][engine]") {
    const Workbench bench;
    const auto result = bench.analyze({"--prompt", "Hello", "--dry-run"});
    CHECK(result.exitCode == 0);
    CHECK_THAT(result.out, Catch::Contains("Estimate: 6 tokens, 3 layers") &&
                               Catch::Contains("disk") && Catch::Contains("time"));
    CHECK_FALSE(std::filesystem::exists(bench / "run.h5"));
    CHECK_FALSE(std::filesystem::exists(bench / "run.h5.partial"));
    const auto json = bench.analyze({"--prompt", "Hello", "--dry-run", "--json"});
    const std::vector<RunEvent> events = eventsOf(json.out);
    REQUIRE(events.size() == 1);
    CHECK(events[0].kind == RunEvent::Kind::Estimate);
}

TEST_CASE("moescope-engine: every kind of text", "[app][engine]") {
    const Workbench bench;
    const auto documents = [&](const Strings& text) {
        std::filesystem::remove(bench / "run.h5");
        Strings arguments{"--experiments", "chosen_experts"};
        arguments.insert(arguments.end(), text.begin(), text.end());
        const auto result = bench.analyze(arguments);
        INFO(result.err);
        REQUIRE(result.exitCode == 0);
        return bench.session()->head().corpus;
    };
    CHECK(documents({"--preset", "short"}).tokenCount() == 33);
    CHECK(documents({"--text", "text.txt", "--split-lines"}).documentCount() == 2);
    bench.write("table.csv", "name,text\na,\"two\nlines\"\nb,one\n");
    CHECK(documents({"--csv", "table.csv", "--column", "text"}).documentCount() == 2);
    CHECK(documents({"--csv", "table.csv", "--column", "1", "--no-header"}).documentCount() == 3);
    bench.write("lines.jsonl",
                "{\"body\":\"one\",\"domain\":\"x\"}\n{\"body\":\"two\",\"domain\":\"y\"}\n");
    const auto jsonl =
        documents({"--jsonl", "lines.jsonl", "--column", "body", "--domain-column", "domain"});
    CHECK(jsonl.domains == Strings{"x", "y"});
    CHECK(documents({"--text", "text.txt", "--max-tokens", "7"}).tokenCount() == 7);
}

TEST_CASE("moescope-engine: the paper's long text gives its ten documents", "[app][engine]") {
    const auto csv = sharedDataDir() / "text/wikitext103_test.csv";
    if (!std::filesystem::exists(csv)) {
        WARN("skipped: " << csv << " is not there");
        return;
    }
    const Workbench bench;
    const auto result = bench.analyze({"--csv", csv.string(), "--no-header", "--column", "0",
                                       "--split-lines", "--skip-prefix", "=", "--max-documents",
                                       "10", "--context", "64", "--experiments", "rank_counts"});
    INFO(result.err);
    REQUIRE(result.exitCode == 0);
    const auto run = bench.session();
    CHECK(run->head().corpus.documentCount() == 10);
    const NdArray counts = run->read({BranchId{0}, "rank_counts", "count"}, LayerId{1});
    std::uint64_t sum = 0;
    for (const std::uint64_t count : counts.values<std::uint64_t>()) {
        sum += count;
    }
    CHECK(sum == 7 * run->head().corpus.tokenCount());
}

TEST_CASE("moescope-engine: experiments are added without computing anything twice",
          "[app][engine]") {
    const Workbench bench;
    REQUIRE(bench.analyze({"--text", "text.txt", "--experiments", "rank_counts"}).exitCode == 0);
    const auto first = bench.session();
    const NdArray before = first->read({BranchId{0}, "rank_counts", "count"}, LayerId{0});
    const auto second = bench.analyze({"--text", "text.txt", "--experiments", "all"});
    INFO(second.err);
    REQUIRE(second.exitCode == 0);
    // 3 layers of chosen_experts and rank_counts, and the sum over layers.
    CHECK_THAT(second.err, Catch::Contains("7 kept"));
    CHECK(bench.session()->head().uuid == first->head().uuid);
    CHECK(bench.session()->read({BranchId{0}, "rank_counts", "count"}, LayerId{0}) == before);
    CHECK(bench.session()->head().title == "model");
    // The session brings its text; a title is taken though there is nothing to compute.
    const auto third = bench.analyze({"--experiments", "all", "--title", "Third time"});
    CHECK(third.exitCode == 0);
    CHECK_THAT(third.err, Catch::Contains(" 0 parts computed"));
    CHECK(bench.session()->head().title == "Third time");
}

TEST_CASE("moescope-engine: what a session was made with need not be given again",
          "[app][engine]") {
    const Workbench bench;
    bench.write("questions.jsonl", R"({"question": "a", "choices": ["b", "c"], "answer": 0})");
    const Strings made{"--text",        "text.txt",          "--baseline",    "dense",
                       "--experiments", "A1,B1,B4",          "--top-k",       "1",
                       "--dtype",       "bfloat16",          "--kept-tokens", "3",
                       "--chat",        "--skip-first-token"};
    bench.write("model/tokenizer_config.json",
                R"({"chat_template": "{% for m in messages %}{{ m['content'] }}{% endfor %}"})");
    const auto first = bench.analyze(made);
    INFO(first.err);
    REQUIRE(first.exitCode == 0);
    const auto labels = [&](const char* experiment, const char* quantity) {
        return bench.session()->read({BranchId{0}, experiment, quantity}, LayerId{0}).shape();
    };
    const auto similarity = labels("weight_similarity", "gate");
    const auto headOf = [&] { return bench.session()->head(); };
    const session::Head before = headOf();

    SECTION("an experiment that has nothing to do with baselines does not look for them") {
        std::filesystem::rename(bench / "dense", bench / "elsewhere");
        const auto more = bench.analyze({"--experiments", "removal"});
        INFO(more.err);
        REQUIRE(more.exitCode == 0);
        CHECK_THAT(more.err, Catch::Contains("as the session was made: --top-k 1"));
        CHECK(headOf().baselines == before.baselines);
        CHECK(headOf().run.optionsJson == before.run.optionsJson);
        CHECK(headOf().run.dtype == "bfloat16");
        CHECK(headOf().run.chatTemplate);
        CHECK(labels("weight_similarity", "gate") == similarity);
        // One that compares with them says what it misses.
        checkFails(bench.analyze({"--experiments", "A2"}), 4,
                   {"mean_neuron_similarity", "baseline dense", "--baseline"});
        CHECK(bench.analyze({"--experiments", "A2", "--baseline", "elsewhere"}).exitCode == 0);
    }
    SECTION("one that compares with them takes them from where they were") {
        const auto more = bench.analyze({"--experiments", "A2", "--relative-to", "baseline"});
        INFO(more.err);
        REQUIRE(more.exitCode == 0);
        CHECK_THAT(more.err, Catch::Contains("--baseline"));
        CHECK(labels("mean_neuron_similarity", "gate") == similarity);
        CHECK(headOf().baselines == before.baselines);
    }
    SECTION("the usual experiments keep the options that they have") {
        const auto more = bench.analyze({});
        INFO(more.err);
        REQUIRE(more.exitCode == 0);
        for (const session::ExperimentRecord& record : before.experiments) {
            CAPTURE(record.id);
            const session::Head after = headOf();
            CHECK(std::find_if(after.experiments.begin(), after.experiments.end(),
                               [&](const auto& other) { return other.id == record.id; })
                      ->optionsJson == record.optionsJson);
        }
        // One that is named is done as it is asked for.
        REQUIRE(bench.analyze({"--experiments", "B1"}).exitCode == 0);
        const session::Head after = headOf();
        CHECK(
            std::find_if(after.experiments.begin(), after.experiments.end(), [](const auto& other) {
                return other.id == "output_similarity";
            })->optionsJson.find("skip_first_token\":false") != std::string::npos);
    }
    SECTION("what is given counts") {
        CHECK(bench.analyze({"--experiments", "removal", "--top-k", "2"}).exitCode == 6);
        CHECK(bench.analyze({"--experiments", "removal", "--dtype", "float32"}).exitCode == 6);
        CHECK(
            bench.analyze({"--experiments", "removal", "--choices", "questions.jsonl"}).exitCode ==
            0);
        CHECK(headOf().choices.source == "questions.jsonl");
        CHECK(bench.analyze({"--experiments", "pruning"}).exitCode == 0);
    }
}

TEST_CASE("moescope-engine: further layers compare with the baselines of the first",
          "[app][engine]") {
    const Workbench bench;
    const auto shape = [&](int layer) {
        return bench.session()
            ->read({BranchId{0}, "weight_similarity", "gate"}, LayerId{layer})
            .shape();
    };
    REQUIRE(bench.analyze({"--baseline", "dense", "--experiments", "A1", "--static-layers", "0"})
                .exitCode == 0);
    const auto more = bench.analyze({"--experiments", "A1"});
    INFO(more.err);
    REQUIRE(more.exitCode == 0);
    CHECK_THAT(more.err, Catch::Contains("--baseline"));
    CHECK(shape(1) == shape(0));
}

TEST_CASE("moescope-engine: sets of removed experts do not stand for all of them",
          "[app][engine]") {
    const Workbench bench;
    REQUIRE(
        bench.analyze({"--text", "text.txt", "--experiments", "C4", "--remove", "0:1"}).exitCode ==
        0);
    CHECK(bench.session()->find({BranchId{0}, "expert_removal", "single"}) == nullptr);
    const auto more = bench.analyze({"--experiments", "all"});
    INFO(more.err);
    REQUIRE(more.exitCode == 0);
    CHECK(bench.session()->find({BranchId{0}, "expert_removal", "single"}) != nullptr);
}

TEST_CASE("moescope-engine: what is predicted can be read without the tokenizer", "[app][engine]") {
    const Workbench bench;
    REQUIRE(bench.analyze({"--prompt", "abcab", "--experiments", "C4"}).exitCode == 0);
    const auto session = bench.session();
    const auto read = [&](const char* name) {
        return session->read({BranchId{0}, "expert_removal", name}, std::nullopt);
    };
    std::set<std::uint64_t> predicted;
    for (const char* name : {"predicted", "single_predicted", "everywhere_predicted"}) {
        for (const double id : read(name).toDoubles()) {
            predicted.insert(static_cast<std::uint64_t>(id));
        }
    }
    const text::TokenizedCorpus& corpus = session->head().corpus;
    for (const text::TokenId id : corpus.ids) {
        predicted.erase(id);
    }
    const auto tokenizer = text::loadTokenizer(bench / "model");
    const NdArray ids = read("predicted_ids");
    const NdArray offsets = read("predicted_byte_offsets");
    const NdArray bytes = read("predicted_bytes");
    REQUIRE(ids.size() > 3);
    std::size_t known = 0;
    for (const std::uint64_t id : predicted) {
        known += tokenizer->tokenBytes(static_cast<text::TokenId>(id)).empty() ? 0 : 1;
    }
    CHECK(ids.size() == known);
    for (std::uint64_t i = 0; i < ids.size(); ++i) {
        const auto id = static_cast<std::uint64_t>(ids.at(i));
        CHECK(predicted.contains(id));
        std::string text;
        for (auto at = offsets.at(i); at < offsets.at(i + 1); ++at) {
            text += static_cast<char>(bytes.at(static_cast<std::uint64_t>(at)));
        }
        CHECK(text == tokenizer->tokenBytes(static_cast<text::TokenId>(id)));
    }
}

TEST_CASE("moescope-engine: --resume alone goes on with what the session is about",
          "[app][engine]") {
    const Workbench bench;
    const auto idsOf = [&] {
        Strings ids;
        const auto session = bench.session();
        for (const auto& record : session->head().experiments) {
            ids.push_back(record.id);
        }
        std::sort(ids.begin(), ids.end());
        return ids;
    };
    REQUIRE(
        bench.analyze({"--text", "text.txt", "--experiments", "norms_scores", "--kept-size", "1K"})
            .exitCode == 0);
    const Strings ids = idsOf();
    const auto optionsOf = [&] {
        const auto session = bench.session();
        const auto& records = session->head().experiments;
        return std::find_if(records.begin(), records.end(),
                            [](const auto& record) { return record.id == "norms_scores"; })
            ->optionsJson;
    };
    const std::string options = optionsOf();
    const auto finished = bench.analyze({"--resume"});
    INFO(finished.err);
    CHECK(finished.exitCode == 0);
    CHECK_THAT(finished.err, Catch::Contains(" 0 parts computed"));
    CHECK(idsOf() == ids);
    CHECK(optionsOf() == options);
    // Options that are given count, for these experiments.
    const auto more = bench.analyze({"--resume", "--kept-size", "2K"});
    CHECK(more.exitCode == 0);
    CHECK(idsOf() == ids);
    CHECK(optionsOf() != options);
    // Without a session there it is a run like any other.
    const auto other = bench.run({"analyze", "model", "-o", "new.h5", "--text", "text.txt",
                                  "--resume", "--experiments", "rank_counts"});
    CHECK(other.exitCode == 0);
    CHECK_THAT(other.err, Catch::Contains("nothing to resume"));
}

TEST_CASE("moescope-engine: a run that was killed before anything was finished is not passed over",
          "[app][engine]") {
    const Workbench bench;
    const Strings more{"--text", "text.txt", "--experiments", "rank_counts"};
    REQUIRE(bench.analyze(more).exitCode == 0);
    // What kill -9 leaves in the first moments: a folder with a head.
    std::filesystem::create_directory(bench / "other.h5.partial");
    std::filesystem::copy_file(bench / "run.h5", bench / "other.h5.partial/head.h5");
    const auto again = bench.run({"analyze", "model", "-o", "other.h5", "--text", "text.txt",
                                  "--experiments", "rank_counts"});
    INFO(again.err);
    CHECK(again.exitCode == 0);
    CHECK_THAT(again.err, Catch::Contains("other.h5.partial") && Catch::Contains("begins again"));
}

TEST_CASE("moescope-engine: exit codes 2 to 5", "[app][engine]") {
    const Workbench bench;
    checkFails(bench.start({}), 2, {"analyze or info"});
    checkFails(bench.run({"analyze", "model"}), 2, {"-o RUN.h5"});
    checkFails(bench.run({"analyze", "model", "-o", ".", "--prompt", "x"}), 2, {"folder"});
    checkFails(bench.analyze({"--prompt", "x", "--top-k", "8"}), 2, {"7"});
    checkFails(bench.run({"analyze", "nothing", "-o", "r.h5", "--prompt", "x"}), 3, {"nothing"});
    checkFails(bench.analyze({"--text", "nowhere.txt"}), 3, {"nowhere.txt"});
    checkFails(bench.run({"info", "nothing.h5"}), 3, {"nothing.h5"});
    std::filesystem::create_directory(bench / "empty");
    checkFails(bench.run({"analyze", "empty", "-o", "r.h5", "--prompt", "x"}), 4, {"config.json"});
    checkFails(bench.analyze({"--prompt", "x", "--baseline", "model"}), 4, {"baseline"});
    checkFails(bench.analyze({"--prompt", ""}), 5, {});
    bench.write("empty.txt", "");
    checkFails(bench.analyze({"--text", "empty.txt"}), 5, {"empty.txt"});
    bench.write("latin.txt", "caf\xE9\n");
    checkFails(bench.analyze({"--text", "latin.txt"}), 5, {"latin.txt"});
    CHECK_FALSE(std::filesystem::exists(bench / "run.h5"));
}

TEST_CASE("moescope-engine: broken checkpoints are refused by the name of the file",
          "[app][engine]") {
    const Workbench bench;
    const auto config = readTextFile(bench / "model/config.json");
    bench.write("model/config.json", "{\"model_type\":\"phrenology\"}");
    checkFails(bench.analyze({"--prompt", "x"}), 4, {"phrenology", "Mixtral"});
    bench.write("model/config.json", "{");
    checkFails(bench.analyze({"--prompt", "x"}), 4, {"config.json"});
    bench.write("model/config.json", config);
    bench.write("model/tokenizer.json", "{\"model\":{\"type\":\"Runes\"}}");
    checkFails(bench.analyze({"--prompt", "x"}), 4, {"tokenizer.json"});
    bench.write("model/tokenizer.json", tinyTokenizerJson());
    std::filesystem::resize_file(bench / "model/model-00002-of-00003.safetensors", 500);
    checkFails(bench.analyze({"--prompt", "x"}), 4, {"model-00002-of-00003"});
    std::filesystem::remove(bench / "model/model-00002-of-00003.safetensors");
    checkFails(bench.analyze({"--prompt", "x"}), 3, {"model-00002-of-00003"});
}

TEST_CASE("moescope-engine: exit codes 6, 7 and 8", "[app][engine]") {
    const Workbench bench;
    bench.write("run.h5", "somebody's notes");
    checkFails(bench.run({"info", "run.h5"}), 6, {"run.h5"});
    CHECK(bench.analyze({"--prompt", "x"}).exitCode == 6);
    CHECK(readTextFile(bench / "run.h5") == "somebody's notes");
    std::filesystem::remove(bench / "run.h5");

    CHECK(bench.run({"analyze", "model", "-o", "text.txt/run.h5", "--prompt", "x"}).exitCode == 7);
    checkFails(bench.run({"analyze", "model", "-o", "nope/deep/run.h5", "--prompt", "x"}), 7,
               {"The folder nope/deep", "does not exist"});
    CHECK_FALSE(std::filesystem::exists(bench / "nope"));
    CHECK(bench.run({"analyze", "model", "-o", "/proc/run.h5", "--prompt", "x"}).exitCode == 7);

    checkFails(bench.analyze({"--prompt", "x", "--memory", "1M"}), 8, {"--memory"});
    const auto events = eventsOf(bench.analyze({"--prompt", "x", "--memory", "1M", "--json"}).out);
    CHECK(std::count_if(events.begin(), events.end(), [](const RunEvent& event) {
              return event.kind == RunEvent::Kind::Failed && event.errorCode == "memory_budget";
          }) == 1);
    checkFails(bench.analyze({"--prompt", "x", "--device", "cuda:99"}), 8, {"cuda:99"});
}

TEST_CASE("moescope-engine: a session of another text or cut off is refused", "[app][engine]") {
    const Workbench bench;
    REQUIRE(bench.analyze({"--prompt", "one", "--experiments", "chosen_experts"}).exitCode == 0);
    const auto other = bench.analyze({"--prompt", "two", "--experiments", "chosen_experts"});
    CHECK(other.exitCode == 6);
    CHECK_THAT(other.err, Catch::Contains("another text"));
    CHECK(bench.session()->head().corpus.tokenCount() == 4);
    // An estimate of a run that would be refused is of no use to anybody.
    checkFails(bench.analyze({"--prompt", "two", "--dry-run"}), 6, {"another text"});
    CHECK(bench.analyze({"--prompt", "one", "--dry-run"}).exitCode == 0);
    CHECK(bench.analyze({"--experiments", "rank_counts", "--dry-run"}).exitCode == 0);
    const auto size = std::filesystem::file_size(bench / "run.h5");
    std::filesystem::resize_file(bench / "run.h5", size / 2);
    checkFails(bench.analyze({"--prompt", "one", "--dry-run"}), 6, {"run.h5"});
    checkFails(bench.run({"info", "run.h5"}), 6, {"run.h5"});
}

TEST_CASE("moescope-engine: a disk that fills up ends with 7 and loses nothing", "[app][engine]") {
    const Workbench bench;
    Strings arguments{"analyze", "model", "-o", "run.h5", "--text", "text.txt"};
    const auto full =
        bench.start(arguments, {.workingFolder = {}, .environment = {}, .largestFile = 30000});
    INFO(full.err);
    CHECK(full.exitCode == 7);
    CHECK_THAT(full.err, Catch::Contains("moescope-engine: "));
    CHECK_FALSE(std::filesystem::exists(bench / "run.h5"));
    arguments.emplace_back("--resume");
    const auto again = bench.run(arguments);
    INFO(again.err);
    CHECK(again.exitCode == 0);
    CHECK(bench.session()->head().experiments.size() == cli::parseExperiments({}).size());
}

TEST_CASE("moescope-engine: NaN weights give warnings and gaps", "[app][engine]") {
    const Workbench bench;
    // The last two bytes of a shard belong to its last tensor, in bfloat16.
    const auto path = bench / "model/model-00002-of-00003.safetensors";
    std::string bytes = readTextFile(path);
    bytes.replace(bytes.size() - 2, 2, "\xC0\x7F");
    writeFileAtomically(path, bytes);
    const auto result = bench.analyze({"--prompt", "Hello"});
    INFO(result.err);
    CHECK(result.exitCode == 0);
    CHECK_THAT(result.err, Catch::Contains("Warning: ") && Catch::Contains("NaN"));
    CHECK_FALSE(bench.session()->warnings().empty());
}
