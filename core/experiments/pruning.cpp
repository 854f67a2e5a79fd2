// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/pruning.h"

#include "core/base/sha256.h"
#include "core/experiments/loss_probe.h"
#include "core/experiments/pruning_curves.h"
#include "core/experiments/removal_branches.h"
#include "core/experiments/removed_experts.h"
#include "core/experiments/routed_layers.h"
#include "core/numerics/resampling.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <map>
#include <utility>

namespace moescope::experiments {
namespace {

constexpr std::uint64_t kSeed = 0x7072756E696E67ULL;

/// Scores of a layer's experts, one list for each row of the curves; the lowest go.
using Scores = std::vector<std::vector<double>>;

/// Random scores, the same in every run.
std::vector<double> randomScores(const RoutedLayer& layer, std::size_t draw) {
    numerics::RandomBits random(kSeed ^ (static_cast<std::uint64_t>(layer.layer.value) << 32U) ^
                                static_cast<std::uint64_t>(draw));
    std::vector<double> scores;
    scores.reserve(static_cast<std::size_t>(layer.experts));
    for (int e = 0; e < layer.experts; ++e) {
        scores.push_back(static_cast<double>(random() >> 11U));
    }
    return scores;
}

std::vector<std::string> rowNames() {
    std::vector<std::string> names;
    names.reserve(numerics::kUseMeasures.size() + kRandomDraws);
    for (const auto& [measure, id] : numerics::kUseMeasures) {
        names.emplace_back(id);
    }
    for (std::size_t draw = 1; draw <= kRandomDraws; ++draw) {
        names.push_back(fmt::format("random_{}", draw));
    }
    return names;
}

Scores scoresOf(const numerics::ExpertUse& use, const RoutedLayer& layer, std::uint64_t tokens) {
    Scores scores;
    for (const auto& [measure, id] : numerics::kUseMeasures) {
        scores.push_back(numerics::measureOf(use, measure, tokens));
    }
    for (std::size_t draw = 0; draw < kRandomDraws; ++draw) {
        scores.push_back(randomScores(layer, draw));
    }
    return scores;
}

std::string nameOf(std::string_view criterion, std::string_view share) {
    return fmt::format("without {} of the experts, the lowest by {}", share, criterion);
}

/// A set may be thousands of experts: its digest stands for it.
std::string nameOf(const ExpertList& list) {
    Sha256 hash;
    hash.update(list.experts);
    return fmt::format("without the list {} ({})", list.name, hash.hexDigest());
}

constexpr std::size_t kListColumns = 3;  // list, layer, expert

/// The lists of a part, from what they remove; empty where that is not what pruning writes.
std::vector<ExpertList> listsOf(const std::vector<std::string>& names, const NdArray& removed) {
    if (removed.shape().size() != 2 || removed.shape()[1] != kListColumns) {
        return {};
    }
    std::vector<std::vector<RemovedExpert>> experts(names.size());
    constexpr double kMost = std::numeric_limits<int>::max();
    for (std::uint64_t row = 0; row < removed.shape()[0]; ++row) {
        std::array<double, kListColumns> numbers{};
        for (std::size_t column = 0; column < kListColumns; ++column) {
            numbers[column] = removed.at(row * kListColumns + column);
        }
        const auto [list, layer, expert] = numbers;
        const bool isSound = std::all_of(numbers.begin(), numbers.end(), [](double number) {
            return number >= 0.0 && number <= kMost;
        });
        if (!isSound || list >= static_cast<double>(names.size())) {
            return {};
        }
        experts[static_cast<std::size_t>(list)].push_back(
            {static_cast<int>(layer), static_cast<int>(expert)});
    }
    std::vector<ExpertList> lists;
    lists.reserve(names.size());
    for (std::size_t i = 0; i < names.size(); ++i) {
        lists.push_back({names[i], describe(experts[i])});
    }
    return lists;
}

class Pruning final : public LossProbe {
public:
    explicit Pruning(ExperimentOptions options) : m_options(std::move(options)) {}

    [[nodiscard]] std::string_view experiment() const override { return "pruning"; }

    void check(const engine::LayerContext& layer) const override {
        for (const ExpertList& list : m_options.lists) {
            static_cast<void>(branchOf(list, layer.model));  // throws for one that cannot go
        }
    }

    /// With other experts: as many.
    [[nodiscard]] std::vector<engine::Intervention> branches(
        const model::ModelSpec& model) const override {
        return withLists(model, [](const RoutedLayer& layer) {
            return Scores(rowNames().size(),
                          std::vector<double>(static_cast<std::size_t>(layer.experts)));
        });
    }

    [[nodiscard]] std::vector<engine::Intervention> branchesFrom(
        const model::ModelSpec& model, const engine::ResultSource& results) const override {
        return withLists(model, [&](const RoutedLayer& layer) {
            const numerics::ExpertUse use = useOf(results, layer, true);
            std::uint64_t assignments = 0;
            for (const std::uint64_t tokens : use.tokens) {
                assignments += tokens;
            }
            return scoresOf(use, layer, assignments / static_cast<std::uint64_t>(layer.topK));
        });
    }

    [[nodiscard]] std::vector<std::string_view> sources() const override {
        return m_options.curves ? std::vector<std::string_view>{"chosen_experts", "importance"}
                                : std::vector<std::string_view>{};
    }

    [[nodiscard]] std::uint64_t partBytes(const model::ModelSpec& model,
                                          std::uint64_t tokens) const override {
        std::uint64_t removed = 0;
        for (const ExpertList& list : m_options.lists) {
            removed += parseRemoved(list.experts).size();
        }
        return LossProbe::partBytes(model, tokens) + removed * kListColumns * sizeof(std::uint32_t);
    }

protected:
    void prepare(const engine::ModelContext& model, const std::vector<engine::Intervention>& passed,
                 BranchMeasures& losses) override {
        static_cast<void>(model);
        static_cast<void>(losses);
        m_lists.assign(passed.end() - static_cast<std::ptrdiff_t>(m_options.lists.size()),
                       passed.end());
    }

    void addTables(const engine::ModelContext&, const BranchMeasures& losses, Progress,
                   session::Part& part) const override {
        if (!m_options.curves) {
            addLists(0, losses, part);
            return;
        }
        std::vector<std::string> shares;
        shares.reserve(numerics::kPrunedShares.size());
        for (const double share : numerics::kPrunedShares) {
            shares.push_back(fmt::format("{}", share));
        }
        losses.addTable("curves", {{"criterion", rowNames()}, {"share", shares}},
                        "without the lowest share of each layer's experts", 0, part);
        addLists(rowNames().size() * shares.size(), losses, part);
    }

    void recallByName(const model::ModelSpec& model, const engine::KeptPart& part,
                      const NamedResult& found) const override {
        static_cast<void>(model);
        const RecallNeeds needs{.choices = !m_options.choices.empty()};
        recallTable(
            part, needs, "curves", 2,
            [](const std::vector<std::string>& labels) { return nameOf(labels[0], labels[1]); },
            found);
        const auto means = part.read("list");
        const auto removed = part.read("list_removed");
        if (!means || !removed || means->axes.empty()) {
            return;
        }
        std::map<std::string, std::string> names;  // of branches, by label
        for (const ExpertList& list : listsOf(means->axes[0].labels, removed->values)) {
            names.emplace(list.name, nameOf(list));
        }
        recallTable(
            part, needs, "list", 1,
            [&](const std::vector<std::string>& labels) {
                const auto named = names.find(labels[0]);
                return named == names.end() ? std::string() : named->second;
            },
            found);
    }

private:
    static engine::Intervention branchOf(const ExpertList& list, const model::ModelSpec& model) {
        return withoutSet(model, list.experts, "list " + list.name, nameOf(list));
    }

    /// Those of the curves, where they are asked for; the lists' come last.
    [[nodiscard]] std::vector<engine::Intervention> withLists(
        const model::ModelSpec& model,
        const std::function<Scores(const RoutedLayer&)>& scoresAt) const {
        std::vector<engine::Intervention> result;
        if (m_options.curves) {
            result = branchesOf(model, scoresAt);
        }
        result.reserve(result.size() + m_options.lists.size());
        for (const ExpertList& list : m_options.lists) {
            result.push_back(branchOf(list, model));
        }
        return result;
    }

    /// What came of the lists, and which experts they remove.
    void addLists(std::size_t first, const BranchMeasures& losses, session::Part& part) const {
        if (m_lists.empty()) {
            return;
        }
        std::vector<std::string> names;
        std::vector<std::uint32_t> removed;
        for (std::size_t list = 0; list < m_lists.size(); ++list) {
            names.push_back(m_options.lists[list].name);
            for (const RemovedExpert& one : removedBy(m_lists[list])) {
                removed.insert(removed.end(), {static_cast<std::uint32_t>(list),
                                               static_cast<std::uint32_t>(one.layer.value_or(0)),
                                               static_cast<std::uint32_t>(one.expert)});
            }
        }
        losses.addTable("list", {{"list", names}}, "without the experts of this list", first, part);
        part.quantities.push_back(
            {"list_removed",
             {{"removed", {}}, {"column", {"list", "layer", "expert"}}},
             "experts that the lists remove",
             "1",
             NdArray::from<std::uint32_t>({removed.size() / kListColumns, kListColumns}, removed)});
    }

    static std::vector<engine::Intervention> branchesOf(
        const model::ModelSpec& model, const std::function<Scores(const RoutedLayer&)>& scoresAt) {
        const std::vector<std::string> rows = rowNames();
        std::vector<engine::Intervention> result;
        for (const std::string& row : rows) {
            for (const double share : numerics::kPrunedShares) {
                engine::Intervention branch;
                branch.name = nameOf(row, fmt::format("{}", share));
                result.push_back(std::move(branch));
            }
        }
        for (const RoutedLayer& layer : routedLayers(model)) {
            const Scores scores = scoresAt(layer);
            std::size_t branch = 0;
            for (const std::vector<double>& row : scores) {
                for (const double share : numerics::kPrunedShares) {
                    const std::size_t count =
                        numerics::prunedCount(share, layer.experts, layer.topK);
                    removeExperts(layer, numerics::lowestPlaces(row, count), result[branch++]);
                }
            }
        }
        return result;
    }

    ExperimentOptions m_options;
    std::vector<engine::Intervention> m_lists;  ///< branches of the lists
};

}  // namespace

std::unique_ptr<engine::BranchProbe> makePruning(const ExperimentOptions& options) {
    return std::make_unique<Pruning>(options);
}

}  // namespace moescope::experiments
