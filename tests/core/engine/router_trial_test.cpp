// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
// What the engine tells probes of the chosen experts alone and of the router asked again, against
// what it does itself, in every family's way of routing.
#include "core/engine/router_trial.h"

#include "core/engine/run.h"
#include "core/experiments/factory.h"
#include "tests/core/engine/reference_model.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <map>
#include <set>

using namespace moescope;

namespace {

constexpr const char* kFixtures[] = {
    "bailing_moe",  "bailing_moe_v2",   "dbrx",          "deepseek", "deepseek_v2", "deepseek_v3",
    "ernie4_5_moe", "gemma4",           "glm4_moe",      "gpt_oss",  "granitemoe",  "grok1",
    "llama4",       "granitemoeshared", "minimax_m2",    "mixtral",  "olmoe",       "phimoe",
    "qwen2_moe",    "qwen3_next",       "hunyuan_v1_moe"};

/// What the checks find; sizes by layer.
struct Findings {
    std::map<int, at::Tensor> norms, largest;
    std::int64_t tokens = 0, otherChoices = 0;
    double worstNorm = 0.0, worstLargest = 0.0;
};

class Check final : public engine::DynamicProbe {
public:
    Check(Findings& findings, bool all) : m_findings(findings), m_all(all) {}
    [[nodiscard]] std::string_view experiment() const override { return "importance"; }
    [[nodiscard]] engine::DynamicNeeds needs() const override {
        return {.norms = m_all, .outputs = m_all, .chosenSizes = true};
    }
    [[nodiscard]] std::uint64_t stateBytes(const engine::LayerContext&) const override { return 0; }
    void begin(const engine::LayerContext& layer) override { m_layer = layer.layer.value; }

    void consume(const engine::TokenBlock& block) override {
        m_findings.norms[m_layer] = block.chosenSizes->norms.clone();
        m_findings.largest[m_layer] = block.chosenSizes->largest.clone();
        const at::Tensor again = block.trial->chosen(block.trial->input());
        m_findings.tokens += block.chosen.size(0);
        m_findings.otherChoices += again.ne(block.chosen).any(1).sum().item<std::int64_t>();
        if (!m_all) {
            return;
        }
        const auto worst = [](const at::Tensor& found, const at::Tensor& expected) {
            return ((found - expected).abs() / (expected.abs() + 1e-6)).max().item<double>();
        };
        const at::Tensor own = block.norms->gather(1, block.chosen);
        m_findings.worstNorm = std::max(m_findings.worstNorm, worst(block.chosenSizes->norms, own));
        const at::Tensor most = block.outputs->abs().amax(2).t().gather(1, block.chosen);
        m_findings.worstLargest =
            std::max(m_findings.worstLargest, worst(block.chosenSizes->largest, most));
    }
    [[nodiscard]] session::Part end() override {
        session::Part part;
        part.quantities.push_back(
            {"norm", {{"value", {}}}, "none", "1", NdArray(ElementType::F32, {1})});
        return part;
    }

private:
    Findings& m_findings;
    bool m_all;
    int m_layer = 0;
};

class Silent final : public engine::RunObserver {
public:
    void onEvent(const session::RunEvent&) override {}
};

/// With every expert on every token, or the chosen ones alone.
Findings runOf(const std::string& fixture, bool all) {
    const tests::ReferenceModel model(fixture);
    const tests::TemporaryFolder folder;
    engine::RunRequest request;
    request.checkpoint = model.folder;
    request.session = folder / "run.h5";
    request.device = "cpu";
    request.dtype = "float32";
    request.corpus = model.corpus;
    request.experiments.push_back({"importance", "{}"});
    Findings findings;
    Silent silent;
    (void)engine::run(request,
                      [&](std::string_view experiment, std::string_view options) {
                          engine::ProbeSet probes;
                          if (experiment != "importance") {
                              return experiments::makeProbes(experiment, options);
                          }
                          probes.dynamic.push_back(std::make_unique<Check>(findings, all));
                          return probes;
                      },
                      silent, {});
    return findings;
}

}  // namespace

TEST_CASE("Probes: sizes of the chosen experts' outputs, in every family", "[core][engine]") {
    for (const char* fixture : kFixtures) {
        CAPTURE(fixture);
        const Findings all = runOf(fixture, true);
        CHECK(all.tokens > 0);
        CHECK(all.worstNorm < 1e-5);
        CHECK(all.worstLargest < 1e-5);
        const Findings alone = runOf(fixture, false);  // the top-k pass
        for (const auto& [layer, norms] : all.norms) {
            CAPTURE(layer);
            CHECK(at::allclose(alone.norms.at(layer), norms, 1e-4, 1e-6));
            CHECK(at::allclose(alone.largest.at(layer), all.largest.at(layer), 1e-4, 1e-6));
        }
    }
}

TEST_CASE("RouterTrial: the router asked again chooses the same, in every family",
          "[core][engine]") {
    for (const char* fixture : kFixtures) {
        CAPTURE(fixture);
        const Findings found = runOf(fixture, false);
        CHECK(found.tokens > 0);
        CHECK(found.otherChoices == 0);
    }
}

TEST_CASE("Interventions: a removed expert is never chosen, where choices are biased too",
          "[core][engine]") {
    for (const char* fixture : {"deepseek_v3", "glm4_moe", "minimax_m2", "ernie4_5_moe", "dots1"}) {
        const tests::ReferenceModel model(fixture);
        const int last = model.spec.layerCount() - 1;
        const int experts = model.spec.layers.back().moe->experts;
        for (int expert = 0; expert < experts; ++expert) {
            CAPTURE(fixture, expert);
            engine::Intervention change;
            change.layers.emplace_back(LayerId{last},
                                       engine::LayerIntervention::without(experts, {expert}));
            engine::TraceRequest request;
            request.experts = false;
            request.change = &change;
            const auto trace = model.trace(request);
            const NdArray& chosen = trace.routed.at(LayerId{last}).chosen;
            std::set<double> ids;
            for (std::uint64_t i = 0; i < chosen.size(); ++i) {
                ids.insert(chosen.at(i));
            }
            CHECK_FALSE(ids.contains(expert));
        }
    }
}
