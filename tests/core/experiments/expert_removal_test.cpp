// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/expert_removal.h"

#include "core/base/error.h"
#include "core/engine/branch_pass.h"
#include "core/experiments/choice_scores.h"
#include "core/experiments/removal_branches.h"
#include "tests/core/engine/reference_model.h"
#include "tests/core/experiments/feed.h"
#include "tests/support/throws.h"
#include "tests/support/torch.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

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
        engine::MemoryPlan memory;
        memory.residentExperts = residentExperts;
        engine::BranchPass pass({.model = model,
                                 .devices = {at::kCPU},
                                 .limits = {},
                                 .memory = memory,
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

session::Part removalOf(Opened& opened, std::size_t atOnce,
                        const experiments::ExperimentOptions& options = {},
                        const text::TokenizedChoices& choices = {}) {
    const auto probe = experiments::makeExpertRemoval(options);
    const text::TokenizedCorpus corpus = opened.reference.corpus;
    const engine::ModelContext context{opened.model.spec, opened.model.checkpoint, corpus,
                                       &choices};
    opened.reference.corpus = text::withChoices(corpus, choices);
    const auto branches = probe->branches(opened.model.spec);
    probe->begin(context, branches);
    opened.pass(branches, atOnce, [&](const engine::LogitsBlock& block) { probe->consume(block); });
    struct Nothing final : engine::PartSource {
        [[nodiscard]] NdArray read(LayerId, std::string_view) const override { return {}; }
        [[nodiscard]] std::vector<LayerId> layers() const override { return {}; }
    };
    session::Part part = probe->finishModel(context, Nothing()).value();
    opened.reference.corpus = corpus;
    return part;
}

/// The questions of tests/reference/routing/multiple_choice.py.
text::TokenizedChoices goldenChoices(const tests::ReferenceFile& golden) {
    text::TokenizedChoices choices;
    for (const double id : golden.array("ids").toDoubles()) {
        choices.ids.push_back(static_cast<text::TokenId>(id));
    }
    for (const double offset : golden.array("offsets").toDoubles()) {
        choices.offsets.push_back(static_cast<std::uint64_t>(offset));
    }
    const auto lengths = golden.array("question_length").toDoubles();
    const std::size_t each = (choices.offsets.size() - 1) / lengths.size();
    for (std::size_t q = 0; q < lengths.size(); ++q) {
        choices.answer.push_back(static_cast<std::uint32_t>(golden.array("answer").at(q)));
        choices.question.insert(choices.question.end(), each, static_cast<std::uint32_t>(q));
        choices.contextLength.insert(choices.contextLength.end(), each,
                                     static_cast<std::uint32_t>(lengths[q]));
    }
    return choices;
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
        // What is predicted instead, and how many near ties are others.
        const auto differences = [&](const char* name, const char* goldenName, std::size_t row) {
            const NdArray wanted = golden.array(goldenName);
            const NdArray& ids = quantity(part, name).values;
            const std::size_t first = row * opened.reference.corpus.ids.size();
            REQUIRE(ids.size() == first + wanted.size());
            std::size_t count = 0;
            for (std::uint64_t i = 0; i < wanted.size(); ++i) {
                count += ids.at(first + i) == wanted.at(i) ? 0 : 1;
            }
            return count;
        };
        CHECK(differences("everywhere_predicted", "expert_removal.all_predicted", 0) <= 1);
        CHECK(differences("single_predicted", "expert_removal.layer_predicted", 2 * 7) <= 1);
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

TEST_CASE("ExpertRemoval: multiple-choice questions as transformers answer them",
          "[core][experiments]") {
    Opened opened("mixtral");
    const tests::ReferenceFile golden(tests::referenceDir() /
                                      "experiments/multiple_choice.safetensors");
    const text::TokenizedChoices choices = goldenChoices(golden);
    for (const std::size_t atOnce : {1000, 3}) {
        const session::Part part =
            removalOf(opened, atOnce, {.removals = {"all", "2"}, .removalControls = 0}, choices);
        const auto values = [&](const std::string& name) {
            return quantity(part, name).values.toDoubles();
        };
        const auto check = [&](const std::vector<double>& found, const std::string& name,
                               double margin, std::size_t first = 0) {
            const auto expected = golden.array(name).toDoubles();
            REQUIRE(expected.size() >= first + found.size());
            for (std::size_t i = 0; i < found.size(); ++i) {
                CHECK(found[i] == Approx(expected[first + i]).margin(margin));
            }
        };
        check(values("choice_scores"), "sum", 1e-4);
        check(values("choice_scores_per_token"), "per_token", 1e-4);
        check(values("intact_choices"), "accuracy", 0.0);
        check(values("everywhere_choices"), "removed.accuracy", 0.0);
        check(values("set_choices"), "removed.accuracy", 0.0, 2 * 2);
        CHECK(quantity(part, "single_choices").values.size() == 3 * 7 * 2);
    }
    // The text's own numbers are those without questions.
    const session::Part plain = removalOf(opened, 1000);
    const session::Part both = removalOf(opened, 1000, {}, choices);
    for (const char* name : {"intact", "everywhere", "single"}) {
        const auto expected = quantity(plain, name).values.toDoubles();
        const auto found = quantity(both, name).values.toDoubles();
        for (std::size_t i = 0; i < expected.size(); ++i) {
            CHECK(found[i] == Approx(expected[i]).margin(1e-6));
        }
    }
}

TEST_CASE("ChoiceScores: sums of each branch as transformers make them", "[core][experiments]") {
    Opened opened("mixtral");
    const tests::ReferenceFile golden(tests::referenceDir() /
                                      "experiments/multiple_choice.safetensors");
    const text::TokenizedChoices choices = goldenChoices(golden);
    text::TokenizedCorpus corpus;
    corpus.ids = {3, 1, 4};
    corpus.offsets = {0, 3};
    opened.reference.corpus = text::withChoices(corpus, choices);
    auto planned = experiments::removalBranches({}, opened.model.spec);
    planned.branches.resize(planned.everywhere);
    experiments::ChoiceScores scores;
    scores.begin(choices, corpus.ids.size(), planned.branches.size());
    opened.pass(planned.branches, 4, [&](const engine::LogitsBlock& block) {
        // In blocks that begin and end anywhere.
        for (std::int64_t first = 0; first < block.logits.size(0); first += 7) {
            const auto rows = std::min<std::int64_t>(7, block.logits.size(0) - first);
            const at::Tensor logits = block.logits.narrow(0, first, rows);
            scores.consume({.branch = block.branch,
                            .firstToken = block.firstToken + static_cast<std::uint64_t>(first),
                            .logits = logits});
        }
    });
    const auto expected = golden.array("removed.sum").toDoubles();
    REQUIRE(expected.size() == planned.branches.size() * choices.textCount());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        CHECK(scores.sums(i / choices.textCount())[i % choices.textCount()] ==
              Approx(expected[i]).margin(1e-4));
    }
}

TEST_CASE("ChoiceScores: where a choice has no score there is no accuracy", "[core][experiments]") {
    text::TokenizedChoices choices;  // one question, two choices of one token each
    choices.ids = {0, 1, 0, 2};
    choices.offsets = {0, 2, 4};
    choices.contextLength = {1, 1};
    choices.question = {0, 0};
    choices.answer = {0};
    experiments::ChoiceScores scores;
    scores.begin(choices, 0, 1);
    const at::Tensor intact = at::zeros({4, 3});
    scores.consume({.branch = std::nullopt, .firstToken = 0, .logits = intact});
    scores.consume(
        {.branch = 0, .firstToken = 0, .logits = intact * std::numeric_limits<float>::quiet_NaN()});
    CHECK(scores.accuracies(std::nullopt)[0] == 1.0);  // of equal ones the first
    CHECK(std::isnan(scores.accuracies(0)[0]));
    CHECK(std::isnan(scores.accuracies(0)[1]));
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

TEST_CASE("ExpertRemoval: chosen sets are what removing them one way or another is",
          "[core][experiments]") {
    Opened opened("mixtral");
    const session::Part turn = removalOf(opened, 1000);
    const session::Part part =
        removalOf(opened, 5, {.removals = {"2:5", "3", "0:1,2:3"}, .removalControls = 2});
    const session::Quantity& sets = quantity(part, "set");
    CHECK(sets.axes[0].labels == std::vector<std::string>{"2:5", "3", "0:1,2:3"});
    REQUIRE(sets.values.shape() == Shape{3, 3});
    const session::Quantity& single = quantity(turn, "single");
    const std::uint64_t experts = single.values.shape()[1];
    const NdArray& everywhere = quantity(turn, "everywhere").values;
    for (std::uint64_t m = 0; m < 3; ++m) {
        CHECK(sets.values.at(m) == single.values.at((2 * experts + 5) * 3 + m));
        CHECK(sets.values.at(3 + m) == everywhere.at(3 * 3 + m));
        CHECK(quantity(part, "intact").values.at(m) == quantity(turn, "intact").values.at(m));
    }
    CHECK(std::none_of(part.quantities.begin(), part.quantities.end(),
                       [](const auto& q) { return q.name == "single" || q.name == "everywhere"; }));

    // A set of several: the full forward pass with all of them gone, and its tokens' losses.
    const int all = static_cast<int>(experts);
    Intervention both = without(0, 1, all);
    both.layers.push_back(without(2, 3, all).layers.front());
    engine::TraceRequest request;
    request.experts = false;
    request.change = &both;
    const auto trace = opened.reference.trace(request);
    const auto logits = trace.logits.values<float>();
    const auto vocabulary = static_cast<std::size_t>(opened.model.spec.vocabSize);
    const NdArray& losses = quantity(part, "set_token_loss").values;
    const NdArray& predicted = quantity(part, "set_predicted").values;
    const text::TokenizedCorpus& corpus = opened.reference.corpus;
    REQUIRE(losses.shape() == Shape{3, corpus.ids.size()});
    REQUIRE(predicted.shape() == losses.shape());
    double sum = 0.0;
    double positions = 0.0;
    for (std::size_t d = 0; d < corpus.documentCount(); ++d) {
        for (std::uint64_t t = corpus.offsets[d]; t + 1 < corpus.offsets[d + 1]; ++t) {
            const auto row = logits.subspan(t * vocabulary, vocabulary);
            double total = 0.0;
            for (const float logit : row) {
                total += std::exp(static_cast<double>(logit));
            }
            const double loss = std::log(total) - static_cast<double>(row[corpus.ids[t + 1]]);
            CHECK(losses.at(2 * corpus.ids.size() + t) == Approx(loss).margin(1e-5));
            const auto best = std::max_element(row.begin(), row.end()) - row.begin();
            CHECK(predicted.at(2 * corpus.ids.size() + t) == static_cast<double>(best));
            sum += loss;
            positions += 1.0;
        }
        CHECK(std::isnan(losses.at(corpus.offsets[d + 1] - 1)));
    }
    CHECK(sets.values.at(6) == Approx(sum / positions).margin(1e-5));
    CHECK(quantity(part, "set_controls").values.shape() == Shape{3, 2, 3});
}

namespace {

/// Of the three layers of seven experts.
experiments::ExpertLoads madeLoads() {
    return {{0, {9, 4, 7, 1, 5, 3, 2}}, {1, {3, 8, 2, 6, 1, 9, 4}}, {2, {5, 5, 1, 7, 2, 8, 3}}};
}

}  // namespace

TEST_CASE("ExpertRemoval: controls remove as many others of the same layers, always the same",
          "[core][experiments]") {
    const Opened opened("mixtral");
    const experiments::ExperimentOptions options{.removals = {"all", "1", "0:1,0:4,2:3"},
                                                 .removalControls = 4};
    const auto planned = experiments::removalBranches(options, opened.model.spec, madeLoads());
    CHECK(planned.sets == std::vector<std::string>{"1", "0:1,0:4,2:3"});
    CHECK(planned.branches.size() == planned.everywhere + planned.single + 2 * 5);
    std::set<std::string> names;
    for (const Intervention& branch : planned.branches) {
        CHECK(names.insert(branch.name).second);
    }
    const auto removed = [](const LayerIntervention& change) {
        std::set<std::size_t> gone;
        for (std::size_t e = 0; e < change.logitBias.size(); ++e) {
            if (std::isinf(change.logitBias[e])) {
                gone.insert(e);
            }
        }
        return gone;
    };
    const auto again = experiments::removalBranches(options, opened.model.spec, madeLoads());
    for (std::size_t set = 0; set < 2; ++set) {
        const Intervention& chosen = planned.branches[planned.setBranches[set]];
        for (std::size_t c = 0; c < 4; ++c) {
            const Intervention& control = planned.branches[planned.ofControl(set, c)];
            const Intervention& same = again.branches[again.ofControl(set, c)];
            REQUIRE(control.layers.size() == chosen.layers.size());
            for (std::size_t l = 0; l < chosen.layers.size(); ++l) {
                CHECK(control.layers[l].first == chosen.layers[l].first);
                const auto mine = removed(control.layers[l].second);
                const auto theirs = removed(chosen.layers[l].second);
                CHECK(mine.size() == theirs.size());
                CHECK(std::none_of(mine.begin(), mine.end(),
                                   [&](std::size_t e) { return theirs.contains(e); }));
                CHECK(removed(same.layers[l].second) == mine);
            }
        }
    }
}

TEST_CASE("ExpertRemoval: no control is passed twice", "[core][experiments]") {
    Opened opened("mixtral");  // 7 experts
    const experiments::ExperimentOptions options{.removals = {"1:0", "2:1,2:2"},
                                                 .removalControls = 8};
    const auto planned = experiments::removalBranches(options, opened.model.spec, madeLoads());
    CHECK(planned.controls == std::vector<std::size_t>{6, 8});
    REQUIRE(planned.branches.size() == 1 + 6 + 1 + 8);
    for (std::size_t set = 0; set < 2; ++set) {
        CHECK(planned.branches[planned.setBranches[set]].name ==
              experiments::nameOfSet(planned.sets[set]));
        std::set<std::vector<int>> removed;
        for (std::size_t c = 0; c < planned.controls[set]; ++c) {
            const Intervention& control = planned.branches[planned.ofControl(set, c)];
            CHECK(control.name == experiments::nameOfControl(planned.sets[set], c));
            REQUIRE(control.layers.size() == 1);
            CHECK(removed.insert(experiments::removedIn(control.layers[0].second)).second);
        }
    }
    const session::Part part = removalOf(opened, 1000, options);
    const NdArray& controls = quantity(part, "set_controls").values;
    REQUIRE(controls.shape() == Shape{2, 8, 3});
    for (std::uint64_t c = 0; c < 16; ++c) {
        CHECK(std::isnan(controls.at(c * 3)) == (c == 6 || c == 7));
    }
    CHECK(quantity(part, "set_control_experts").values.shape() == Shape{6 + 2 * 8, 4});
}

TEST_CASE("ExpertRemoval: sets that cannot be removed are refused", "[core][experiments]") {
    const Opened opened("mixtral");
    const auto refused = [&](const char* set, const std::vector<std::string>& words) {
        CAPTURE(set);
        tests::checkThrows(
            [&] {
                static_cast<void>(
                    experiments::removalBranches({.removals = {set}}, opened.model.spec));
            },
            ErrorCode::Usage, words);
    };
    refused("9:0", {"9:0", "layers 0 to 2"});
    refused("1:7", {"layer 1", "experts 0 to 6"});
    refused("7", {"experts 0 to 6"});
    refused("0:0,0:1,0:2,0:3,0:4,0:5", {"layer 0", "would keep 1"});
    for (const char* text : {"", "x", "1:", ":1", "1:2:3", "1,,2", "-1", "1:-2"}) {
        refused(text, {"LAYER:EXPERT"});
    }
}

TEST_CASE("ExpertRemoval: kept results stand for branches that are not passed again",
          "[core][experiments]") {
    Opened opened("mixtral");
    const experiments::ExperimentOptions options{.removals = {"all", "0:1,2:3"},
                                                 .removalControls = 1};
    const session::Part whole = removalOf(opened, 1000, options);
    const engine::ModelContext context{opened.model.spec, opened.model.checkpoint,
                                       opened.reference.corpus};
    const auto first = experiments::makeExpertRemoval(options);
    const auto branches = first->branches(opened.model.spec);
    first->begin(context, branches);
    opened.pass(branches, 1000, [&](const engine::LogitsBlock& block) { first->consume(block); });
    const auto second = experiments::makeExpertRemoval(options);
    second->begin(context, branches);
    opened.pass({}, 1, [&](const engine::LogitsBlock& block) { second->consume(block); });
    for (std::size_t b = 0; b < branches.size(); ++b) {
        second->restore(b, first->result(b));
    }
    CHECK_THROWS_AS(second->restore(0, std::vector<double>{1.0}), Error);
    struct Nothing final : engine::PartSource {
        [[nodiscard]] NdArray read(LayerId, std::string_view) const override { return {}; }
        [[nodiscard]] std::vector<LayerId> layers() const override { return {}; }
    };
    const session::Part part = second->finishModel(context, Nothing()).value();
    REQUIRE(part.quantities.size() == whole.quantities.size());
    for (const session::Quantity& q : whole.quantities) {
        CAPTURE(q.name);
        const auto bytes = [](const NdArray& values) {
            return std::vector<std::byte>(values.bytes().begin(), values.bytes().end());
        };
        const bool same = bytes(quantity(part, q.name).values) == bytes(q.values);  // NaN too
        CHECK(same);
    }
}

namespace {

/// A part as a session would hold it.
class HeldPart final : public engine::KeptPart {
public:
    explicit HeldPart(session::Part part) : m_part(std::move(part)) {}
    [[nodiscard]] std::optional<session::Quantity> read(std::string_view name) const override {
        for (const session::Quantity& each : m_part.quantities) {
            if (each.name == name) {
                return each;
            }
        }
        return std::nullopt;
    }
    NdArray& values(const std::string& name) {
        for (session::Quantity& each : m_part.quantities) {
            if (each.name == name) {
                return each.values;
            }
        }
        throw std::runtime_error(name);
    }

private:
    session::Part m_part;
};

}  // namespace

TEST_CASE("ExpertRemoval: what a session holds is known again by what was removed",
          "[core][experiments]") {
    Opened opened("mixtral");
    const experiments::ExperimentOptions options{.removals = {"all", "0:1", "2:5"},
                                                 .removalControls = 2};
    HeldPart held(removalOf(opened, 1000, options));
    const auto probe = experiments::makeExpertRemoval(options);
    const auto branches = probe->branches(opened.model.spec);
    const engine::ModelContext context{opened.model.spec, opened.model.checkpoint,
                                       opened.reference.corpus};
    probe->begin(context, branches);
    const auto recalled = [&](const engine::KeptPart& part) {
        std::set<std::string> names;
        probe->recall(opened.model.spec, part,
                      [&](std::size_t branch, const std::vector<double>& result) {
                          CHECK(result.size() == probe->resultSize(branch));
                          names.insert(branches[branch].name);
                      });
        return names;
    };
    CHECK(recalled(held).size() == branches.size());
    // Another run drew another expert as the second control of the second set.
    NdArray& experts = held.values("set_control_experts");  // set, control, layer, expert
    REQUIRE(experts.at(3 * 4) == 1.0);
    REQUIRE(experts.at(3 * 4 + 1) == 1.0);
    const double drawn = experts.at(3 * 4 + 3);
    experts.values<std::uint32_t>()[3 * 4 + 3] = drawn == 0.0 ? 1 : 0;
    const std::set<std::string> others = recalled(held);
    CHECK(others.size() == branches.size() - 1);
    CHECK_FALSE(others.contains(experiments::nameOfControl("2:5", 1)));
    CHECK(others.contains(experiments::nameOfControl("2:5", 0)));
    // Before the branches are known a name is all there is.
    std::size_t names = 0;
    experiments::makeExpertRemoval(options)->recall(opened.model.spec, held,
                                                    [&](std::size_t, const auto&) { ++names; });
    CHECK(names == branches.size());
}
