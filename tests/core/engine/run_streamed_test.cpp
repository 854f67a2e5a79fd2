// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
// Whole runs whose weights go to a device, for which the CPU stands where there is none: whatever
// fits there at a time, and however many there are, the results are those of the plain run.
#include "core/base/error.h"
#include "tests/core/engine/run_support.h"
#include "tests/core/engine/session_compare.h"
#include "tests/support/catch.h"
#include "tests/support/limited_memory.h"
#include "tests/support/temporary_folder.h"

#include <limits>
#include <set>
#include <string>
#include <utility>

using namespace moescope;
using namespace moescope::tests;

namespace {

engine::RunRequest demoRequest(const std::string& model, const std::filesystem::path& session,
                               std::uint64_t tokens) {
    engine::RunRequest request;
    request.checkpoint = tests::sourceDir() / "resources/demo" / model;
    request.session = session;
    request.corpus = monotone(tokens);
    for (std::size_t i = 0; i < request.corpus.ids.size(); ++i) {
        request.corpus.ids[i] = static_cast<text::TokenId>((37 * i + i / 11) % 4000);
    }
    request.dtype = "float32";
    request.device = "cpu";
    request.experiments = {{"norms_scores", "{}"},      {"rank_counts", "{}"},
                           {"output_similarity", "{}"}, {"intermediate_states", "{}"},
                           {"importance", "{}"},        {"router_margin", "{}"}};
    return request;
}

/// Cuts a text of one document into several.
void cut(text::TokenizedCorpus& corpus, const std::vector<std::uint64_t>& lengths) {
    const std::uint64_t tokens = corpus.ids.size();
    corpus.offsets = {0};
    for (std::size_t d = 0; corpus.offsets.back() < tokens; ++d) {
        corpus.offsets.push_back(
            std::min(tokens, corpus.offsets.back() + lengths[d % lengths.size()]));
    }
    corpus.sources.resize(corpus.documentCount());
    corpus.domainOf.assign(corpus.documentCount(), -1);
}

/// Whether there is a CUDA device to run on.
bool hasCuda(engine::RunRequest request) {
    try {
        request.device = "cuda:0";
        static_cast<void>(engine::estimate(request, experiments::makeProbes));
    } catch (const Error& error) {
        REQUIRE(error.code() == ErrorCode::Device);
        WARN("no CUDA device here: not compared");
        return false;
    }
    return true;
}

int groupsOf(const engine::Estimate& estimate) {
    for (const std::string& note : estimate.notes) {
        if (const auto at = note.find(" experts at a time"); at != std::string::npos) {
            return std::stoi(note.substr(note.find(": ") + 2));
        }
    }
    return 0;
}

}  // namespace

TEST_CASE("run: streamed to the CPU, every fixture as when mapped", "[core][engine]") {
    const tests::TemporaryFolder folder;
    Recorder recorder;
    for (const char* fixture : {"mixtral", "deepseek_v3", "qwen3_next", "gpt_oss", "llama4",
                                "gemma4", "granitemoe", "minimax_m2-fp8", "mixtral-early"}) {
        CAPTURE(fixture);
        auto request = requestFor(fixture, folder / (std::string(fixture) + ".h5"));
        static_cast<void>(runWith(request, recorder));
        const auto plain = request.session;
        request.session = folder / (std::string(fixture) + "-streamed.h5");
        request.weights = engine::WeightReads::Streamed;
        static_cast<void>(runWith(request, recorder));
        checkSameResults(plain, request.session, 0.0);
    }
}

TEST_CASE("run: in bfloat16, with a baseline, streamed as when mapped", "[core][engine]") {
    const tests::TemporaryFolder folder;
    Recorder recorder;
    auto request = requestFor("mixtral", folder / "plain.h5");
    request.baselines = {tests::referenceDir() / "models" / "mistral-baseline"};
    for (const char* dtype : {"float32", "bfloat16"}) {
        CAPTURE(dtype);
        request.dtype = dtype;
        request.weights = engine::WeightReads::Auto;
        request.session = folder / (std::string("plain-") + dtype + ".h5");
        static_cast<void>(runWith(request, recorder));
        const auto plain = request.session;
        request.weights = engine::WeightReads::Streamed;
        request.session = folder / (std::string("streamed-") + dtype + ".h5");
        static_cast<void>(runWith(request, recorder));
        checkSameResults(plain, request.session, 0.0);
    }
}

TEST_CASE("run: every size of a group of experts gives the same results", "[core][engine]") {
    const tests::TemporaryFolder folder;
    Recorder recorder;
    auto request = demoRequest("tiny-deepseekmoe", folder / "plain.h5", 40);
    static_cast<void>(runWith(request, recorder));
    request.weights = engine::WeightReads::Streamed;
    std::set<int> sizes;
    std::uint64_t least = 0;
    for (std::uint64_t budget = std::uint64_t{4} << 20U; budget > 1024; budget = budget * 11 / 12) {
        request.deviceMemoryBytes = budget;
        request.session = folder / ("of-" + std::to_string(budget) + ".h5");
        engine::Estimate estimate;
        try {
            estimate = engine::estimate(request, experiments::makeProbes);
        } catch (const Error& error) {
            REQUIRE(error.code() == ErrorCode::MemoryBudget);
            CHECK(std::string(error.what()).find("--device-memory") != std::string::npos);
            break;
        }
        least = budget;
        CHECK(estimate.deviceBytes <= budget);
        if (!sizes.insert(groupsOf(estimate)).second) {
            continue;
        }
        CAPTURE(budget, groupsOf(estimate));
        static_cast<void>(runWith(request, recorder));
        // The smallest budgets have fewer tokens pass at a time, which rounds otherwise.
        checkSameResults(folder / "plain.h5", request.session, 1e-5);
    }
    CHECK(least > 0);
    CHECK(sizes.size() > 6);
}

TEST_CASE("run: several devices share the documents", "[core][engine]") {
    const tests::TemporaryFolder folder;
    Recorder recorder;
    auto request = demoRequest("tiny-mixtral", folder / "plain.h5", 900);
    request.baselines = {tests::sourceDir() / "resources/demo/tiny-mistral"};
    request.scratch = engine::ScratchUse::Never;
    request.experiments.push_back({"fewer_experts", "{}"});
    cut(request.corpus, {70, 3, 128, 1, 260});
    static_cast<void>(runWith(request, recorder));
    for (const auto& [device, weights] : {std::pair{"cpu,cpu", engine::WeightReads::Streamed},
                                          {"cpu,cpu,cpu", engine::WeightReads::Mapped}}) {
        CAPTURE(device, static_cast<int>(weights));
        request.weights = weights;
        request.device = device;
        request.session = folder / (std::string(device) + ".h5");
        static_cast<void>(runWith(request, recorder));
        const auto session = session::Session::open(request.session);
        CHECK(session->head().run.device == device);
        // Blocks end where a device's documents do, which rounds otherwise.
        checkSameResults(folder / "plain.h5", request.session, 1e-5);
    }
}

TEST_CASE("run: which of several devices is first changes nothing", "[core][engine]") {
    const tests::TemporaryFolder folder;
    Recorder recorder;
    auto request = demoRequest("tiny-deepseekmoe", folder / "plain.h5", 400);
    cut(request.corpus, {70, 3, 60, 1, 30});
    request.device = "cpu,cpu,cpu";
    request.weights = engine::WeightReads::Streamed;
    request.deviceMemoryBytes = std::uint64_t{1400} << 10U;  // experts in groups
    CHECK(groupsOf(engine::estimate(request, experiments::makeProbes)) > 0);
    static_cast<void>(runWith(request, recorder));
    for (const std::uint64_t seed : {1U, 2U, 3U}) {
        CAPTURE(seed);
        LimitedMemory memory(std::numeric_limits<std::uint64_t>::max());
        memory.stagger(seed);
        request.session = folder / (std::to_string(seed) + ".h5");
        static_cast<void>(runWith(request, recorder));
        checkSameResults(folder / "plain.h5", request.session, 0.0);
    }
}

TEST_CASE("estimate: what several devices share, and what one has alone", "[core][engine]") {
    const tests::TemporaryFolder folder;
    auto request = demoRequest("tiny-mixtral", folder / "run.h5", 6000);
    request.weights = engine::WeightReads::Streamed;
    request.scratch = engine::ScratchUse::Always;
    request.experiments.push_back({"fewer_experts", "{}"});
    const auto costOf = [&](const char* device) {
        request.device = device;
        return engine::estimate(request, experiments::makeProbes);
    };
    const auto branchBytes = [](const engine::Estimate& estimate) {
        const auto found =
            std::find_if(estimate.experiments.begin(), estimate.experiments.end(),
                         [](const auto& cost) { return cost.id == "fewer_experts"; });
        REQUIRE(found != estimate.experiments.end());
        return found->memoryBytes;
    };
    // A single document lies on one device, however many there are.
    const std::uint64_t alone = branchBytes(costOf("cpu"));
    CHECK(branchBytes(costOf("cpu,cpu")) == alone);
    cut(request.corpus, {70, 3, 128, 1, 260});
    const engine::Estimate shared = costOf("cpu,cpu");
    CHECK(branchBytes(shared) < alone);
    // Kept streams are of the whole text, whoever has it.
    CHECK(shared.diskBytes == costOf("cpu").diskBytes);
}

TEST_CASE("estimate: experts in groups come again for each pass of a branch", "[core][engine]") {
    const tests::TemporaryFolder folder;
    auto request = demoRequest("tiny-mixtral", folder / "run.h5", 40);
    request.weights = engine::WeightReads::Streamed;
    request.experiments = {{"fewer_experts", "{}"}};
    const engine::Estimate whole = engine::estimate(request, experiments::makeProbes);
    engine::Estimate grouped = whole;
    for (std::uint64_t share = 95; groupsOf(grouped) == 0; share -= 5) {
        REQUIRE(share > 5);
        request.deviceMemoryBytes = whole.deviceBytes * share / 100;
        grouped = engine::estimate(request, experiments::makeProbes);
    }
    CHECK(grouped.readBytes > 3 * whole.readBytes);
    Recorder recorder;
    CHECK(runWith(request, recorder).bytesRead <= grouped.readBytes);
}

TEST_CASE("run: stopped on one device, resumed on two", "[core][engine]") {
    const tests::TemporaryFolder folder;
    auto request = demoRequest("tiny-deepseekmoe", folder / "plain.h5", 600);
    cut(request.corpus, {70, 3, 128, 1, 260});
    Recorder recorder;
    static_cast<void>(runWith(request, recorder));
    request.session = folder / "resumed.h5";
    request.keepEvery = std::chrono::seconds(0);
    request.weights = engine::WeightReads::Streamed;
    Recorder stopped;
    stopped.stopAtLayer = 3;
    CHECK_THROWS_AS(runWith(request, stopped), Error);
    request.device = "cpu,cpu";
    request.interrupted = engine::Interrupted::Resume;
    Recorder resumed;
    const auto report = runWith(request, resumed);
    CHECK(report.partsKept > 0);
    checkSameResults(folder / "plain.h5", request.session, 1e-5);
}

namespace {

/// Runs with less and less memory until it is refused, and compares with the run that has all.
struct Shrinking {
    int relieved = 0, refused = 0;
};
Shrinking shrink(engine::RunRequest request, const std::filesystem::path& folder, int step) {
    Recorder recorder;
    request.threads = 1;
    request.interrupted = engine::Interrupted::Discard;
    request.session = folder / "plain.h5";
    static_cast<void>(runWith(request, recorder));
    request.weights = engine::WeightReads::Streamed;
    request.session = folder / "shrinking.h5";
    std::uint64_t most = 0;
    {
        const LimitedMemory memory(std::numeric_limits<std::uint64_t>::max());
        static_cast<void>(runWith(request, recorder));
        most = memory.most();
    }
    Shrinking result;
    for (int share = 100; share >= 5 && result.refused < 2; share -= step) {
        CAPTURE(share, most);
        std::filesystem::remove(request.session);
        const LimitedMemory memory(most * static_cast<std::uint64_t>(share) / 100);
        try {
            static_cast<void>(runWith(request, recorder));
        } catch (const Error& error) {
            CHECK(name(error.code()) == name(ErrorCode::Device));
            CHECK_THAT(error.what(), Catch::Contains("--device-memory"));
            ++result.refused;
            continue;
        }
        result.relieved += memory.refusals() > 0 ? 1 : 0;
        checkSameResults(folder / "plain.h5", request.session, 0.0);
    }
    std::filesystem::remove(folder / "plain.h5");
    return result;
}

}  // namespace

TEST_CASE("run: memory that runs out halves the groups and changes nothing", "[core][engine]") {
    const tests::TemporaryFolder folder;
    for (const char* model : {"tiny-deepseekmoe", "tiny-mixtral"}) {
        const Shrinking result = shrink(demoRequest(model, {}, 40), folder.path(), 6);
        CAPTURE(model, result.relieved, result.refused);
        CHECK(result.relieved >= 3);
        CHECK(result.refused > 0);
    }
}

TEST_CASE("run: memory that runs out in units of work changes nothing", "[core][engine]") {
    const tests::TemporaryFolder folder;
    auto request = demoRequest("tiny-mixtral", {}, 24);
    request.experiments = {{"norms_scores", "{}"}, {"matched_similarity", "{}"}};
    const Shrinking result = shrink(request, folder.path(), 8);
    CAPTURE(result.relieved, result.refused);
    CHECK(result.relieved >= 2);
}

TEST_CASE("run: memory that runs out in a baseline or a branch changes nothing", "[core][engine]") {
    const tests::TemporaryFolder folder;
    auto request = demoRequest("tiny-mixtral", {}, 24);
    request.experiments = {{"output_similarity", "{}"}, {"fewer_experts", "{}"}};
    request.baselines = {tests::sourceDir() / "resources/demo/tiny-mistral"};
    const Shrinking result = shrink(request, folder.path(), 4);
    CAPTURE(result.relieved, result.refused);
    CHECK(result.relieved >= 2);
    CHECK(result.refused > 0);
}

TEST_CASE("run: the same on a CUDA device, in groups, and on two", "[core][engine][cuda]") {
    const tests::TemporaryFolder folder;
    Recorder recorder;
    auto request = demoRequest("tiny-mixtral", folder / "plain.h5", 900);
    request.baselines = {tests::sourceDir() / "resources/demo/tiny-mistral"};
    request.experiments = everything();
    cut(request.corpus, {70, 3, 128, 1, 260});
    if (!hasCuda(request)) {
        return;
    }
    static_cast<void>(runWith(request, recorder));
    for (const char* device : {"cuda:0", "cuda"}) {
        for (const std::uint64_t mebibytes : {0U, 320U}) {
            CAPTURE(device, mebibytes);
            request.device = device;
            request.deviceMemoryBytes.reset();
            if (mebibytes > 0) {
                request.deviceMemoryBytes = mebibytes << 20U;
            }
            request.session = folder / (std::string(device).substr(0, 4) +
                                        std::to_string(std::string(device).size()) + "-" +
                                        std::to_string(mebibytes) + ".h5");
            static_cast<void>(runWith(request, recorder));
            checkAlikeResults(folder / "plain.h5", request.session, 1e-3, 0.01);
        }
    }
}

TEST_CASE("run: every family on a CUDA device as on the CPU", "[core][engine][cuda]") {
    const tests::TemporaryFolder folder;
    Recorder recorder;
    if (!hasCuda(requestFor("mixtral", folder / "none.h5"))) {
        return;
    }
    for (const char* fixture :
         {"bailing_moe",      "bailing_moe_v2", "dbrx",           "deepseek",
          "deepseek_v2",      "deepseek_v3",    "dots1",          "ernie4_5_moe",
          "gemma4",           "glm4_moe",       "gpt_oss",        "granitemoe",
          "granitemoeshared", "grok1",          "hunyuan_v1_moe", "kimi_k2",
          "llama4",           "minimax_m2",     "minimax_m2-fp8", "mixtral",
          "mixtral-early",    "olmoe",          "phimoe",         "qwen2_moe",
          "qwen3_5_moe",      "qwen3_moe",      "qwen3_next"}) {
        CAPTURE(fixture);
        auto request = requestFor(fixture, folder / (std::string(fixture) + ".h5"));
        request.experiments = {{"norms_scores", "{}"},      {"chosen_experts", "{}"},
                               {"output_similarity", "{}"}, {"intermediate_states", "{}"},
                               {"router_margin", "{}"},     {"importance", "{}"},
                               {"weight_similarity", "{}"}, {"router_similarity", "{}"}};
        static_cast<void>(runWith(request, recorder));
        const auto plain = request.session;
        request.device = "cuda:0";
        request.session = folder / (std::string(fixture) + "-cuda.h5");
        static_cast<void>(runWith(request, recorder));
        checkAlikeResults(plain, request.session, 1e-3, 0.01);
    }
}
