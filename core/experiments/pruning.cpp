// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/pruning.h"

#include "core/experiments/loss_probe.h"
#include "core/experiments/routed_layers.h"
#include "core/numerics/resampling.h"

#include <fmt/format.h>

#include <functional>
#include <utility>

namespace moescope::experiments {
namespace {

constexpr std::size_t kRandomDraws = 3;
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

class Pruning final : public LossProbe {
public:
    explicit Pruning(ExperimentOptions options) : m_options(std::move(options)) {}

    [[nodiscard]] std::string_view experiment() const override { return "pruning"; }

    /// With other experts: as many.
    [[nodiscard]] std::vector<engine::Intervention> branches(
        const model::ModelSpec& model) const override {
        return branchesOf(model, [](const RoutedLayer& layer) {
            return Scores(rowNames().size(),
                          std::vector<double>(static_cast<std::size_t>(layer.experts)));
        });
    }

    [[nodiscard]] std::vector<engine::Intervention> branchesFrom(
        const model::ModelSpec& model, const engine::ResultSource& results) const override {
        return branchesOf(model, [&](const RoutedLayer& layer) {
            const numerics::ExpertUse use = useOf(results, layer, true);
            std::uint64_t assignments = 0;
            for (const std::uint64_t tokens : use.tokens) {
                assignments += tokens;
            }
            return scoresOf(use, layer, assignments / static_cast<std::uint64_t>(layer.topK));
        });
    }

    [[nodiscard]] std::vector<std::string_view> sources() const override {
        return {"chosen_experts", "importance"};
    }

protected:
    void addTables(const engine::ModelContext&, const BranchMeasures& losses, Progress,
                   session::Part& part) const override {
        std::vector<std::string> shares;
        shares.reserve(numerics::kPrunedShares.size());
        for (const double share : numerics::kPrunedShares) {
            shares.push_back(fmt::format("{}", share));
        }
        losses.addTable("curves", {{"criterion", rowNames()}, {"share", shares}},
                        "without the lowest share of each layer's experts", 0, part);
    }

    void recallByName(const engine::KeptPart& part, const NamedResult& found) const override {
        recallTable(
            part, !m_options.choices.empty(), "curves", {},
            [](const std::vector<std::string>& labels) { return nameOf(labels[0], labels[1]); },
            found);
    }

private:
    static std::string nameOf(std::string_view criterion, std::string_view share) {
        return fmt::format("without {} of the experts, the lowest by {}", share, criterion);
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
};

}  // namespace

std::unique_ptr<engine::BranchProbe> makePruning(const ExperimentOptions& options) {
    return std::make_unique<Pruning>(options);
}

}  // namespace moescope::experiments
