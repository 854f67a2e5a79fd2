// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/expert_removal.h"

#include "core/experiments/id_texts.h"
#include "core/experiments/kept_controls.h"
#include "core/experiments/loss_probe.h"
#include "core/experiments/removal_branches.h"
#include "core/experiments/removal_tables.h"
#include "core/experiments/removed_experts.h"
#include "core/experiments/routed_layers.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace moescope::experiments {
namespace {

/// What losses and predictions of single tokens may take unless told otherwise.
constexpr std::uint64_t kKeptBytes = std::uint64_t{256} << 20U;

class ExpertRemoval final : public LossProbe {
public:
    explicit ExpertRemoval(ExperimentOptions options) : m_options(std::move(options)) {}

    [[nodiscard]] std::string_view experiment() const override { return "expert_removal"; }

    void check(const engine::LayerContext& layer) const override {
        for (const std::string& set : m_options.removals) {
            if (set != kEachInTurn) {
                static_cast<void>(layersOfSet(set, layer.model));  // throws where it cannot go
            }
        }
    }

    [[nodiscard]] std::vector<engine::Intervention> branches(
        const model::ModelSpec& model) const override {
        return removalBranches(m_options, model).branches;
    }

    /// Controls are as busy as their sets: known once the text has passed the intact model.
    [[nodiscard]] std::vector<engine::Intervention> branchesFrom(
        const model::ModelSpec& model, const engine::ResultSource& results) const override {
        ExpertLoads loads;
        for (const RoutedLayer& layer : routedLayers(model)) {
            const bool isNeeded =
                m_options.removalControls > 0 &&
                std::any_of(m_options.removals.begin(), m_options.removals.end(),
                            [&](const std::string& set) { return isIn(set, layer, model); });
            if (isNeeded) {
                loads[layer.layer.value] = useOf(results, layer, false).tokens;
            }
        }
        return removalBranches(m_options, model, loads).branches;
    }

    [[nodiscard]] std::vector<std::string_view> sources() const override {
        return {"chosen_experts"};
    }

    [[nodiscard]] std::uint64_t stateBytes(const model::ModelSpec& model,
                                           std::uint64_t tokens) const override {
        return keptBranches(removalBranches(m_options, model), tokens).count() * tokens *
               kTokenOutcomeBytes;
    }

    [[nodiscard]] std::uint64_t partBytes(const model::ModelSpec& model,
                                          std::uint64_t tokens) const override {
        return LossProbe::partBytes(model, tokens) + stateBytes(model, tokens) +
               tokens * kTokenOutcomeBytes;
    }

    [[nodiscard]] std::string keptNote(const model::ModelSpec& model,
                                       const text::TokenizedCorpus& corpus) const override {
        const RemovalBranches planned = removalBranches(m_options, model);
        const Kept kept = keptBranches(planned, corpus.ids.size());
        if (kept.everywhere == planned.everywhere && kept.single == planned.single) {
            return {};
        }
        return fmt::format(
            "losses and predictions of single tokens are kept of chosen sets{}, not of {}: they "
            "take "
            "more than {} MiB (--kept-size allows more)",
            kept.everywhere > 0 ? " and of an index in all layers" : "",
            kept.everywhere < planned.everywhere ? "removals in turn" : "removals in one layer",
            m_options.keptBytes.value_or(kKeptBytes) >> 20U);
    }

protected:
    void prepare(const engine::ModelContext& model, const std::vector<engine::Intervention>& passed,
                 BranchMeasures& losses) override {
        m_planned = removalBranches(m_options, model.model);
        m_planned.branches = passed;
        const Kept kept = keptBranches(m_planned, model.corpus.ids.size());
        for (std::size_t branch = 0; branch < kept.everywhere; ++branch) {
            losses.keepTokens(branch);
        }
        for (std::size_t branch = 0; branch < kept.single; ++branch) {
            losses.keepTokens(m_planned.everywhere + branch);
        }
        for (std::size_t set = 0; set < m_planned.sets.size(); ++set) {
            losses.keepTokens(m_planned.setBranches[set]);
        }
    }

    void addTables(const engine::ModelContext& model, const BranchMeasures& losses,
                   Progress progress, session::Part& part) const override {
        RemovalTables(m_planned, losses, progress == Progress::Done).add(model.model, part);
        if (progress == Progress::Running) {
            return;
        }
        const BranchMeasures::TokenRows intact = losses.tokens(std::nullopt);
        part.quantities.push_back({"token_loss",
                                   {{"token", {}}},
                                   "loss of the token that follows, intact model",
                                   "nat",
                                   NdArray::from<float>({intact.loss.size()}, intact.loss)});
        part.quantities.push_back(
            {"predicted",
             {{"token", {}}},
             "token id that the intact model predicts next",
             "1",
             NdArray::from<std::uint32_t>({intact.predicted.size()}, intact.predicted)});
        addIdTexts(model, part);
    }

    /// What is to have its tokens now and has not passes again.
    void recallByName(const model::ModelSpec& model, const engine::KeptPart& part,
                      const NamedResult& found) const override {
        using Labels = std::vector<std::string>;
        const auto intact = part.read("token_loss");
        const Kept kept = keptBranches(removalBranches(m_options, model),
                                       intact ? intact->values.size() : std::uint64_t{0});
        const auto needs = [this](std::size_t ofKind) {
            return RecallNeeds{.choices = hasChoices(), .tokens = ofKind > 0};
        };
        recallTable(
            part, needs(kept.everywhere), "everywhere", 1,
            [](const Labels& labels) { return nameEverywhere(labels[0]); }, found);
        recallTable(
            part, needs(kept.single), "single", 2,
            [](const Labels& labels) { return nameSingle(labels[0], labels[1]); }, found);
        recallTable(
            part, needs(kept.sets), "set", 1,
            [](const Labels& labels) { return nameOfSet(labels[0]); }, found);
        const KeptControls controls(part);
        recallTable(
            part, needs(0), "set_controls", 2,
            [&](const Labels& labels) {
                std::size_t control = 0;  // a label of another form stands for none
                const char* const end = labels[1].data() + labels[1].size();
                const auto read = std::from_chars(labels[1].data(), end, control);
                const std::string name = nameOfControl(labels[0], control);
                return read.ptr == end && isPassed(name, controls.of(labels[0], labels[1]))
                           ? name
                           : std::string();
            },
            found);
    }

private:
    [[nodiscard]] bool hasChoices() const { return !m_options.choices.empty(); }

    /// How many branches of a kind have their tokens kept.
    struct Kept {
        std::size_t everywhere = 0, single = 0, sets = 0;
        [[nodiscard]] std::size_t count() const { return everywhere + single + sets; }
    };
    /// All of a kind or none: chosen sets always, then what there is room for.
    [[nodiscard]] Kept keptBranches(const RemovalBranches& planned, std::uint64_t tokens) const {
        const std::uint64_t room = m_options.keptBytes.value_or(kKeptBytes) /
                                   std::max<std::uint64_t>(tokens * kTokenOutcomeBytes, 1);
        Kept kept{.sets = planned.sets.size()};
        kept.everywhere = kept.sets + planned.everywhere <= room ? planned.everywhere : 0;
        kept.single = kept.everywhere == planned.everywhere &&
                              kept.sets + kept.everywhere + planned.single <= room
                          ? planned.single
                          : 0;
        return kept;
    }

    /// Whether a control of that name goes without these experts; before begin() that is not known.
    [[nodiscard]] bool isPassed(const std::string& name,
                                const std::vector<RemovedExpert>& removed) const {
        if (removed.empty()) {
            return false;
        }
        const auto branch =
            std::find_if(m_planned.branches.begin(), m_planned.branches.end(),
                         [&](const engine::Intervention& each) { return each.name == name; });
        return branch == m_planned.branches.end() || removedBy(*branch) == removed;
    }

    static bool isIn(const std::string& set, const RoutedLayer& layer,
                     const model::ModelSpec& model) {
        if (set == kEachInTurn) {
            return false;
        }
        const std::vector<int> layers = layersOfSet(set, model);
        return std::find(layers.begin(), layers.end(), layer.layer.value) != layers.end();
    }

    ExperimentOptions m_options;
    RemovalBranches m_planned;
};

}  // namespace

std::unique_ptr<engine::BranchProbe> makeExpertRemoval(const ExperimentOptions& options) {
    return std::make_unique<ExpertRemoval>(options);
}

}  // namespace moescope::experiments
