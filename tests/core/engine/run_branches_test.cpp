// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Runs that keep named tokens, and runs with branches.

#include "core/experiments/options.h"
#include "core/experiments/removed_experts.h"
#include "core/text/token_selection.h"
#include "tests/core/engine/run_support.h"
#include "tests/core/engine/session_compare.h"
#include "tests/core/engine/test_corpus.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/throws.h"

#include <algorithm>
#include <cmath>

using namespace moescope;
using namespace moescope::tests;
using session::RunEvent;

namespace {

/// Three questions of two choices; the context of one token, choices of one and of three.
void addQuestions(engine::RunRequest& request) {
    request.choices.source = "questions.jsonl";
    request.choices.offsets = {0};
    for (std::uint32_t text = 0; text < 6; ++text) {
        const std::uint32_t length = 2 + 2 * (text % 2);
        for (std::uint32_t t = 0; t < length; ++t) {
            request.choices.ids.push_back((text / 2 * 7 + t * (text + 3)) % 31);
        }
        request.choices.offsets.push_back(request.choices.ids.size());
        request.choices.contextLength.push_back(1);
        request.choices.question.push_back(text / 2);
    }
    request.choices.answer = {0, 1, 1};
}

}  // namespace

TEST_CASE("run: named tokens keep what a run keeps that keeps all of them", "[core][engine]") {
    const tests::TemporaryFolder folder;
    auto request = requestFor("mixtral", folder / "all.h5");
    const std::uint64_t total = request.corpus.tokenCount();
    request.experiments = {{"output_similarity", R"({"kept_token_count":1000})"},
                           {"intermediate_states", R"({"kept_token_count":1000})"}};
    Recorder recorder;
    runWith(request, recorder);
    request.session = folder / "some.h5";
    const auto named = [](const std::string& id, const std::string& list) {
        return engine::ExperimentRequest{
            id, experiments::optionsJson(id, {.keptTokenCount = experiments::kEveryListed,
                                              .keptStateCount = experiments::kEveryListed,
                                              .keptTokens = experiments::KeptTokens::Listed,
                                              .keptList = text::canonicalRanges(list),
                                              .keptDocuments = "0"})};
    };
    request.experiments = {named("output_similarity", "2,9-11"),
                           named("intermediate_states", "2,9-11")};
    runWith(request, recorder);
    const auto all = session::Session::open(folder / "all.h5");
    const auto some = session::Session::open(folder / "some.h5");
    for (const auto& [experiment, quantity] : {std::pair("output_similarity", "token_cosine"),
                                               std::pair("intermediate_states", "states")}) {
        const auto kept =
            some->read({BranchId{}, experiment, "kept_tokens"}, std::nullopt).toDoubles();
        REQUIRE(kept.size() >= 4);
        CHECK(kept.size() < total);
        CHECK(std::count(kept.begin(), kept.end(), 10.0) == 1);
        CHECK(std::count(kept.begin(), kept.end(), 0.0) == 1);  // of the document
        const NdArray every = readLayer(*all, experiment, quantity, 1);
        const NdArray rows = readLayer(*some, experiment, quantity, 1);
        REQUIRE(every.shape()[0] == total);
        REQUIRE(rows.shape()[0] == kept.size());
        const std::uint64_t width = every.size() / total;
        for (std::uint64_t i = 0; i < rows.size(); ++i) {
            CHECK(rows.at(i) ==
                  every.at(static_cast<std::uint64_t>(kept[i / width]) * width + i % width));
        }
    }

    // The same list in other words is found done; another one is computed anew.
    request.experiments = {named("output_similarity", "10-11,9,2")};
    CHECK(runWith(request, recorder).partsWritten == 0);
    request.experiments = {named("output_similarity", "5")};
    CHECK(runWith(request, recorder).partsWritten > 0);
    const auto again = session::Session::open(folder / "some.h5");
    const auto tokens =
        again->read({BranchId{}, "output_similarity", "kept_tokens"}, std::nullopt).toDoubles();
    CHECK(std::count(tokens.begin(), tokens.end(), 5.0) == 1);
    CHECK(readLayer(*again, "output_similarity", "token_cosine", 1).shape()[0] == tokens.size());
    CHECK(again->find({BranchId{}, "intermediate_states", "states"}) != nullptr);
    // Refused before anything is done.
    request.session = folder / "new.h5";
    request.experiments = {
        {"output_similarity", R"({"kept_tokens":"listed","kept_list":"5-99999"})"}};
    checkThrows([&] { runWith(request, recorder); }, ErrorCode::Usage, {"5-99999"});
    checkThrows([&] { static_cast<void>(engine::estimate(request, experiments::makeProbes)); },
                ErrorCode::Usage, {"5-99999"});
    CHECK_FALSE(std::filesystem::exists(folder / "new.h5.partial"));
}

TEST_CASE("run: removals go on where they were, and are seen while they run", "[core][engine]") {
    const tests::TemporaryFolder folder;
    auto request = requestFor("mixtral", folder / "run.h5");
    request.experiments = {{"expert_removal", R"({"sets":["all","0:1,2:3"],"controls":2})"}};
    // Enough of a text that the branches come in several batches.
    request.corpus = tests::madeUpCorpus(
        2'100, 70, static_cast<std::uint32_t>(tests::ReferenceModel("mixtral").spec.vocabSize));
    Recorder stopped;
    stopped.removalPause = std::chrono::milliseconds(60);
    stopped.stopAtRemovalStep = 45;
    checkThrows([&] { runWith(request, stopped); }, ErrorCode::Cancelled, {"--resume"});
    const session::QuantityId id{BranchId{0}, "expert_removal", "single"};
    {
        const auto seen = session::Session::open(folder / "run.h5");
        CHECK(seen->isPartial());
        const std::vector<double> map = seen->read(id, std::nullopt).toDoubles();
        const auto gaps =
            std::count_if(map.begin(), map.end(), [](double value) { return std::isnan(value); });
        CHECK(gaps > 0);
        CHECK(gaps < static_cast<std::ptrdiff_t>(map.size()));
        for (const auto& record : seen->head().experiments) {
            CHECK(
                (record.id != "expert_removal" || record.state != session::ExperimentState::Done));
        }
    }
    request.interrupted = engine::Interrupted::Resume;
    Recorder resumed;
    runWith(request, resumed);
    const auto firstOf = [](const Recorder& recorder) {
        const auto found =
            std::find_if(recorder.events.begin(), recorder.events.end(), [](const RunEvent& event) {
                return event.kind == RunEvent::Kind::Progress && event.stage.starts_with("Removal");
            });
        return found == recorder.events.end() ? -1.0 : found->fraction;
    };
    CHECK(firstOf(resumed) > firstOf(stopped));

    auto whole = request;
    whole.session = folder / "whole.h5";
    Recorder recorder;
    runWith(whole, recorder);
    tests::checkSameResults(folder / "run.h5", folder / "whole.h5", 0.0);
    // One fraction for the whole run: it never falls.
    double last = 0.0;
    for (const RunEvent& event : recorder.events) {
        if (event.kind == RunEvent::Kind::Progress) {
            CHECK(event.fraction >= last);
            last = event.fraction;
        }
    }
    CHECK(last == 1.0);
}

TEST_CASE("run: chosen sets come to the removals that a session holds, and nothing else is passed",
          "[core][engine]") {
    const tests::TemporaryFolder folder;
    auto request = requestFor("mixtral", folder / "run.h5");
    request.experiments = {{"expert_removal", "{}"}};
    Recorder recorder;
    runWith(request, recorder);
    const auto passes = [&](const char* options) {
        request.experiments = {{"expert_removal", options}};
        const auto costs = engine::estimate(request, experiments::makeProbes);
        Recorder again;
        runWith(request, again);
        const auto note = std::find_if(
            costs.notes.begin(), costs.notes.end(),
            [](const std::string& text) { return text.starts_with("expert_removal: "); });
        return note == costs.notes.end() ? std::string() : note->substr(16, note->find(',') - 16);
    };
    // 3 layers of 7 experts and 7 indices are there.
    CHECK(passes(R"({"sets":["0:1,2:3"],"controls":2})") ==
          "3 branches beside the intact model (28 more are in the session)");
    CHECK(passes(R"({"sets":["1:5"],"controls":2})") ==
          "3 branches beside the intact model (31 more are in the session)");
    CHECK(passes(R"({"sets":["1:5"],"controls":1})").empty());  // all of it is there
    CHECK(passes(R"({"sets":["1:5"],"controls":4})") ==
          "4 branches beside the intact model (34 more are in the session)");
    CHECK(passes("{}").empty());

    auto whole = request;
    whole.session = folder / "whole.h5";
    whole.experiments = {{"expert_removal", R"({"sets":["all","0:1,2:3","1:5"],"controls":4})"}};
    runWith(whole, recorder);
    tests::checkSameResults(folder / "run.h5", folder / "whole.h5", 0.0);
}

TEST_CASE("run: controls of a set are the experts of like load", "[core][engine]") {
    const tests::TemporaryFolder folder;
    auto request = requestFor("mixtral", folder / "run.h5");
    request.experiments = {{"expert_removal", R"({"sets":["0:2","1:0,1:4"],"controls":3})"}};
    Recorder recorder;
    runWith(request, recorder);
    const auto session = session::Session::open(folder / "run.h5");
    const auto loadsOf = [&](int layer) {
        std::vector<double> loads(7);
        for (const double id : readLayer(*session, "chosen_experts", "ids", layer).toDoubles()) {
            loads[static_cast<std::size_t>(id)] += 1.0;
        }
        return loads;
    };
    const NdArray rows =
        session->read({BranchId{}, "expert_removal", "set_control_experts"}, std::nullopt);
    REQUIRE(rows.shape() == Shape{3 + 6, 4});
    // Of one expert: the others, nearest in load first, ties to the lower index.
    const std::vector<double> loads = loadsOf(0);
    std::vector<std::pair<double, double>> others;
    for (std::size_t e = 0; e < loads.size(); ++e) {
        if (e != 2) {
            others.emplace_back(std::abs(loads[e] - loads[2]), static_cast<double>(e));
        }
    }
    std::sort(others.begin(), others.end());
    for (std::uint64_t control = 0; control < 3; ++control) {
        CHECK(rows.at(control * 4 + 1) == static_cast<double>(control));
        CHECK(rows.at(control * 4 + 2) == 0.0);
        CHECK(rows.at(control * 4 + 3) == others[control].second);
    }
    // What the session says of a control is what removing those experts is.
    std::string first;
    for (std::uint64_t row = 3; row < 5; ++row) {
        CHECK(rows.at(row * 4) == 1.0);
        first +=
            (first.empty() ? "1:" : ",1:") + std::to_string(static_cast<int>(rows.at(row * 4 + 3)));
    }
    auto direct = request;
    direct.session = folder / "direct.h5";
    direct.experiments = {{"expert_removal", R"({"sets":[")" + first + R"("],"controls":0})"}};
    runWith(direct, recorder);
    const NdArray removed = session::Session::open(folder / "direct.h5")
                                ->read({BranchId{}, "expert_removal", "set"}, std::nullopt);
    const NdArray controls =
        session->read({BranchId{}, "expert_removal", "set_controls"}, std::nullopt);
    for (std::uint64_t m = 0; m < 3; ++m) {
        CHECK(removed.at(m) == controls.at((1 * 3 + 0) * 3 + m));
    }
}

TEST_CASE("run: losses of single tokens of each removal, as far as there is room",
          "[core][engine]") {
    const tests::TemporaryFolder folder;
    auto request = requestFor("mixtral", folder / "run.h5");
    request.experiments = {{"expert_removal", "{}"}};
    Recorder recorder;
    runWith(request, recorder);
    const auto session = session::Session::open(folder / "run.h5");
    const auto read = [&](const char* name) {
        return session->read({BranchId{}, "expert_removal", name}, std::nullopt);
    };
    // The mean of each row is the loss of its branch.
    for (const std::string table : {"everywhere", "single"}) {
        const NdArray means = read(table.c_str());
        const NdArray losses = read((table + "_token_loss").c_str());
        const NdArray predicted = read((table + "_predicted").c_str());
        const NdArray intact = read("predicted");
        const std::uint64_t tokens = request.corpus.tokenCount();
        REQUIRE(losses.size() == means.size() / 3 * tokens);
        for (std::uint64_t row = 0; row < means.size() / 3; ++row) {
            double sum = 0.0;
            double count = 0.0;
            for (std::uint64_t t = 0; t < tokens; ++t) {
                const double loss = losses.at(row * tokens + t);
                sum += std::isnan(loss) ? 0.0 : loss;
                count += std::isnan(loss) ? 0.0 : 1.0;
            }
            CHECK(sum / count == Approx(means.at(row * 3)).epsilon(1e-6));
            // And the predictions that differ from the intact model's are as many as it says.
            double changed = 0.0;
            for (std::uint64_t t = 0; t < tokens; ++t) {
                changed += !std::isnan(losses.at(row * tokens + t)) &&
                                   predicted.at(row * tokens + t) != intact.at(t)
                               ? 1.0
                               : 0.0;
            }
            CHECK(changed / count == Approx(means.at(row * 3 + 2)).margin(1e-12));
        }
    }
    // Room for the seven indices alone.
    request.session = folder / "small.h5";
    request.experiments = {
        {"expert_removal",
         R"({"kept_bytes":)" + std::to_string(7 * 8 * request.corpus.tokenCount()) + "}"}};
    const auto costs = engine::estimate(request, experiments::makeProbes);
    CHECK(std::any_of(costs.notes.begin(), costs.notes.end(), [](const std::string& note) {
        return note.find("not of removals in one layer") != std::string::npos;
    }));
    runWith(request, recorder);
    const auto small = session::Session::open(folder / "small.h5");
    CHECK(small->find({BranchId{}, "expert_removal", "everywhere_token_loss"}) != nullptr);
    CHECK(small->find({BranchId{}, "expert_removal", "everywhere_predicted"}) != nullptr);
    CHECK(small->find({BranchId{}, "expert_removal", "single_token_loss"}) == nullptr);
    CHECK(small->find({BranchId{}, "expert_removal", "single_predicted"}) == nullptr);
}

TEST_CASE("run: more room for the losses of single tokens brings those of removals that are there",
          "[core][engine]") {
    const tests::TemporaryFolder folder;
    auto request = requestFor("mixtral", folder / "run.h5");
    const auto removal = [](std::uint64_t bytes) {
        return engine::ExperimentRequest{
            "expert_removal",
            R"({"kept_bytes":)" + std::to_string(bytes) + R"(,"sets":["all","0:1"],"controls":1})"};
    };
    const std::uint64_t row = experiments::kTokenOutcomeBytes * request.corpus.tokenCount();
    Recorder recorder;
    request.experiments = {removal(8 * row)};  // of the set and of seven indices
    runWith(request, recorder);
    const session::QuantityId single{BranchId{}, "expert_removal", "single_token_loss"};
    const auto first = session::Session::open(folder / "run.h5");
    CHECK(first->find(single) == nullptr);
    // Those of one layer pass again, and nothing else.
    request.experiments = {removal(100 * row)};
    const auto costs = engine::estimate(request, experiments::makeProbes);
    CHECK(std::any_of(costs.notes.begin(), costs.notes.end(), [](const std::string& note) {
        return note.starts_with("expert_removal: 21 branches beside the intact model (9 more");
    }));
    runWith(request, recorder);
    auto whole = request;
    whole.session = folder / "whole.h5";
    runWith(whole, recorder);
    tests::checkSameResults(folder / "run.h5", folder / "whole.h5", 0.0);
    const auto second = session::Session::open(folder / "run.h5");
    CHECK(second->find(single) != nullptr);
    // Less room takes nothing that need be passed.
    request.experiments = {removal(8 * row)};
    const auto less = engine::estimate(request, experiments::makeProbes);
    CHECK(std::any_of(less.notes.begin(), less.notes.end(), [](const std::string& note) {
        return note.starts_with("expert_removal: 0 branches beside the intact model (30 more");
    }));
}

TEST_CASE("run: questions are answered beside the text, kept, and not asked twice",
          "[core][engine]") {
    const tests::TemporaryFolder folder;
    auto request = requestFor("mixtral", folder / "run.h5");
    request.experiments = {{"expert_removal", "{}"}};
    addQuestions(request);
    Recorder recorder;
    runWith(request, recorder);
    const auto session = session::Session::open(folder / "run.h5");
    CHECK(session->head().choices == request.choices);
    // Without the file: the session keeps its questions, and what is there is not passed again.
    auto added = request;
    added.choices = {};
    added.experiments = {{"expert_removal", R"({"sets":["0:1"],"controls":1})"},
                         {"fewer_experts", "{}"}};
    const auto costs = engine::estimate(added, experiments::makeProbes);
    CHECK(std::any_of(costs.notes.begin(), costs.notes.end(), [](const std::string& note) {
        return note.starts_with("expert_removal: 2 branches beside the intact model (28 more");
    }));
    runWith(added, recorder);
    const auto both = session::Session::open(folder / "run.h5");
    const auto read = [](const session::Session& from, const char* experiment, const char* name) {
        return from.read({BranchId{}, experiment, name}, std::nullopt).toDoubles();
    };
    CHECK(read(*both, "expert_removal", "single_choices") ==
          read(*session, "expert_removal", "single_choices"));
    CHECK(read(*both, "expert_removal", "set_choices").size() == 2);
    CHECK(read(*both, "fewer_experts", "chosen_choices").size() == 3 * 1 * 2);
    CHECK(read(*both, "fewer_experts", "intact_choices") ==
          read(*both, "expert_removal", "intact_choices"));
    // Others are refused.
    added.choices = request.choices;
    added.choices.answer[0] = 1;
    checkThrows([&] { runWith(added, recorder); }, ErrorCode::BadSession,
                {"other multiple-choice questions", "questions.jsonl"});
}

TEST_CASE("estimate: removals say their passes and count in the least memory", "[core][engine]") {
    const tests::TemporaryFolder folder;
    auto request = requestFor("mixtral", folder / "run.h5");
    request.experiments = {{"chosen_experts", "{}"}};
    request.corpus = monotone(20'000);
    const auto plain = engine::estimate(request, experiments::makeProbes);
    request.experiments.push_back({"expert_removal", R"({"sets":["0:1"],"controls":3})"});
    const auto costs = engine::estimate(request, experiments::makeProbes);
    // Two streams of 20,000 tokens.
    const auto hidden =
        static_cast<std::uint64_t>(tests::ReferenceModel("mixtral").spec.hiddenSize);
    CHECK(costs.minimumBytes >=
          plain.minimumBytes + 2 * 20'000 * hidden * sizeof(float) - (std::uint64_t{1} << 20U));
    const auto note = std::find_if(
        costs.notes.begin(), costs.notes.end(),
        [](const std::string& text) { return text.starts_with("expert_removal: 4 branches"); });
    REQUIRE(note != costs.notes.end());
    // The intact model and four branches that change layer 0, through three layers.
    CHECK_THAT(*note, Catch::Contains("15 passes of the text through a layer"));
    // Losses of its single tokens, and many more with every removal's.
    const std::uint64_t row = 20'000 * sizeof(float);
    request.experiments.back().optionsJson = "{}";
    const auto turn = engine::estimate(request, experiments::makeProbes);
    CHECK(turn.minimumBytes >= costs.minimumBytes + 27 * row - (std::uint64_t{1} << 20U));
    CHECK(turn.memoryBytes >= turn.minimumBytes);
    request.experiments.back().optionsJson = R"({"sets":["5:0"],"controls":3})";
    checkThrows([&] { static_cast<void>(engine::estimate(request, experiments::makeProbes)); },
                ErrorCode::Usage, {"5:0", "layers 0 to 2"});
}

TEST_CASE("run: branches alone are planned like all that passes the text", "[core][engine]") {
    const tests::TemporaryFolder folder;
    auto request = requestFor("mixtral", folder / "whole.h5");
    request.corpus = monotone(1'000);
    request.experiments = {{"chosen_experts", "{}"}, {"expert_removal", R"({"sets":["0:1"]})"}};
    const auto whole = engine::estimate(request, experiments::makeProbes);
    Recorder recorder;
    runWith(request, recorder);

    request.session = folder / "added.h5";
    request.experiments = {{"chosen_experts", "{}"}};
    runWith(request, recorder);
    request.experiments = {{"expert_removal", R"({"sets":["0:1"]})"}};
    const auto added = engine::estimate(request, experiments::makeProbes);
    CHECK(added.tokens == whole.tokens);
    CHECK(added.layers == whole.layers);
    // The first run's own stream and what it keeps are not needed any more.
    constexpr std::uint64_t kOwn = std::uint64_t{4} << 20U;
    CHECK(added.minimumBytes + kOwn >= whole.minimumBytes);
    CHECK(added.memoryBytes + 4 * kOwn >= whole.memoryBytes);
    request.memoryBytes = added.minimumBytes + (std::uint64_t{16} << 20U);
    const auto report = runWith(request, recorder);
    CHECK(report.peakMemoryBytes <= *request.memoryBytes);
    tests::checkSameResults(folder / "whole.h5", folder / "added.h5", 1e-5);
}

TEST_CASE("run: what an experiment with branches is made from is planned with it",
          "[core][engine]") {
    const tests::TemporaryFolder folder;
    auto request = requestFor("mixtral", folder / "run.h5");
    request.experiments = {{"pruning", "{}"}};
    Recorder recorder;
    runWith(request, recorder);
    const auto session = session::Session::open(folder / "run.h5");
    CHECK(session->find({BranchId{}, "pruning", "curves"}) != nullptr);
    REQUIRE(session->find({BranchId{}, "importance", "norm"}) != nullptr);
    for (const auto& record : session->head().experiments) {
        CHECK(record.state == session::ExperimentState::Done);
    }
}

TEST_CASE("run: a prune list is its experts removed together, and comes to the session's lists",
          "[core][engine]") {
    const tests::TemporaryFolder folder;
    auto request = requestFor("mixtral", folder / "run.h5");
    request.experiments = {{"pruning", "{}"},
                           {"expert_removal", R"({"sets":["0:1,0:4,2:3","1:0"],"controls":0})"}};
    addQuestions(request);
    Recorder recorder;
    runWith(request, recorder);
    const auto read = [&](const char* experiment, const char* name) {
        return session::Session::open(folder / "run.h5")
            ->read({BranchId{}, experiment, name}, std::nullopt)
            .toDoubles();
    };
    const std::vector<double> curves = read("pruning", "curves");
    const auto measure = [&](const char* options) {
        request.experiments = {{"pruning", options}};
        const auto costs = engine::estimate(request, experiments::makeProbes);
        runWith(request, recorder);
        const auto note =
            std::find_if(costs.notes.begin(), costs.notes.end(),
                         [](const std::string& text) { return text.starts_with("pruning: "); });
        return note == costs.notes.end() ? std::string() : note->substr(9, note->find(',') - 9);
    };
    // Nine rows of six shares are there.
    CHECK(measure(R"({"lists":[{"name":"mine","experts":"2:3,0:4,0:1"}]})") ==
          "1 branch beside the intact model (54 more are in the session)");
    CHECK(measure(R"({"lists":[{"name":"other","experts":"1:0"}]})") ==
          "1 branch beside the intact model (55 more are in the session)");
    CHECK(measure(R"({"lists":[{"name":"other","experts":"1:0"}]})").empty());
    CHECK(measure("{}").empty());
    CHECK(read("pruning", "curves") == curves);
    // Bit for bit, the text and the questions.
    CHECK(read("pruning", "list") == read("expert_removal", "set"));
    CHECK(read("pruning", "list_choices") == read("expert_removal", "set_choices"));
    CHECK(read("pruning", "list_removed") ==
          std::vector<double>{0, 0, 1, 0, 0, 4, 0, 2, 3, 1, 1, 0});
    // Another list of a known name stands beside it.
    CHECK(measure(R"({"lists":[{"name":"mine","experts":"1:0"}]})") ==
          "1 branch beside the intact model (56 more are in the session)");
    const auto session = session::Session::open(folder / "run.h5");
    CHECK(session->find({BranchId{}, "pruning", "list"})->axes[0].labels ==
          std::vector<std::string>{"mine", "other", "mine (2)"});
    request.experiments = {{"pruning", R"({"lists":[{"name":"bad","experts":"0:7"}]})"}};
    checkThrows([&] { runWith(request, recorder); }, ErrorCode::Usage, {"list bad", "0 to 6"});
}

TEST_CASE("run: a prune list can be measured without the curves, which can come later",
          "[core][engine]") {
    const tests::TemporaryFolder folder;
    auto request = requestFor("mixtral", folder / "run.h5");
    request.experiments = {
        {"pruning", R"({"curves":false,"lists":[{"name":"mine","experts":"0:1,2:3"}]})"}};
    Recorder recorder;
    runWith(request, recorder);
    const auto open = [&] { return session::Session::open(folder / "run.h5"); };
    const auto read = [&](const char* name) {
        return open()->read({BranchId{}, "pruning", name}, std::nullopt).toDoubles();
    };
    CHECK(open()->find({BranchId{}, "pruning", "curves"}) == nullptr);
    // What the curves are made from was not needed.
    CHECK(open()->find({BranchId{}, "importance", "norm"}) == nullptr);
    const std::vector<double> list = read("list");
    const std::vector<double> intact = read("intact");
    CHECK(list.size() == 3);
    CHECK(list[0] != intact[0]);

    request.experiments = {{"pruning", "{}"}};
    runWith(request, recorder);
    CHECK(open()->find({BranchId{}, "pruning", "curves"}) != nullptr);
    CHECK(read("list") == list);
    CHECK(read("list_removed") == std::vector<double>{0, 0, 1, 0, 2, 3});

    request.session = folder / "both.h5";
    request.experiments = {{"pruning", R"({"lists":[{"name":"mine","experts":"0:1,2:3"}]})"}};
    runWith(request, recorder);
    tests::checkSameResults(folder / "run.h5", folder / "both.h5", 0.0);
}

TEST_CASE("run: with every expert chosen there are fewer to choose and none to remove",
          "[core][engine]") {
    const tests::TemporaryFolder folder;
    auto request = requestFor("mixtral", folder / "run.h5");
    request.topK = 7;
    request.experiments = {{"fewer_experts", "{}"}, {"expert_removal", "{}"}, {"pruning", "{}"}};
    Recorder recorder;
    runWith(request, recorder);
    const auto session = session::Session::open(folder / "run.h5");
    const auto labels = [&](const char* quantity, std::size_t axis) {
        return session->find({BranchId{}, "fewer_experts", quantity})->axes.at(axis).labels;
    };
    CHECK(labels("chosen", 0) == std::vector<std::string>{"0", "1", "2"});
    CHECK(labels("chosen", 1) == std::vector<std::string>{"1", "2", "3", "4", "5", "6"});
    CHECK(session->find({BranchId{}, "fewer_experts", "kept"}) == nullptr);
    CHECK(session->find({BranchId{}, "expert_removal", "single"}) == nullptr);
    const auto read = [&](const char* experiment, const char* quantity) {
        return session->read({BranchId{}, experiment, quantity}, std::nullopt).toDoubles();
    };
    // No step of the curves removes anything.
    const std::vector<double> curves = read("pruning", "curves");
    const std::vector<double> intact = read("pruning", "intact");
    for (std::size_t i = 0; i < curves.size(); ++i) {
        CHECK(curves[i] == intact[i % 3]);
    }
}

TEST_CASE("estimate: removals count in the disk that a run needs", "[core][engine]") {
    const tests::TemporaryFolder folder;
    auto request = requestFor("mixtral", folder / "plain.h5");
    request.corpus = tests::madeUpCorpus(
        3'000, 100, static_cast<std::uint32_t>(tests::ReferenceModel("mixtral").spec.vocabSize));
    const auto runAndCost = [&] {
        const auto costs = engine::estimate(request, experiments::makeProbes);
        Recorder recorder;
        runWith(request, recorder);
        return std::pair(costs.diskBytes, std::filesystem::file_size(request.session));
    };
    request.experiments = {{"chosen_experts", "{}"}};
    const auto [plainCost, plainSize] = runAndCost();
    request.session = folder / "removal.h5";
    request.experiments.push_back({"expert_removal", "{}"});
    const auto [cost, size] = runAndCost();
    // Tokens of 28 branches and of the intact model, once as a part and once in the session; the
    // ids predicted take a fraction of their four bytes there.
    CHECK(size - plainSize > 29 * 3'000 * 3);  // a little compressed
    CHECK(cost - plainCost > 2 * (size - plainSize));
    CHECK(cost - plainCost < 6 * (size - plainSize));
}
