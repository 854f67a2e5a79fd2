// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/run.h"

#include "core/experiments/catalogue.h"
#include "core/experiments/factory.h"
#include "core/experiments/options.h"
#include "core/session/session.h"
#include "tests/core/engine/reference_model.h"
#include "tests/core/engine/run_support.h"
#include "tests/core/engine/session_compare.h"
#include "tests/core/engine/test_corpus.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/throws.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <map>

using namespace moescope;
using session::RunEvent;
using namespace moescope::tests;

TEST_CASE("run: a session holds what transformers computed", "[core][engine]") {
    const tests::TemporaryFolder folder;
    const std::string fixture = GENERATE("mixtral", "deepseek");
    INFO(fixture);
    auto request = requestFor(fixture, folder / "run.h5");
    if (fixture == "mixtral") {
        request.baselines = {tests::referenceDir() / "models/mistral-baseline"};
    }
    Recorder recorder;
    const auto report = runWith(request, recorder);
    CHECK(report.partsKept == 0);
    // Branches show in between what they have come to, at most once a second.
    CHECK(recorder.count(RunEvent::Kind::PartDone) >= report.partsWritten);
    CHECK(recorder.count(RunEvent::Kind::Finished) == 1);
    CHECK_FALSE(std::filesystem::exists(folder / "run.h5.partial"));

    const tests::ReferenceModel model(fixture);
    const std::size_t tokens = model.corpus.tokenCount();
    const auto session = session::Session::open(folder / "run.h5");
    for (int layer = 0; layer < model.spec.layerCount(); ++layer) {
        if (!model.spec.layers[static_cast<std::size_t>(layer)].isRouted()) {
            continue;
        }
        INFO("layer " << layer);
        const std::string prefix = "layers." + std::to_string(layer) + ".";
        CHECK(readLayer(*session, "chosen_experts", "ids", layer).toDoubles() ==
              model.expected.array(prefix + "chosen_experts").toDoubles());
        CHECK(tests::arrayDifference(readLayer(*session, "norms_scores", "norm", layer),
                                     model.expected.array(prefix + "expert_output_norms")) < 1e-4);
        CHECK(tests::arrayDifference(readLayer(*session, "norms_scores", "score", layer),
                                     model.expected.array(prefix + "scores")) < 1e-5);
        const auto counts = readLayer(*session, "rank_counts", "count", layer).toDoubles();
        const auto experts = static_cast<std::size_t>(
            model.spec.layers[static_cast<std::size_t>(layer)].moe->experts);
        for (std::size_t row = 0; row < experts; ++row) {
            double sum = 0.0;
            for (std::size_t column = 0; column < experts; ++column) {
                sum += counts[row * experts + column];
            }
            CHECK(sum == static_cast<double>(tokens));
        }
    }
    for (const auto& record : session->head().experiments) {
        CHECK(record.state == session::ExperimentState::Done);
    }
}

TEST_CASE("run: intermediate states equal NumPy's", "[core][engine]") {
    const tests::TemporaryFolder folder;
    const std::string fixture = GENERATE("mixtral", "deepseek", "deepseek-variant");
    const auto layers = fixture == "mixtral"    ? std::vector<int>{0, 1, 2}
                        : fixture == "deepseek" ? std::vector<int>{1, 2}
                                                : std::vector<int>{2, 4};
    INFO(fixture);
    auto request = requestFor(fixture, folder / "run.h5");
    const std::uint64_t tokens = request.corpus.tokenCount();
    if (fixture == "mixtral") {
        request.baselines = {tests::referenceDir() / "models/mistral-baseline"};
    }
    request.experiments = {
        {"intermediate_states", fmt::format("{{\"kept_token_count\": {}}}", tokens)}};
    Recorder recorder;
    static_cast<void>(runWith(request, recorder));
    const auto session = session::Session::open(folder / "run.h5");
    const tests::ReferenceFile golden(tests::referenceDir() / "experiments" /
                                      (fixture + ".safetensors"));
    for (const int layer : layers) {
        INFO("layer " << layer);
        const auto read = [&](const char* name) {
            return readLayer(*session, "intermediate_states", name, layer);
        };
        const auto goldenOf = [&](const char* name) {
            return golden.array(fmt::format("intermediate_states.{}.{}", name, layer));
        };
        const NdArray states = read("states");
        const NdArray expected = goldenOf("states");  // the last document, routed experts alone
        const auto [documentTokens, experts, neurons] =
            std::array{expected.shape()[0], expected.shape()[1], expected.shape()[2]};
        const auto found = states.values<float>();
        const auto wanted = expected.values<float>();
        const std::uint64_t rows = states.shape()[1];
        REQUIRE(states.shape()[2] == neurons);
        double worst = 0.0;
        for (std::uint64_t t = 0; t < documentTokens; ++t) {
            for (std::uint64_t i = 0; i < experts * neurons; ++i) {
                const std::uint64_t token = tokens - documentTokens + t;
                worst = std::max(worst, std::abs(double(found[token * rows * neurons + i]) -
                                                 double(wanted[t * experts * neurons + i])));
            }
        }
        CHECK(worst < 1e-5);
        const auto close = [&](const char* name, double tolerance) {
            const auto ours = read(name).toDoubles();
            const auto theirs = goldenOf(name).toDoubles();
            REQUIRE(ours.size() >= theirs.size());  // F and S after the experts
            for (std::size_t e = 0; e < theirs.size(); ++e) {
                CHECK(ours[e] == Approx(theirs[e]).margin(tolerance));
            }
        };
        // A value at the threshold may fall to either side.
        close("active_share", 1.0 / static_cast<double>(tokens * neurons));
        close("mean_magnitude", 1e-5);
        if (fixture == "deepseek") {
            const NdArray shared = goldenOf("shared");
            const NdArray own = read("states_S");
            const std::uint64_t width = shared.shape()[1];
            REQUIRE(own.shape() == Shape{tokens, 1, width});
            const auto all = own.values<float>();
            const auto last = all.subspan((tokens - documentTokens) * width);
            const auto s = shared.values<float>();
            CHECK(std::equal(last.begin(), last.end(), s.begin(), s.end(),
                             [](float a, float b) { return std::abs(a - b) < 1e-5F; }));
        }
    }
}

TEST_CASE("run: which tokens' intermediate states are kept, and which are counted",
          "[core][engine]") {
    const tests::TemporaryFolder folder;
    auto request = requestFor("mixtral", folder / "run.h5");
    request.baselines = {tests::referenceDir() / "models/mistral-baseline"};
    request.experiments = {{"intermediate_states",
                            R"({"kept_token_count":3,"kept_tokens":"spread",)"
                            R"("skip_first_token":true,"activity_threshold":1e9})"}};
    Recorder recorder;
    static_cast<void>(runWith(request, recorder));
    const auto session = session::Session::open(folder / "run.h5");
    const std::uint64_t tokens = request.corpus.tokenCount();
    const session::QuantityId id{BranchId{0}, "intermediate_states", "kept_tokens"};
    const auto kept = session->read(id, std::nullopt).toDoubles();
    REQUIRE(kept.size() == 3);
    CHECK(kept[1] == static_cast<double>(tokens / 3));
    const session::QuantityInfo* share = session->find({id.branch, id.experiment, "active_share"});
    REQUIRE(share != nullptr);
    CHECK(share->tokens == tokens - request.corpus.documentCount());
    CHECK(share->axes.front().labels.back() == "F");
    // Nothing is as large as that; F is counted as the experts are.
    for (const double value :
         readLayer(*session, "intermediate_states", "active_share", 1).toDoubles()) {
        CHECK(value == 0.0);
    }
    const auto means = readLayer(*session, "intermediate_states", "mean_magnitude", 1).toDoubles();
    CHECK(std::all_of(means.begin(), means.end(), [](double mean) { return mean > 0.0; }));
}

TEST_CASE("run: each tensor is read once for static and dynamic experiments", "[core][engine]") {
    const tests::TemporaryFolder folder;
    Recorder recorder;
    const auto report = runWith(requestFor("deepseek", folder / "run.h5"), recorder);
    const tests::ReferenceModel model("deepseek");
    // Removals go through the model once more, and through the head.
    CHECK(report.bytesRead == model.neededBytes(false) + 3 * model.neededBytes(true));
    const auto again = requestFor("deepseek", folder / "other.h5");
    CHECK(engine::estimate(again, experiments::makeProbes).readBytes == report.bytesRead);
}

TEST_CASE("run: experiments on weights read experts, baseline and router once, as estimated",
          "[core][engine]") {
    const tests::TemporaryFolder folder;
    const std::string fixture = GENERATE("mixtral", "deepseek", "deepseek-variant");
    INFO(fixture);
    auto request = requestFor(fixture, folder / "run.h5");
    request.corpus = {};
    request.experiments = {{"weight_similarity", "{}"},
                           {"mean_neuron_similarity", "{}"},
                           {"router_similarity", "{}"},
                           {"expert_projection", "{}"},
                           {"parameters", "{}"}};
    if (fixture == "mixtral") {
        request.baselines = {tests::referenceDir() / "models/mistral-baseline"};
    }
    const std::uint64_t expected = engine::estimate(request, experiments::makeProbes).readBytes;
    Recorder recorder;
    CHECK(runWith(request, recorder).bytesRead == expected);
    const auto session = session::Session::open(folder / "run.h5");
    CHECK(session->read({BranchId{0}, "router_similarity", "mean_r2"}, std::nullopt).size() == 3);
}

TEST_CASE("run: static experiments need no text", "[core][engine]") {
    const tests::TemporaryFolder folder;
    auto request = requestFor("mixtral", folder / "run.h5");
    request.corpus = {};
    request.experiments = {{"weight_similarity", "{}"}, {"parameters", "{}"}};
    Recorder recorder;
    const auto report = runWith(request, recorder);
    const auto session = session::Session::open(folder / "run.h5");
    CHECK(session->find({BranchId{0}, "weight_similarity", "gate"}) != nullptr);
    CHECK(session->find({BranchId{0}, "chosen_experts", "ids"}) == nullptr);
    CHECK(report.warnings.empty());

    request.session = folder / "other.h5";
    request.experiments = {{"rank_counts", "{}"}};
    checkThrows([&] { runWith(request, recorder); }, ErrorCode::Usage, {"rank_counts", "text"});
}

TEST_CASE("run: adding experiments recomputes nothing finished", "[core][engine]") {
    const tests::TemporaryFolder folder;
    auto request = requestFor("mixtral", folder / "run.h5");
    request.experiments = {{"norms_scores", "{}"}};
    Recorder first;
    runWith(request, first);
    request.experiments = everything();
    Recorder second;
    const auto report = runWith(request, second);
    const auto layers =
        static_cast<std::size_t>(tests::ReferenceModel("mixtral").spec.layerCount());
    CHECK(report.partsKept == 2 * layers);
    for (const RunEvent& event : second.events) {
        if (event.kind == RunEvent::Kind::PartDone) {
            CHECK(event.experiment != "norms_scores");
            CHECK(event.experiment != "chosen_experts");
        }
    }
    auto whole = request;
    whole.session = folder / "whole.h5";
    runWith(whole, first);
    tests::checkSameResults(folder / "run.h5", folder / "whole.h5", 1e-5);

    SECTION("a session brings its own text") {
        request.corpus = {};
        const auto again = runWith(request, second);
        CHECK(again.partsWritten == 0);
    }
    SECTION("another text is refused") {
        request.corpus = tests::madeUpCorpus(20, 7, 90);
        checkThrows([&] { runWith(request, second); }, ErrorCode::BadSession, {"text"});
    }
}

TEST_CASE("run: a stopped run goes on where it was", "[core][engine]") {
    const tests::TemporaryFolder folder;
    const auto scratch = GENERATE(engine::ScratchUse::Never, engine::ScratchUse::Always);
    auto request = requestFor("mixtral", folder / "run.h5");
    request.scratch = scratch;
    request.baselines = {tests::referenceDir() / "models/mistral-baseline"};
    Recorder stopped;
    stopped.stopAtLayer = 0;
    bool cancelled = false;
    try {
        runWith(request, stopped);
    } catch (const Error& error) {
        cancelled = error.code() == ErrorCode::Cancelled;
    }
    // The stop may come too late for so small a model; then there is nothing to go on with.
    if (cancelled) {
        CHECK(stopped.count(RunEvent::Kind::Cancelled) == 1);
        CHECK(std::filesystem::exists(folder / "run.h5.partial"));
        Recorder refused;
        checkThrows([&] { runWith(request, refused); }, ErrorCode::Usage, {"--resume"});
        request.interrupted = engine::Interrupted::Resume;
        Recorder resumed;
        CHECK(runWith(request, resumed).partsKept > 0);
    }
    auto whole = request;
    whole.session = folder / "whole.h5";
    Recorder recorder;
    runWith(whole, recorder);
    const bool exact = scratch == engine::ScratchUse::Always;
    tests::checkSameResults(folder / "run.h5", folder / "whole.h5", exact ? 0.0 : 1e-5);
}

TEST_CASE("run: a disk too full for the residual stream", "[core][engine]") {
    const tests::TemporaryFolder folder;
    auto request = requestFor("mixtral", folder / "run.h5");
    request.keepEvery = std::chrono::seconds(0);
    Recorder recorder;
    recorder.full = folder / "run.h5.partial";
    SECTION("costs a warning, once, when keeping it is optional") {
        const auto report = runWith(request, recorder);
        REQUIRE(report.warnings.size() == 1);
        CHECK_THAT(report.warnings.front(), Catch::Contains("residual stream cannot be kept"));
        CHECK(recorder.count(RunEvent::Kind::Warning) == 1);
        CHECK(std::filesystem::exists(folder / "run.h5"));
    }
    SECTION("is an error when it was asked for") {
        request.scratch = engine::ScratchUse::Always;
        checkThrows([&] { runWith(request, recorder); }, ErrorCode::DiskFull, {"residual-"});
        CHECK_FALSE(std::filesystem::exists(folder / "run.h5"));
    }
}

TEST_CASE("run: the estimate counts the residual streams kept", "[core][engine]") {
    const tests::TemporaryFolder folder;
    auto request = requestFor("mixtral", folder / "run.h5");
    const auto disk = [&](engine::ScratchUse use, int keepEvery) {
        request.scratch = use;
        request.keepEvery = std::chrono::seconds(keepEvery);
        return engine::estimate(request, experiments::makeProbes).diskBytes;
    };
    const tests::ReferenceModel model("mixtral");
    const std::uint64_t stream =
        model.corpus.ids.size() * static_cast<std::uint64_t>(model.spec.hiddenSize) * 4;
    const auto without = disk(engine::ScratchUse::Never, 0);
    CHECK(disk(engine::ScratchUse::Auto, 3600) == without);
    CHECK(disk(engine::ScratchUse::Auto, 0) == without + 2 * stream);
    CHECK(disk(engine::ScratchUse::Always, 3600) == without + 3 * stream);
}

TEST_CASE("estimate: says which tokens have rows of their own", "[core][engine]") {
    const tests::TemporaryFolder folder;
    auto request = requestFor("mixtral", folder / "run.h5");
    request.corpus = monotone(20);
    const auto says = [&](const std::string& text) {
        const auto notes = engine::estimate(request, experiments::makeProbes).notes;
        return std::any_of(notes.begin(), notes.end(), [&](const std::string& note) {
            return note.find(text) != std::string::npos;
        });
    };
    CHECK(says("norms_scores: norms and scores of all 20 tokens are kept"));
    for (auto& experiment : request.experiments) {
        if (experiment.id == "norms_scores") {
            experiment.optionsJson = R"({"kept_bytes":1})";
        }
    }
    CHECK(says("norms_scores: norms and scores of 1 of the 20 tokens are kept, the first"));
}

TEST_CASE("estimate: says what each experiment costs, and nothing of those that are done",
          "[core][engine]") {
    const tests::TemporaryFolder folder;
    auto request = requestFor("mixtral", folder / "run.h5");
    const engine::Estimate estimate = engine::estimate(request, experiments::makeProbes);
    double seconds = 0.0;
    std::set<std::string> ids;
    for (const engine::ExperimentCost& cost : estimate.experiments) {
        CAPTURE(cost.id);
        CHECK(ids.insert(cost.id).second);
        CHECK(cost.seconds >= 0.0);
        CHECK(cost.diskBytes > 0);
        CHECK(cost.memoryBytes <= estimate.memoryBytes);
        seconds += cost.seconds;
    }
    CHECK(seconds < estimate.seconds);
    CHECK(ids.count("weight_similarity") == 1);
    CHECK(ids.count("matched_similarity") == 1);
    CHECK(ids.count("expert_removal") == 1);
    CHECK(ids.count("chosen_experts") == 1);
    Recorder recorder;
    (void)runWith(request, recorder);
    CHECK(engine::estimate(request, experiments::makeProbes).experiments.empty());
}

TEST_CASE("estimate: says when a document is longer than the model's positions", "[core][engine]") {
    const tests::TemporaryFolder folder;
    auto request = requestFor("deepseek", folder / "run.h5");  // 64 positions
    const auto warned = [&](std::uint64_t tokens) {
        request.corpus = monotone(tokens);
        const auto notes = engine::estimate(request, experiments::makeProbes).notes;
        return std::any_of(notes.begin(), notes.end(), [](const std::string& note) {
            return note.find("--context 64") != std::string::npos;
        });
    };
    CHECK_FALSE(warned(64));
    CHECK(warned(65));
}

TEST_CASE("run: a document longer than the model's positions is a warning of the session",
          "[core][engine]") {
    const tests::TemporaryFolder folder;
    auto request = requestFor("deepseek", folder / "run.h5");  // 64 positions
    request.corpus = monotone(65);
    request.experiments = {{"rank_counts", "{}"}};
    Recorder recorder;
    const auto report = runWith(request, recorder);
    CHECK(recorder.warns("--context 64"));
    CHECK(report.warnings.size() == 1);
    request.experiments = {{"norms_scores", "{}"}};
    runWith(request, recorder);
    const auto warnings = session::Session::open(folder / "run.h5")->warnings();
    REQUIRE(warnings.size() == 1);
    CHECK_THAT(warnings.front(), Catch::Contains("65 tokens"));
}

TEST_CASE("run: a run stopped before anything is done keeps nothing and says so",
          "[core][engine]") {
    const tests::TemporaryFolder folder;
    auto request = requestFor("mixtral", folder / "run.h5");
    Recorder recorder;
    recorder.stopAtOnce = true;
    checkThrows([&] { runWith(request, recorder); }, ErrorCode::Cancelled, {"nothing is kept"});
    CHECK(recorder.count(RunEvent::Kind::Cancelled) == 1);
    CHECK_FALSE(std::filesystem::exists(folder / "run.h5.partial"));

    request.interrupted = engine::Interrupted::Resume;
    Recorder resumed;
    runWith(request, resumed);
    CHECK(resumed.warns("nothing to resume"));
    Recorder again;
    runWith(request, again);  // what is complete is no reason to warn
    CHECK(again.count(RunEvent::Kind::Warning) == 0);
}

TEST_CASE("run: a session is renamed by a later run that gives a title", "[core][engine]") {
    const tests::TemporaryFolder folder;
    auto request = requestFor("mixtral", folder / "run.h5");
    request.experiments = {{"parameters", "{}"}};
    Recorder recorder;
    const auto titleAfter = [&](const std::string& title) {
        request.title = title;
        runWith(request, recorder);
        return session::Session::open(folder / "run.h5")->head().title;
    };
    CHECK(titleAfter("") == "mixtral");
    CHECK(titleAfter("First look") == "First look");
    CHECK(titleAfter("") == "First look");
    CHECK(titleAfter("Second look") == "Second look");
}

TEST_CASE("estimate: says that a text passes the model for static experiments too",
          "[core][engine]") {
    const tests::TemporaryFolder folder;
    auto request = requestFor("mixtral", folder / "run.h5");
    const auto noted = [&] {
        const auto notes = engine::estimate(request, experiments::makeProbes).notes;
        return std::any_of(notes.begin(), notes.end(), [](const std::string& note) {
            return note.find("need no text") != std::string::npos;
        });
    };
    CHECK_FALSE(noted());
    request.experiments = {{"weight_similarity", "{}"}};
    CHECK(noted());
    request.corpus = {};
    CHECK_FALSE(noted());
}

TEST_CASE("run: the smallest budget gives the same results", "[core][engine]") {
    const tests::TemporaryFolder folder;
    auto request = requestFor("deepseek", folder / "free.h5");
    Recorder recorder;
    runWith(request, recorder);
    CHECK(engine::estimate(request, experiments::makeProbes).layers == 0);

    request.session = folder / "tight.h5";
    const auto costs = engine::estimate(request, experiments::makeProbes);
    CHECK(costs.layers > 0);
    CHECK(costs.minimumBytes < costs.memoryBytes);
    CHECK(costs.memoryBytes <= costs.budgetBytes);
    // The program itself may have grown since the estimate.
    request.memoryBytes = costs.minimumBytes + (std::uint64_t{16} << 20U);
    CHECK(runWith(request, recorder).peakMemoryBytes <= *request.memoryBytes);
    tests::checkSameResults(folder / "free.h5", folder / "tight.h5", 1e-5);

    request.session = folder / "impossible.h5";
    request.memoryBytes = std::uint64_t{1} << 20U;
    checkThrows([&] { runWith(request, recorder); }, ErrorCode::MemoryBudget,
                {"at least", "--memory"});
}

TEST_CASE("run: weights past the page cache give the same results", "[core][engine]") {
    const tests::TemporaryFolder folder;
    const std::string fixture = GENERATE("mixtral", "deepseek");
    // Short of one block of tokens, and two blocks that each pass all experts.
    const bool isLong = GENERATE(false, true);
    INFO(fixture << (isLong ? ", long" : ""));
    auto request = requestFor(fixture, folder / "mapped.h5");
    if (fixture == "mixtral") {
        request.baselines = {tests::referenceDir() / "models/mistral-baseline"};
    }
    if (isLong) {
        request.corpus = tests::monotone(3000);
    }
    request.experiments = {{"output_similarity"}, {"norms_scores"}, {"rank_counts"}};
    request.dtype = "bfloat16";  // as they are stored: only such weights need no decoding
    request.weights = engine::WeightReads::Mapped;
    Recorder recorder;
    const auto mapped = runWith(request, recorder);

    request.weights = engine::WeightReads::Direct;
    request.session = folder / "direct.h5";
    const auto notes = engine::estimate(request, experiments::makeProbes).notes;
    CHECK(std::any_of(notes.begin(), notes.end(), [](const std::string& note) {
        return note.find("past the page cache") != std::string::npos;
    }));
    CHECK(runWith(request, recorder).bytesRead == mapped.bytesRead);
    tests::checkSameResults(folder / "mapped.h5", folder / "direct.h5", 0.0);

    // Experiments on weights read the mapping, and nothing twice.
    request.session = folder / "weights.h5";
    request.experiments.push_back({"weight_similarity"});
    CHECK(runWith(request, recorder).bytesRead == mapped.bytesRead);
}

TEST_CASE("run: a run that reads past the page cache stops and goes on", "[core][engine]") {
    const tests::TemporaryFolder folder;
    auto request = requestFor("mixtral", folder / "run.h5");
    request.scratch = engine::ScratchUse::Always;  // goes on exactly where it was
    request.dtype = "bfloat16";
    request.weights = engine::WeightReads::Direct;
    Recorder stopped;
    stopped.stopAtOnce = GENERATE(true, false);
    stopped.stopAtLayer = 0;
    try {
        runWith(request, stopped);
    } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::Cancelled);
    }
    request.interrupted = engine::Interrupted::Resume;
    Recorder resumed;
    runWith(request, resumed);
    auto whole = request;
    whole.session = folder / "whole.h5";
    whole.weights = engine::WeightReads::Mapped;
    whole.interrupted = engine::Interrupted::Refuse;
    Recorder recorder;
    runWith(whole, recorder);
    tests::checkSameResults(folder / "run.h5", folder / "whole.h5", 0.0);
}

TEST_CASE("run: NaN weights are reported and kept as NaN", "[core][engine]") {
    const tests::TemporaryFolder folder;
    const std::string name = poisonedCopy("mixtral", folder / "model");
    auto request = requestFor("mixtral", folder / "run.h5");
    request.checkpoint = folder / "model";
    if (GENERATE(false, true)) {
        request.dtype = "bfloat16";
        request.weights = engine::WeightReads::Direct;
    }
    Recorder recorder;
    const auto report = runWith(request, recorder);
    REQUIRE_FALSE(report.warnings.empty());
    CHECK_THAT(report.warnings.front(), Catch::Contains(name));
    CHECK(recorder.count(RunEvent::Kind::Warning) == report.warnings.size());
    const auto session = session::Session::open(folder / "run.h5");
    const auto norms = readLayer(*session, "norms_scores", "norm", 1).toDoubles();
    const auto experts = static_cast<std::size_t>(session->head().model.layers[1].experts);
    CHECK(std::isnan(norms[2]));
    CHECK(std::isfinite(norms[experts]) == std::isfinite(norms[0]));
    CHECK_FALSE(session->warnings().empty());
}

TEST_CASE("run: what does not fit is refused before the first layer", "[core][engine]") {
    const tests::TemporaryFolder folder;
    Recorder recorder;
    auto request = requestFor("mixtral", folder / "run.h5");
    SECTION("a baseline of another size") {
        request.baselines = {tests::referenceDir() / "models/mistral-window"};
        checkThrows([&] { runWith(request, recorder); }, ErrorCode::BaselineMismatch,
                    {"mistral-window"});
    }
    SECTION("a baseline too wide to be relative to") {
        request = requestFor("dots1", folder / "run.h5");
        request.baselines = {tests::referenceDir() / "models/mistral-baseline"};
        request.experiments = {{"weight_similarity", R"({"relative_to":"baseline"})"}};
        checkThrows([&] { runWith(request, recorder); }, ErrorCode::BaselineMismatch,
                    {"7 neurons", "--relative-to mean"});
        CHECK(recorder.count(RunEvent::Kind::Started) == 0);
        checkThrows([&] { static_cast<void>(engine::estimate(request, experiments::makeProbes)); },
                    ErrorCode::BaselineMismatch, {"--baseline"});
    }
    SECTION("a baseline with experts") {
        request.baselines = {tests::referenceDir() / "models/mixtral"};
        checkThrows([&] { runWith(request, recorder); }, ErrorCode::BaselineMismatch,
                    {"layer 0 is not dense"});
    }
    SECTION("a dense model") {
        request.checkpoint = tests::referenceDir() / "models/llama";
        checkThrows([&] { runWith(request, recorder); }, ErrorCode::Unsupported, {"llama"});
    }
    SECTION("an unknown experiment") {
        request.experiments = {{"tea_leaves", "{}"}};
        checkThrows([&] { runWith(request, recorder); }, ErrorCode::Usage, {"tea_leaves"});
    }
    SECTION("a device that is not there") {
        request.device = "cuda:63";
        checkThrows([&] { runWith(request, recorder); }, ErrorCode::Device, {"cuda:63"});
    }
    SECTION("token ids beyond the vocabulary") {
        request.corpus = tests::madeUpCorpus(20, 7, 1U << 20U);
        checkThrows([&] { runWith(request, recorder); }, ErrorCode::BadText, {"vocabulary"});
    }
    SECTION("more experts than there are") {
        request.topK = 1000;
        checkThrows([&] { runWith(request, recorder); }, ErrorCode::Usage, {"1000"});
    }
    CHECK(recorder.count(RunEvent::Kind::Failed) == 1);
    CHECK_FALSE(std::filesystem::exists(folder / "run.h5"));
}

TEST_CASE("run: another number of chosen experts", "[core][engine]") {
    const tests::TemporaryFolder folder;
    auto request = requestFor("mixtral", folder / "run.h5");
    request.experiments = {};
    request.topK = 1;
    Recorder recorder;
    runWith(request, recorder);
    const auto session = session::Session::open(folder / "run.h5");
    CHECK(readLayer(*session, "chosen_experts", "ids", 0).shape()[1] == 1);
    CHECK(session->head().model.layers[0].topK == 1);
}

TEST_CASE("run: the compute type is what was asked for", "[core][engine]") {
    const tests::TemporaryFolder folder;
    auto request = requestFor("mixtral", folder / "run.h5");
    Recorder recorder;
    SECTION("auto keeps all digits of a tiny model") {
        request.dtype = "auto";
        runWith(request, recorder);
        CHECK(session::Session::open(request.session)->head().run.dtype == "float32");
    }
    SECTION("bfloat16") {
        request.dtype = "bfloat16";
        runWith(request, recorder);
        const auto session = session::Session::open(request.session);
        CHECK(session->head().run.dtype == "bfloat16");
        const auto ours = readLayer(*session, "norms_scores", "norm", 0).toDoubles();
        const auto expected = tests::ReferenceModel("mixtral")
                                  .expected.array("layers.0.expert_output_norms")
                                  .toDoubles();
        REQUIRE(ours.size() == expected.size());
        for (std::size_t i = 0; i < ours.size(); ++i) {
            CHECK(ours[i] == Approx(expected[i]).epsilon(0.05));
        }
    }
    SECTION("an unknown one") {
        request.dtype = "int3";
        checkThrows([&] { runWith(request, recorder); }, ErrorCode::Usage, {"int3"});
    }
}
