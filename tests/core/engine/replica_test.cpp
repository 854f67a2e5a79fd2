// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
// A model and its baselines on devices, for which the CPU stands: what they give up for each other
// when memory runs out, and what they count together.
#include "core/engine/replica.h"

#include "core/base/error.h"
#include "core/engine/expert_steps.h"
#include "core/engine/layer_pass.h"
#include "core/engine/moe_block.h"
#include "core/engine/residual_keeper.h"
#include "core/engine/residual_streams.h"
#include "tests/core/engine/run_support.h"
#include "tests/support/catch.h"
#include "tests/support/limited_memory.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/torch.h"

#include <atomic>
#include <future>
#include <limits>
#include <thread>
#include <vector>

using namespace moescope;
using namespace moescope::tests;
using engine::Replica;

namespace {

constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();
const engine::ComputePlace kPlace{at::kCPU, at::kFloat};

engine::MemoryPlan streamedPlan(int expertsAtOnce) {
    engine::MemoryPlan plan;
    plan.expertsAtOnce = expertsAtOnce;
    plan.stagingBytes = std::uint64_t{1} << 16U;
    return plan;
}

std::filesystem::path demo(const char* model) {
    return tests::sourceDir() / "resources/demo" / model;
}

/// Has all experts of the current layer lie there.
void askForExperts(engine::ModelRun& run) {
    const std::function<void()> poll = [] {};
    const engine::ExpertSource source = run.experts(poll);
    for (int e = 0; e < run.layerSpec().moe->experts; ++e) {
        static_cast<void>(source.get(e));
    }
}

}  // namespace

TEST_CASE("Replica: a baseline finds its memory among the model's experts", "[core][engine]") {
    const engine::OpenedModel model(demo("tiny-mixtral"));
    const engine::OpenedModel baseline(demo("tiny-mistral"));
    const engine::MemoryPlan plan = streamedPlan(100);
    LimitedMemory memory(kUnlimited);
    Replica replica({&model, &baseline}, kPlace, plan);
    replica.model().beginLayer(0, {});
    askForExperts(replica.model());
    memory.allow(memory.taken());
    engine::ModelRun& dense = *replica.runs()[1];
    dense.beginLayer(0, {});
    CHECK(memory.refusals() > 0);
    CHECK(dense.weights().dense.gate.weight.defined());
    // The model's experts come again, fewer at a time.
    memory.allow(kUnlimited);
    askForExperts(replica.model());
}

TEST_CASE("Replica: layers that ended make room before anything is given up", "[core][engine]") {
    const engine::OpenedModel model(demo("tiny-mixtral"));
    const engine::MemoryPlan plan = streamedPlan(100);
    LimitedMemory memory(kUnlimited);
    Replica replica({&model}, kPlace, plan);
    replica.model().beginLayer(0, {});
    askForExperts(replica.model());
    std::promise<void> busy;
    static_cast<void>(replica.lane().submit([held = busy.get_future().share()] { held.wait(); }));
    replica.model().endLayer(0);
    const std::uint64_t held = memory.taken();
    memory.allow(held);
    std::thread later([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        busy.set_value();
    });
    const at::Tensor wanted = engine::withRelief(replica.relief(), [&] {
        return at::empty({static_cast<std::int64_t>(held / 2)}, at::kByte);
    });
    later.join();
    CHECK(wanted.defined());
    CHECK(memory.refusals() == 1);
}

TEST_CASE("Replica: groups that were computed with go before there are fewer", "[core][engine]") {
    const engine::OpenedModel model(demo("tiny-mixtral"));
    const engine::MemoryPlan plan = streamedPlan(4);
    Replica replica({&model}, kPlace, plan);
    replica.model().beginLayer(0, {});
    askForExperts(replica.model());  // two at a time, the first ones again at the end
    const engine::Relief relief = replica.relief();
    // What is retired; four, two experts.
    for (const bool left : {true, true, true, false}) {
        CHECK(relief() == left);
    }
}

TEST_CASE("Replica: all that can be given up is, and then it is said", "[core][engine]") {
    const engine::OpenedModel model(demo("tiny-mixtral"));
    const engine::MemoryPlan plan = streamedPlan(8);
    Replica replica({&model}, kPlace, plan);
    engine::ModelRun& run = replica.model();
    REQUIRE(model.spec.layers[0].moe->experts == 8);
    run.beginLayer(0, {});
    askForExperts(run);
    run.readAhead(1, engine::LayerParts{}, replica.lane());
    const engine::Relief relief = replica.relief();
    // Experts of the next layer; eight, four, two experts; the next layer.
    for (const bool left : {true, true, true, true, true, false, false}) {
        CHECK(relief() == left);
    }
    CHECK_FALSE(run.isReading(1));
    run.endLayer(0);
    run.beginLayer(1, {});
    askForExperts(run);
    CHECK(run.weights().attention.q.weight.defined());
}

TEST_CASE("Replica: what several devices read counts once and warns once", "[core][engine]") {
    const tests::TemporaryFolder folder;
    const std::string name = poisonedCopy("mixtral", folder / "model");
    const engine::OpenedModel model(folder / "model");
    const engine::MemoryPlan plan = streamedPlan(2);
    Replica first({&model}, kPlace, plan);
    Replica second({&model}, kPlace, plan, &first);
    const model::FeedForwardNames& expert = model.spec.layers[1].names.experts[2];
    REQUIRE(expert.up.name == name);
    // Which only the second device's tokens chose.
    static_cast<void>(second.model().reader().load(expert.up));
    const std::uint64_t bytes = first.model().reader().bytesRead();
    CHECK(bytes == second.model().reader().storedBytes(expert.up));
    REQUIRE(first.model().warnings(1).size() == 1);
    CHECK_THAT(first.model().warnings(1).front(), Catch::Contains(name));
    static_cast<void>(first.model().reader().load(expert.up));
    CHECK(first.model().reader().bytesRead() == bytes);
}

TEST_CASE("Replica: what memory ran out for is looked through when it comes", "[core][engine]") {
    const tests::TemporaryFolder folder;
    const std::string name = poisonedCopy("mixtral", folder / "model");
    const engine::OpenedModel model(folder / "model");
    const engine::MemoryPlan plan = streamedPlan(2);
    LimitedMemory memory(kUnlimited);
    Replica replica({&model}, kPlace, plan);
    engine::WeightReader& reader = replica.model().reader();
    const model::FeedForwardNames& expert = model.spec.layers[1].names.experts[2];
    memory.allow(memory.taken());
    CHECK_THROWS_AS(reader.load(expert.up), c10::Error);
    memory.allow(kUnlimited);
    static_cast<void>(reader.load(expert.up));
    REQUIRE(replica.model().warnings(1).size() == 1);
    CHECK_THAT(replica.model().warnings(1).front(), Catch::Contains(name));
}

TEST_CASE("Replica: nothing is given up when streaming has stopped", "[core][engine]") {
    const engine::OpenedModel model(demo("tiny-mixtral"));
    const engine::MemoryPlan plan = streamedPlan(8);
    Replica replica({&model}, kPlace, plan);
    replica.model().beginLayer(0, {});
    askForExperts(replica.model());
    const engine::Relief relief = replica.relief();
    replica.stopStreaming();
    CHECK_FALSE(relief());
    CHECK_FALSE(replica.relief());
}

TEST_CASE("expertSteps: how often the mixture asks for experts", "[core][engine]") {
    const engine::OpenedModel model(demo("tiny-mixtral"));
    const model::MoeSpec& moe = *model.spec.layers[0].moe;
    REQUIRE((moe.experts == 8 && moe.topK == 2));
    for (const int expertsAtOnce : {100, 8, 7, 4, 1, 0}) {
        for (const std::int64_t tokens : {1, 160}) {
            for (const bool all : {false, true}) {
                CAPTURE(expertsAtOnce, tokens, all);
                const engine::MemoryPlan plan =
                    expertsAtOnce > 0 ? streamedPlan(expertsAtOnce) : engine::MemoryPlan();
                Replica replica({&model}, kPlace, plan);
                replica.model().beginLayer(0, {});
                int polls = 0;
                const std::function<void()> poll = [&] { ++polls; };
                const engine::ExpertSource source = replica.model().experts(poll);
                const at::Tensor x = at::randn({tokens, model.spec.hiddenSize});
                auto columns =
                    engine::ColumnOutputs::make(moe.experts, tokens, x.size(1), true, x.options());
                static_cast<void>(engine::MoeBlock(moe, replica.model().weights(), source, nullptr)
                                      .forward(x, x, all ? &columns : nullptr, -1));
                const engine::DynamicNeeds needs{.outputs = all};
                const auto expected = static_cast<int>(
                    engine::expertSteps(moe, needs, static_cast<std::uint64_t>(tokens), plan)
                        .polls);
                // Two chosen experts may lie in one group.
                CHECK(polls <= expected);
                CHECK(polls >= (tokens == 1 && !all ? 1 : expected));
            }
        }
    }
}

TEST_CASE("LayerPass: several devices are asked to stop as often as one", "[core][engine]") {
    const engine::OpenedModel model(demo("tiny-deepseekmoe"));
    REQUIRE_FALSE(model.spec.layers[0].isRouted());
    const engine::MemoryPlan plan = streamedPlan(100);
    Replica first({&model}, kPlace, plan);
    Replica second({&model}, kPlace, plan, &first);
    constexpr std::uint64_t kLength = 160;
    constexpr std::uint64_t kQueryRows = 16;
    const std::vector<std::uint64_t> offsets{0, kLength, 2 * kLength};
    const auto stretches = engine::splitText(offsets, 2, kLength);
    std::vector<engine::DeviceModels> devices;
    for (Replica* replica : {&first, &second}) {
        replica->model().beginLayer(0, {});
        const at::Tensor hidden =
            at::zeros({static_cast<std::int64_t>(kLength), model.spec.hiddenSize});
        devices.push_back({{&replica->model(), hidden}, {}});
    }
    std::atomic<int> inside{0};
    std::atomic<bool> overlap{false};
    int polls = 0;
    int stopAt = std::numeric_limits<int>::max();
    engine::LayerPass pass({.devices = devices,
                            .stretches = stretches,
                            .offsets = offsets,
                            .limits = {.blockTokens = 4096, .attention = {kQueryRows, 1U << 20U}},
                            .poll = [&] {
                                overlap = overlap || ++inside != 1;
                                const bool stops = ++polls == stopAt;
                                --inside;
                                if (stops) {
                                    throw Error(ErrorCode::Cancelled, "The run was stopped.");
                                }
                            }});
    pass.run(nullptr, {}, nullptr, {});
    CHECK(polls >= static_cast<int>(2 * kLength / kQueryRows));
    CHECK_FALSE(overlap);  // they come one at a time
    polls = 0;
    stopAt = 5;
    CHECK_THROWS_AS(pass.run(nullptr, {}, nullptr, {}), Error);
    CHECK(polls < static_cast<int>(2 * kLength / kQueryRows));
}

TEST_CASE("ResidualStreams: kept in the text's order, without a copy of the whole",
          "[core][engine]") {
    const tests::TemporaryFolder folder;
    const engine::ResidualCheckpoint kept(folder.path(), "model");
    const std::vector<std::uint64_t> offsets{0, 70, 73, 200, 201, 450};
    const auto setupFor = [&](std::size_t devices) {
        return engine::ResidualStreams::Setup{{64, 32},
                                              std::vector<at::Device>(devices, at::kCPU),
                                              engine::splitText(offsets, devices, 50),
                                              at::kFloat};
    };
    engine::ResidualStreams one(setupFor(1), {});
    for (const std::size_t model : {0U, 1U}) {
        one.at(model, 0).copy_(at::arange(one.at(model, 0).numel()).view_as(one.at(model, 0)));
    }
    one.save(kept, 3);
    engine::ResidualStreams three(setupFor(3), {});
    {
        const LimitedMemory memory(kUnlimited);
        REQUIRE(three.load(kept, 3));
        three.save(kept, 4);
        CHECK(memory.most() == 0);
    }
    CHECK(three.at(0, 2).numel() > 0);
    engine::ResidualStreams again(setupFor(1), {});
    REQUIRE(again.load(kept, 4));
    CHECK(at::equal(again.at(0, 0), one.at(0, 0)));
    CHECK(at::equal(again.at(1, 0), one.at(1, 0)));
    CHECK_FALSE(again.load(kept, 2));
}

TEST_CASE("ResidualKeeper: what cannot be kept costs a warning, once", "[core][engine]") {
    using engine::ResidualKeeper;
    using engine::ScratchUse;
    const std::vector<std::function<void()>> failures{
        [] { throw Error(ErrorCode::DiskFull, "residual-0.bin is full."); },
        [] { throw std::bad_alloc(); },
        [] {
            TORCH_CHECK(false,
                        "DefaultCPUAllocator: can't allocate memory: you tried to allocate "
                        "64 bytes. Error code 12 (Cannot allocate memory)");
        },
        [] { TORCH_CHECK_WITH(OutOfMemoryError, false, "CUDA out of memory."); }};
    for (const auto& fails : failures) {
        std::vector<std::string> warnings;
        const auto warn = [&](const std::string& warning) { warnings.push_back(warning); };
        ResidualKeeper keeper(ScratchUse::Auto, std::chrono::seconds(0), warn);
        CHECK(keeper.isDue());
        keeper.keep([] {});
        CHECK(keeper.isDue());
        keeper.keep(fails);
        CHECK_FALSE(keeper.isDue());
        REQUIRE(warnings.size() == 1);
        CHECK_THAT(warnings.front(), Catch::Contains("The run goes on"));
        ResidualKeeper strict(ScratchUse::Always, std::chrono::seconds(0), warn);
        CHECK_THROWS(strict.keep(fails));
        CHECK(strict.isDue());
        CHECK(warnings.size() == 1);
    }
    // What is wrong with the program is not hidden.
    ResidualKeeper keeper(ScratchUse::Auto, std::chrono::seconds(0), {});
    CHECK_THROWS_AS(keeper.keep([] { TORCH_CHECK(false, "a shape"); }), c10::Error);
    CHECK_FALSE(ResidualKeeper(ScratchUse::Never, std::chrono::seconds(0), {}).isDue());
    CHECK_FALSE(ResidualKeeper(ScratchUse::Auto, std::chrono::seconds(60), {}).isDue());
}
