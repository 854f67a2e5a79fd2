// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/memory_plan.h"

#include "core/engine/device_plan.h"
#include "core/engine/run_notes.h"
#include "tests/support/catch.h"
#include "tests/support/throws.h"
#include "tests/support/torch.h"

#include <optional>
#include <utility>
#include <vector>

using namespace moescope;
using engine::LayerCost;
using engine::MemoryPlan;
using engine::PlanInput;
using engine::planMemory;

namespace {

constexpr std::uint64_t kMebi = std::uint64_t{1} << 20U;

/// Two layers of 800 MiB experts, decoded; 4096 tokens of 8 KiB residual stream.
PlanInput twoLayers(std::uint64_t budget) {
    PlanInput input;
    input.budget = budget;
    input.fixed = 100 * kMebi;
    input.tokens = 4096;
    input.residual = 32 * kMebi;
    LayerCost layer;
    layer.otherWeights = 50 * kMebi;
    layer.expertWeights = 800 * kMebi;
    layer.largestExpert = 100 * kMebi;
    layer.perToken = 200000;
    layer.perQueryRow = 60000;
    layer.keysValues = 10 * kMebi;
    layer.mostScores = 64 * kMebi;
    layer.probeState = kMebi;
    layer.perNeuron = 400000;
    layer.neurons = 2048;
    input.layers = {layer, layer};
    return input;
}

}  // namespace

TEST_CASE("planMemory: as many units at once as memory and processors allow", "[core][engine]") {
    engine::PlanInput input;
    input.fixed = 100 * kMebi;
    engine::LayerCost layer;
    layer.unit = 300 * kMebi;
    input.layers = {layer, layer};
    input.mostUnits = 4;
    input.budget = 4096 * kMebi;
    CHECK(engine::planMemory(input).unitsAtOnce == 4);
    CHECK(engine::planMemory(input).peakBytes == 1300 * kMebi);
    input.budget = 800 * kMebi;
    CHECK(engine::planMemory(input).unitsAtOnce == 2);
    CHECK(engine::planMemory(input).minimumBytes == 400 * kMebi);
    input.budget = 399 * kMebi;
    CHECK_THROWS_AS(engine::planMemory(input), Error);
}

TEST_CASE("planMemory: as many blocks side by side as memory allows, all of the same size",
          "[core][engine]") {
    engine::PlanInput input = twoLayers(std::uint64_t{64} << 30U);
    const MemoryPlan one = planMemory(input);
    CHECK(one.lanes == 1);
    input.mostLanes = 8;
    const MemoryPlan more = planMemory(input);
    CHECK(more.lanes == 2);  // there are no more blocks
    CHECK(more.blockTokens == one.blockTokens);
    CHECK(more.peakBytes > one.peakBytes);
    CHECK(more.minimumBytes == one.minimumBytes);
    input.budget = more.peakBytes - 1;
    CHECK(planMemory(input).lanes == 1);
    CHECK(planMemory(input).blockTokens == one.blockTokens);
    // Activations wait for their turn.
    input.budget = std::uint64_t{64} << 30U;
    for (LayerCost& layer : input.layers) {
        layer.activationsPerToken = 100000;
    }
    CHECK(planMemory(input).peakBytes > more.peakBytes);
    input.mostLanes = 1;
    CHECK(planMemory(input).peakBytes == one.peakBytes);
}

TEST_CASE("planMemory: outputs stay from layer to layer where there is room", "[core][engine]") {
    engine::PlanInput input = twoLayers(std::uint64_t{64} << 30U);
    const std::uint64_t before = planMemory(input).peakBytes;
    for (engine::LayerCost& layer : input.layers) {
        layer.outputsPerToken = layer.perToken / 2;
    }
    const MemoryPlan kept = planMemory(input);
    CHECK(kept.keepOutputs);
    const std::uint64_t outputs =
        std::min(kept.blockTokens, input.tokens) * input.layers[0].outputsPerToken;
    CHECK(kept.peakBytes >= before);
    CHECK(kept.peakBytes <= before + outputs);
    // Nothing else is given up for it.
    input.budget = before;
    const MemoryPlan tight = planMemory(input);
    CHECK(tight.blockTokens == kept.blockTokens);
    CHECK(tight.peakBytes <= before);
}

TEST_CASE("planMemory: plenty of memory takes the fast way", "[core][engine]") {
    const MemoryPlan plan = planMemory(twoLayers(std::uint64_t{64} << 30U));
    CHECK(plan.residentExperts);
    CHECK(plan.decodeAhead);
    CHECK(plan.residualInMemory);
    CHECK(plan.blockTokens == 2048);
    CHECK(plan.slabNeurons == 64);  // 16 MiB of a MiB each
}

TEST_CASE("planMemory: less memory gives up speed step by step", "[core][engine]") {
    std::uint64_t before = ~std::uint64_t{0};
    bool streamed = false;
    for (std::uint64_t budget = 8192 * kMebi; budget > 0; budget = budget * 9 / 10) {
        MemoryPlan plan;
        try {
            plan = planMemory(twoLayers(budget));
        } catch (const Error& error) {
            REQUIRE(error.code() == ErrorCode::MemoryBudget);
            break;
        }
        INFO(budget / kMebi << " MiB");
        CHECK(plan.peakBytes <= budget);
        CHECK(plan.peakBytes >= plan.minimumBytes);
        CHECK(plan.blockTokens > 0);
        CHECK(plan.slabNeurons > 0);
        streamed = streamed || !plan.residentExperts;
        before = plan.peakBytes;
    }
    CHECK(streamed);
    CHECK(before < 400 * kMebi);
}

TEST_CASE("planMemory: the message names the minimum, and the minimum suffices", "[core][engine]") {
    PlanInput input = twoLayers(kMebi);
    tests::checkThrows([&] { static_cast<void>(planMemory(input)); }, ErrorCode::MemoryBudget,
                       {"at least", "1.0 MiB", "--memory"});
    input.budget = std::uint64_t{64} << 30U;
    input.budget = planMemory(input).minimumBytes;
    const MemoryPlan frugal = planMemory(input);
    CHECK(frugal.peakBytes == input.budget);
    CHECK_FALSE(frugal.residualInMemory);
    CHECK_FALSE(frugal.residentExperts);
}

TEST_CASE("planMemory: a slab of weights stays in the cache", "[core][engine]") {
    PlanInput input = twoLayers(std::uint64_t{64} << 30U);
    for (LayerCost& layer : input.layers) {
        layer.perNeuron = 128 * 1024;
    }
    CHECK(planMemory(input).slabNeurons == 128);
    // Neurons so wide that the file would be read in crumbs.
    for (LayerCost& layer : input.layers) {
        layer.perNeuron = 2 * kMebi;
    }
    CHECK(planMemory(input).slabNeurons == 64);
}

TEST_CASE("planMemory: mapped weights cost nothing", "[core][engine]") {
    PlanInput input = twoLayers(600 * kMebi);
    for (LayerCost& layer : input.layers) {
        layer.otherWeights = layer.expertWeights = layer.largestExpert = 0;
    }
    const MemoryPlan plan = planMemory(input);
    CHECK(plan.residentExperts);
    CHECK(plan.decodeAhead);
}

namespace {

/// The same layers where devices compute.
PlanInput onDevices(std::uint64_t count, std::uint64_t deviceBudget) {
    PlanInput input = twoLayers(std::uint64_t{64} << 30U);
    input.device = engine::DeviceMemory{.budget = deviceBudget,
                                        .fixed = 10 * kMebi,
                                        .tokens = input.tokens / count,
                                        .count = count,
                                        .name = "cuda:0"};
    for (LayerCost& layer : input.layers) {
        layer.experts = 8;
        layer.perNeuron = layer.neurons = 0;  // blocks of tokens take most
    }
    return input;
}

}  // namespace

TEST_CASE("planMemory: what waits on several devices is planned for", "[core][engine]") {
    constexpr std::uint64_t kPlenty = std::uint64_t{64} << 30U;
    for (const std::uint64_t count : {1U, 2U}) {
        CAPTURE(count);
        PlanInput input = onDevices(count, kPlenty);
        const MemoryPlan before = planMemory(input);
        REQUIRE(before.blockTokens == 2048);
        for (LayerCost& layer : input.layers) {
            layer.activationsPerToken = 100000;
        }
        const std::uint64_t waiting = count > 1 ? 2048 * 100000 : 0;
        CHECK(planMemory(input).deviceBytes == before.deviceBytes + waiting);
        // Each has staging buffers of its own.
        CHECK(before.peakBytes >= input.fixed + count * before.stagingBytes);
        CHECK(before.stagingBytes == 96 * kMebi);
    }
}

TEST_CASE("planMemory: probes' own memory on a device, up to its bound", "[core][engine]") {
    PlanInput input = onDevices(1, std::uint64_t{64} << 30U);
    const std::uint64_t before = planMemory(input).deviceBytes;
    input.layers[0].onDevice = {{.perToken = 1000, .most = 3 * kMebi},
                                {.perToken = 1000, .most = 1000}};
    CHECK(planMemory(input).deviceBytes == before + 2048 * 1000 + 1000);
    input.layers[0].onDevice = {{.perToken = 10000, .most = 3 * kMebi}};
    CHECK(planMemory(input).deviceBytes == before + 3 * kMebi);
}

TEST_CASE("planMemory: rows of chosen experts are no more than the choices", "[core][engine]") {
    PlanInput input = onDevices(1, std::uint64_t{64} << 30U);
    const std::uint64_t before = planMemory(input).deviceBytes;
    for (LayerCost& layer : input.layers) {
        layer.perTokenAndExpert = 100000;
    }
    CHECK(planMemory(input).deviceBytes == before + 2048 * 7 * 100000);
    for (LayerCost& layer : input.layers) {
        layer.mostTogether = 2;
    }
    CHECK(planMemory(input).deviceBytes == before + 2048 * 100000);
}

TEST_CASE("noteDeviceBudget: where more was asked for than may be used", "[core][engine]") {
    engine::Estimate estimate;
    MemoryPlan plan;
    plan.expertsAtOnce = 8;
    plan.deviceBudget = 900 * kMebi;
    engine::noteDeviceBudget(std::nullopt, plan, estimate);
    engine::noteDeviceBudget(900 * kMebi, plan, estimate);
    engine::noteDeviceBudget(901 * kMebi, {}, estimate);
    CHECK(estimate.notes.empty());
    engine::noteDeviceBudget(990 * kMebi, plan, estimate);
    REQUIRE(estimate.notes.size() == 1);
    CHECK_THAT(estimate.notes.front(), Catch::Contains("990") && Catch::Contains("900") &&
                                           Catch::Contains("--device-memory"));
}

TEST_CASE("planMemory: what a device lacks is said with what helps", "[core][engine]") {
    PlanInput input = onDevices(1, kMebi);
    const auto refused = [&] { static_cast<void>(planMemory(input)); };
    tests::checkThrows(refused, ErrorCode::MemoryBudget,
                       {"cuda:0", "Give more", "--device-memory"});
    input.device->isAllFree = true;
    tests::checkThrows(refused, ErrorCode::MemoryBudget,
                       {"cuda:0", "nine tenths of what is free there", "--device cpu"});
}

TEST_CASE("deviceBudget: what is asked for, what is free, and neither", "[core][engine]") {
    using Free = std::vector<std::optional<std::uint64_t>>;
    const auto budgetOf = [](std::optional<std::uint64_t> asked, const Free& free) {
        const engine::DeviceBudget budget = engine::deviceBudget(asked, free, "cuda:0,cuda:1");
        return std::pair(budget.bytes, budget.isAllFree);
    };
    CHECK(budgetOf(std::nullopt, {1000U, 2000U}) == std::pair(std::uint64_t{900}, true));
    CHECK(budgetOf(500, {1000U, 2000U}) == std::pair(std::uint64_t{500}, false));
    CHECK(budgetOf(5000, {1000U, 2000U}) == std::pair(std::uint64_t{900}, true));
    // What cannot be asked is not as if nothing were free.
    CHECK(budgetOf(5000, {std::nullopt}) == std::pair(std::uint64_t{5000}, false));
    CHECK(budgetOf(5000, {std::nullopt, 1000U}) == std::pair(std::uint64_t{900}, true));
    CHECK(budgetOf(5000, {0U}) == std::pair(std::uint64_t{0}, true));
    tests::checkThrows([&] { static_cast<void>(budgetOf(std::nullopt, {std::nullopt})); },
                       ErrorCode::Device, {"cuda:0,cuda:1", "--device-memory", "--device cpu"});
}
