// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/expert_removal.h"

#include "core/engine/branch_pass.h"
#include "tests/core/engine/reference_model.h"
#include "tests/core/experiments/feed.h"
#include "tests/support/torch.h"

#include <c10/core/GradMode.h>

#include <cmath>
#include <map>

using namespace moescope;
using engine::Intervention;
using engine::LayerIntervention;
using tests::quantity;
using tests::ReferenceModel;

namespace {

using Logits = std::map<int, std::vector<float>>;  // by branch, -1: the intact model

struct Opened {
    explicit Opened(const std::string& name) : reference(name), model(reference.folder) {}

    void takeText(const tests::ReferenceFile& file) {
        text::TokenizedCorpus& corpus = reference.corpus;
        corpus = {};
        for (const double id : file.array("token_ids").toDoubles()) {
            corpus.ids.push_back(static_cast<text::TokenId>(id));
        }
        for (const double offset : file.array("document_offsets").toDoubles()) {
            corpus.offsets.push_back(static_cast<std::uint64_t>(offset));
        }
    }

    void pass(const std::vector<Intervention>& branches, std::size_t atOnce,
              const std::function<void(const engine::LogitsBlock&)>& consumer,
              bool residentExperts = true) {
        const at::NoGradGuard noGrad;
        steps = 0;
        engine::BranchPass pass({.model = model,
                                 .place = {},
                                 .limits = {},
                                 .residentExperts = residentExperts,
                                 .corpus = reference.corpus,
                                 .atOnce = atOnce,
                                 .poll = [] {},
                                 .step = [this] { ++steps; }});
        pass.run(branches, consumer);
        bytesRead = pass.bytesRead();
    }
    Logits logits(const std::vector<Intervention>& branches, std::size_t atOnce,
                  bool residentExperts = true) {
        Logits result;
        pass(
            branches, atOnce,
            [&](const engine::LogitsBlock& block) {
                auto& values = result[block.branch ? static_cast<int>(*block.branch) : -1];
                CHECK(values.size() ==
                      block.firstToken * static_cast<std::uint64_t>(model.spec.vocabSize));
                const at::Tensor host = block.logits.contiguous();
                values.insert(values.end(), host.data_ptr<float>(),
                              host.data_ptr<float>() + host.numel());
            },
            residentExperts);
        return result;
    }

    ReferenceModel reference;
    engine::OpenedModel model;
    std::uint64_t steps = 0, bytesRead = 0;
};

Intervention without(int layer, int expert, int experts) {
    Intervention branch;
    branch.layers.emplace_back(LayerId{layer}, LayerIntervention::without(experts, {expert}));
    return branch;
}

session::Part removalOf(Opened& opened, std::size_t atOnce) {
    const auto probe = experiments::makeExpertRemoval();
    const engine::ModelContext context{opened.model.spec, opened.model.checkpoint,
                                       opened.reference.corpus};
    probe->begin(context);
    opened.pass(probe->branches(opened.model.spec), atOnce,
                [&](const engine::LogitsBlock& block) { probe->consume(block); });
    struct Nothing final : engine::PartSource {
        [[nodiscard]] NdArray read(LayerId, std::string_view) const override { return {}; }
        [[nodiscard]] std::vector<LayerId> layers() const override { return {}; }
    };
    return probe->finishModel(context, Nothing()).value();
}

}  // namespace

TEST_CASE("BranchPass: each branch is the full forward pass with its change", "[core][engine]") {
    for (const std::string name : {"mixtral", "deepseek", "qwen2_moe"}) {
        CAPTURE(name);
        Opened opened(name);
        int layer = opened.model.spec.layerCount() - 1;
        const int experts = opened.model.spec.layers.back().moe->experts;
        std::vector<Intervention> branches;
        for (; layer >= 0 && opened.model.spec.layers[static_cast<std::size_t>(layer)].isRouted();
             --layer) {
            branches.push_back(without(layer, layer % experts, experts));
        }
        branches.push_back(branches.front());
        branches.back().layers.push_back(branches[1].layers.front());
        branches.emplace_back();  // nothing is changed
        const Logits found = opened.logits(branches, 100);
        REQUIRE(found.size() == branches.size() + 1);
        CHECK(found.at(static_cast<int>(branches.size()) - 1) == found.at(-1));
        for (std::size_t b = 0; b + 1 < branches.size(); ++b) {
            engine::TraceRequest request;
            request.experts = false;
            request.change = &branches[b];
            const auto trace = opened.reference.trace(request);
            const auto whole = trace.logits.values<float>();
            CHECK(found.at(static_cast<int>(b)) == std::vector<float>(whole.begin(), whole.end()));
            CHECK_FALSE(found.at(static_cast<int>(b)) == found.at(-1));
        }
        CHECK(opened.steps ==
              engine::BranchPass::steps(branches, opened.model.spec.layerCount(), 100));
    }
}

TEST_CASE("BranchPass: as many at once as memory allows changes nothing but reading",
          "[core][engine]") {
    Opened opened("mixtral");
    const std::vector<Intervention> branches{without(2, 0, 7), without(0, 3, 7), without(1, 6, 7),
                                             Intervention{}, without(1, 1, 7)};
    const Logits all = opened.logits(branches, 5);
    const std::uint64_t once = opened.bytesRead;
    for (const std::size_t atOnce : {1, 2, 3}) {
        CHECK(opened.logits(branches, atOnce) == all);
        CHECK(opened.steps == engine::BranchPass::steps(branches, 3, atOnce));
        CHECK(opened.bytesRead >= once * ((5 + atOnce - 1) / atOnce));
    }
    CHECK(opened.logits(branches, 5, false) == all);  // experts block by block
}

TEST_CASE("ExpertRemoval: transformers with logits of -infinity", "[core][experiments]") {
    Opened opened("mixtral");
    // The longer run of tests/reference/make_routing.py.
    const tests::ReferenceFile golden(tests::referenceDir() / "experiments/routing.safetensors");
    opened.takeText(golden);
    const std::size_t positions = opened.reference.corpus.ids.size() - 9;  // less last tokens
    for (const std::size_t atOnce : {1000, 4}) {
        const session::Part part = removalOf(opened, atOnce);
        const std::vector<std::pair<std::string, std::string>> names{
            {"intact", "intact"}, {"everywhere", "all"}, {"single", "layer"}};
        for (const auto& [name, goldenName] : names) {
            CAPTURE(name, atOnce);
            const NdArray expected = golden.array("expert_removal." + goldenName);
            const NdArray& found = quantity(part, name).values;
            REQUIRE(found.size() / 3 == expected.size() / 4);
            for (std::uint64_t row = 0; row < found.size() / 3; ++row) {
                CHECK(found.at(3 * row) == Approx(expected.at(4 * row)).margin(1e-5));
                // A near tie of two predictions moves one position.
                const double margin = 1.0 / static_cast<double>(positions) + 1e-9;
                CHECK(std::abs(found.at(3 * row + 1) - expected.at(4 * row + 2)) <= margin);
                CHECK(std::abs(found.at(3 * row + 2) - expected.at(4 * row + 3)) <= margin);
            }
        }
        const NdArray expectedIds = golden.array("predicted_ids");
        const NdArray& predicted = quantity(part, "predicted").values;
        REQUIRE(predicted.size() == expectedIds.size());
        std::size_t others = 0;
        for (std::uint64_t t = 0; t < predicted.size(); ++t) {
            others += predicted.at(t) == expectedIds.at(t) ? 0 : 1;
        }
        CHECK(others <= 1);  // a near tie
        const NdArray& losses = quantity(part, "token_loss").values;
        double sum = 0.0;
        std::size_t counted = 0;
        for (std::uint64_t t = 0; t < losses.size(); ++t) {
            if (std::isfinite(losses.at(t))) {
                sum += losses.at(t);
                ++counted;
            }
        }
        CHECK(counted == positions);
        CHECK(sum / static_cast<double>(counted) ==
              Approx(golden.array("expert_removal.intact").at(0)).margin(1e-5));
    }
}

TEST_CASE("ExpertRemoval: an expert that no token chooses is worth nothing",
          "[core][experiments]") {
    Opened opened("mixtral");
    opened.reference.corpus.ids.resize(4);  // too few tokens for all experts
    opened.reference.corpus.offsets = {0, 4};
    const session::Part part = removalOf(opened, 1000);
    const auto trace = opened.reference.trace({});
    const double intact = quantity(part, "intact").values.at(0);
    const session::Quantity& single = quantity(part, "single");
    int idle = 0;
    for (std::size_t l = 0; l < single.axes[0].labels.size(); ++l) {
        const auto& routed = trace.routed.at(LayerId{std::stoi(single.axes[0].labels[l])});
        std::vector<bool> chosen(single.axes[1].labels.size());
        for (std::uint64_t i = 0; i < routed.chosen.size(); ++i) {
            chosen[static_cast<std::size_t>(routed.chosen.at(i))] = true;
        }
        for (std::size_t e = 0; e < chosen.size(); ++e) {
            const double loss = single.values.at((l * chosen.size() + e) * 3);
            if (!chosen[e]) {
                ++idle;
                CHECK(loss == Approx(intact).margin(1e-6));
            } else {
                CHECK(std::isfinite(loss));
            }
        }
    }
    CHECK(idle > 0);
}

TEST_CASE("ExpertRemoval: documents of one token have no loss, and that is said",
          "[core][experiments]") {
    Opened opened("mixtral");
    opened.reference.corpus.ids.resize(2);
    opened.reference.corpus.offsets = {0, 1, 2};
    const session::Part part = removalOf(opened, 1000);
    CHECK(std::isnan(quantity(part, "intact").values.at(0)));
    REQUIRE(part.warnings.size() == 1);
    CHECK(part.warnings.front().find("no document has two tokens") != std::string::npos);
}
