// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/run_time.h"

#include "core/engine/run_effort.h"
#include "core/engine/run_progress.h"
#include "tests/support/catch.h"
#include "tests/support/paths.h"
#include "tests/support/torch.h"

#include <cmath>
#include <thread>

using namespace moescope;
using namespace moescope::engine;
using namespace std::chrono_literals;

namespace {

constexpr Calibration kMachine{.productsPerSecond = 1e9,
                               .modelProductsPerSecond = 4e9,
                               .elementsPerSecond = 1e8,
                               .stepsPerSecond = 1e7,
                               .secondsPerCall = 1e-5,
                               .readBytesPerSecond = 1e9};

class Fractions final : public RunObserver {
public:
    void onEvent(const session::RunEvent& event) override {
        values.push_back(event.fraction);
        stages.push_back(event.stage);
    }
    std::vector<double> values;
    std::vector<std::string> stages;
};

/// Two layers that take a second and three.
RunPlan twoLayers() {
    RunPlan plan;
    plan.work.resize(2);
    plan.work[1].layer = 1;
    plan.seconds = {{.statics = 0.0, .attention = 0.5, .feedForward = 0.5},
                    {.statics = 1.0, .attention = 0.5, .feedForward = 1.5}};
    return plan;
}

}  // namespace

TEST_CASE("secondsOf: each kind of work has its own speed", "[core][engine]") {
    CHECK(secondsOf({}, kMachine) == 0.0);
    CHECK(secondsOf({.operations = 1e9}, kMachine) == Approx(1.0));
    CHECK(secondsOf({.modelOperations = 1e9}, kMachine) == Approx(0.25));
    CHECK(secondsOf({.elements = 1e9}, kMachine) == Approx(10.0));
    CHECK(secondsOf({.steps = 1e9}, kMachine) == Approx(100.0));
    CHECK(secondsOf({.calls = 1e6}, kMachine) == Approx(10.0));
    Effort sum{1e9, 4e9, 1e8, 1e7, 1e5};
    sum += 2.0 * sum;
    CHECK(secondsOf(sum, kMachine) == Approx(15.0));
    // A measurement that failed gives a long time, not an endless one.
    CHECK(std::isfinite(secondsOf({.operations = 1e9}, Calibration{})));
}

TEST_CASE("expectedSeconds: phases add up", "[core][engine]") {
    LayerEffort effort;
    effort.statics.operations = 1e9;
    effort.attention.elements = 2e8;
    effort.feedForward.calls = 4e5;
    const LayerSeconds seconds = expectedSeconds(effort, 3, false, kMachine);
    CHECK(seconds.statics == Approx(1.0));
    CHECK(seconds.attention == Approx(2.0));
    CHECK(seconds.feedForward == Approx(4.0));
    CHECK(seconds.total() == Approx(7.0));
    // Results are stored meanwhile.
    effort.storing.steps = 5e7;
    CHECK(expectedSeconds(effort, 3, false, kMachine).total() == Approx(7.0));
    effort.storing.steps = 14e7;
    CHECK(expectedSeconds(effort, 3, false, kMachine).total() == Approx(14.0));
}

TEST_CASE("expectedSeconds: lanes share the model's work and not the probes'", "[core][engine]") {
    LayerEffort effort;
    effort.attention.operations = effort.feedForward.operations = effort.dynamics.operations =
        kMachine.productsPerSecond;
    CHECK(expectedSeconds(effort, 8, false, kMachine, 4).total() == Approx(1.5));
}

TEST_CASE("expectedSeconds: the slower of reading and computing decides", "[core][engine]") {
    LayerEffort effort;
    effort.attention.operations = 1e9;
    effort.feedForward.operations = 1e9;
    effort.bytes = 1'000'000'000;
    effort.expertBytes = 900'000'000;
    CHECK(expectedSeconds(effort, 1, true, kMachine).total() == Approx(2.0));
    CHECK(expectedSeconds(effort, 11, true, kMachine).total() == Approx(1.0 + 10 * 0.9));
    CHECK(expectedSeconds(effort, 11, false, kMachine).total() == Approx(2.0));
    LayerEffort reading;
    reading.bytes = 5'000'000'000;
    CHECK(expectedSeconds(reading, 1, false, kMachine).total() == Approx(5.0));
}

TEST_CASE("lanesOf: devices share documents, and the one with most decides", "[core][engine]") {
    RunPlan plan;
    plan.memory.lanes = 3;
    text::TokenizedCorpus text;
    text.ids.resize(40000);
    text.offsets = {0, 40000};
    plan.devices = {at::kCPU};
    CHECK(lanesOf(plan, text) == 3.0);
    // One document has one device alone.
    plan.devices = {at::kCPU, at::kCPU};
    CHECK(lanesOf(plan, text) == 1.0);
    text.offsets = {0, 10000, 20000, 30000, 40000};
    CHECK(lanesOf(plan, text) == 2.0);
    text.offsets = {0, 30000, 40000};
    CHECK(lanesOf(plan, text) == Approx(4.0 / 3.0));
    CHECK(lanesOf(plan, {}) > 0.0);
}

TEST_CASE("RunProgress: layers weigh what they are expected to take", "[core][engine]") {
    const RunPlan plan = twoLayers();
    Fractions seen;
    Events events(seen);
    RunProgress progress(plan, {0, 1}, events);
    progress.beginLayer(0);
    CHECK(seen.stages.back() == "layer 1/2");
    CHECK(seen.values.back() == 0.0);
    progress.endLayer();
    CHECK(seen.values.back() == Approx(0.25));
    progress.beginLayer(1);
    progress.expect(RunProgress::Phase::Statics, 2.0);
    progress.expect(RunProgress::Phase::Attention, 1.0);
    progress.expect(RunProgress::Phase::FeedForward, 10.0);
    // Steps use up the phases in their order; what is not written yet counts almost as done.
    for (const double seconds : {0.5, 1.0, 1.5, 1.65}) {
        std::this_thread::sleep_for(60ms);  // events are throttled
        progress.step();
        CHECK(seen.values.back() == Approx(0.25 + 0.99 * seconds / 4.0).margin(1e-3));
    }
    progress.endLayer();
    CHECK(seen.values.back() == Approx(1.0));
    CHECK(std::is_sorted(seen.values.begin(), seen.values.end()));
    progress.finish();
    CHECK(seen.values.back() == 1.0);
}

TEST_CASE("layerEfforts: a device is told of experts in batches", "[core][engine]") {
    OpenedModels models;
    models.model =
        std::make_unique<OpenedModel>(tests::sourceDir() / "resources/demo/tiny-mixtral");
    text::TokenizedCorpus text;
    text.ids.resize(100);
    text.offsets = {0, 100};
    RunPlan plan;
    plan.work.resize(models.model->spec.layers.size());
    for (std::size_t layer = 0; layer < plan.work.size(); ++layer) {
        plan.work[layer].layer = static_cast<int>(layer);
    }
    plan.endForward = static_cast<int>(plan.work.size());
    plan.memory.blockTokens = 100;
    const double mapped = layerEfforts(plan, models, text).front().feedForward.calls;
    plan.memory.expertsAtOnce = 8;
    const double streamed = layerEfforts(plan, models, text).front().feedForward.calls;
    // Eight experts: of each all by itself, or three products, a batch, and what is done at once.
    CHECK(mapped > 8 * 20);
    CHECK(streamed < mapped - 8 * 10);
    plan.memory.expertsAtOnce = 1;
    CHECK(layerEfforts(plan, models, text).front().feedForward.calls > streamed);
}
