// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
// Experiments on weights that come in units of work, and in chosen layers.
#include "core/engine/run.h"
#include "core/experiments/factory.h"
#include "core/session/session.h"
#include "tests/core/engine/session_compare.h"
#include "tests/support/catch.h"
#include "tests/support/paths.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/throws.h"

#include <algorithm>
#include <atomic>
#include <memory>

using namespace moescope;
using tests::checkThrows;

namespace {

/// Hears nothing, and can stop the run.
class Recorder final : public engine::RunObserver {
public:
    void onEvent(const session::RunEvent& /*event*/) override {}
    std::stop_source stop;
};

engine::RunReport runWith(const engine::RunRequest& request, Recorder& recorder) {
    return engine::run(request, experiments::makeProbes, recorder, recorder.stop.get_token());
}

/// Without a text.
engine::RunRequest requestFor(const std::string& fixture, const std::filesystem::path& session) {
    engine::RunRequest request;
    request.checkpoint = tests::referenceDir() / "models" / fixture;
    request.session = session;
    request.dtype = "float32";
    request.device = "cpu";
    return request;
}

NdArray readLayer(const session::Session& session, const std::string& experiment,
                  const std::string& quantity, int layer) {
    return session.read({BranchId{0}, experiment, quantity}, LayerId{layer});
}

/// An experiment in units, which it counts, and which stops the run after some.
class CountingUnits final : public engine::UnitProbe {
public:
    CountingUnits(std::unique_ptr<engine::UnitProbe> probe, std::atomic<int>& computed,
                  Recorder& recorder, int stopAfter)
        : m_probe(std::move(probe)),
          m_computed(computed),
          m_recorder(recorder),
          m_stopAfter(stopAfter) {}
    [[nodiscard]] std::string_view experiment() const override { return m_probe->experiment(); }
    [[nodiscard]] std::vector<engine::WorkUnit> units(
        const engine::LayerContext& layer) const override {
        return m_probe->units(layer);
    }
    [[nodiscard]] std::uint64_t unitBytes(const engine::LayerContext& layer) const override {
        return m_probe->unitBytes(layer);
    }
    [[nodiscard]] std::vector<double> compute(const engine::LayerContext& layer, std::size_t unit,
                                              const engine::NeuronSource& neurons,
                                              const std::function<void()>& poll) const override {
        auto result = m_probe->compute(layer, unit, neurons, poll);
        if (++m_computed == m_stopAfter) {
            m_recorder.stop.request_stop();
        }
        return result;
    }
    [[nodiscard]] session::Part assemble(
        const engine::LayerContext& layer,
        const std::vector<std::vector<double>>& results) const override {
        return m_probe->assemble(layer, results);
    }

private:
    std::unique_ptr<engine::UnitProbe> m_probe;
    std::atomic<int>& m_computed;
    Recorder& m_recorder;
    int m_stopAfter;
};

/// Runs an experiment in units in one thread; returns how many were computed.
int countUnits(const engine::RunRequest& request, int stopAfter) {
    std::atomic<int> computed = 0;
    Recorder recorder;
    const engine::ProbeFactory factory = [&](std::string_view id, std::string_view options) {
        engine::ProbeSet set = experiments::makeProbes(id, options);
        for (auto& probe : set.units) {
            probe =
                std::make_unique<CountingUnits>(std::move(probe), computed, recorder, stopAfter);
        }
        return set;
    };
    const auto go = [&] { engine::run(request, factory, recorder, recorder.stop.get_token()); };
    if (stopAfter > 0) {
        checkThrows(go, ErrorCode::Cancelled, {"--resume"});
    } else {
        go();
    }
    return computed;
}

}  // namespace

TEST_CASE("run: a stopped run keeps every finished unit of work", "[core][engine]") {
    const tests::TemporaryFolder folder;
    auto request = requestFor("mixtral", folder / "whole.h5");
    request.baselines = {tests::referenceDir() / "models/mistral-baseline"};
    request.threads = 1;
    const std::string id = GENERATE("matched_similarity", "neuron_projection");
    INFO(id);
    request.experiments = {{id, "{}"}};
    // 28 pairs in each of three layers, and the baseline at random once; or three roles.
    const int all = id == "matched_similarity" ? 3 * 28 + 1 : 3 * 3;
    CHECK(countUnits(request, 0) == all);
    request.session = folder / "run.h5";
    request.interrupted = engine::Interrupted::Resume;
    const int first = all / 2;
    CHECK(countUnits(request, first) == first);
    CHECK(std::filesystem::exists(folder / "run.h5.partial"));
    CHECK(countUnits(request, 1) == 1);
    CHECK(countUnits(request, 0) == all - first - 1);
    tests::checkSameResults(folder / "run.h5", folder / "whole.h5", 0.0);
    // Units in several threads give the same.
    request.session = folder / "threads.h5";
    request.threads = 2;
    CHECK(countUnits(request, 0) == all);
    tests::checkSameResults(folder / "threads.h5", folder / "whole.h5", 1e-6);
    // Other options begin anew.
    request.session = folder / "other.h5";
    request.threads = 1;
    static_cast<void>(countUnits(request, 2));
    request.experiments = {
        {id, id == "matched_similarity" ? R"({"matching":"joint"})" : R"({"projection":"raw"})"}};
    CHECK(countUnits(request, 0) == all);
}

TEST_CASE("run: experiments on weights in chosen layers, to which more are added",
          "[core][engine]") {
    const tests::TemporaryFolder folder;
    auto request = requestFor("mixtral", folder / "run.h5");
    const auto ask = [&](std::vector<int> layers) {
        request.experiments = {{"router_similarity", "{}", layers},
                               {"matched_similarity", "{}", layers},
                               {"parameters", "{}"}};
        Recorder recorder;
        return runWith(request, recorder);
    };
    const auto meanR2 = [&] {
        const auto session = session::Session::open(folder / "run.h5");
        for (const auto& record : session->head().experiments) {
            CHECK(record.state == session::ExperimentState::Done);
        }
        return session->read({BranchId{0}, "router_similarity", "mean_r2"}, std::nullopt).at(0);
    };
    const auto r2 = [&](int layer) {
        const auto session = session::Session::open(folder / "run.h5");
        return readLayer(*session, "router_similarity", "regression", layer).at(3);
    };
    ask({1});
    CHECK(meanR2() == Approx(r2(1)));
    CHECK(ask({1, 2}).partsWritten == 3);  // two of layer 2, and the mean again
    CHECK(meanR2() == Approx((r2(1) + r2(2)) / 2.0));
    CHECK(ask({1}).partsWritten == 0);
    CHECK(meanR2() == Approx((r2(1) + r2(2)) / 2.0));
    ask({});
    CHECK(meanR2() == Approx((r2(0) + r2(1) + r2(2)) / 3.0));
    checkThrows([&] { ask({3}); }, ErrorCode::Usage, {"layer 3", "0 to 2"});
    request.checkpoint = tests::referenceDir() / "models/deepseek";
    request.session = folder / "deepseek.h5";
    checkThrows([&] { ask({0}); }, ErrorCode::Usage, {"layer 0", "no experts"});
}

TEST_CASE("estimate: says what experiments in units cost", "[core][engine]") {
    auto request = requestFor("mixtral", {});
    request.experiments = {{"matched_similarity", "{}"}, {"neuron_projection", "{}"}};
    const auto plan = engine::estimate(request, experiments::makeProbes);
    const auto note = [&](const std::string& words) {
        return std::any_of(plan.notes.begin(), plan.notes.end(), [&](const std::string& text) {
            return text.find(words) != std::string::npos;
        });
    };
    CHECK(note("matched_similarity: 66 units"));  // 21 pairs and one at random, in three layers
    CHECK(note("neuron_projection: 9 units"));
}
