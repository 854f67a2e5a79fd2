// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/fewer_experts.h"

#include "core/experiments/loss_probe.h"
#include "core/experiments/routed_layers.h"

#include <algorithm>
#include <numeric>
#include <set>

namespace moescope::experiments {
namespace {

/// Up to so many experts every number of them is tried.
constexpr int kMostExpertsOneByOne = 16;
constexpr int kSteps = 8;

/// Numbers of experts that are kept: every one, or eighths of them, from k on.
std::vector<int> keptCounts(const std::vector<RoutedLayer>& layers) {
    int experts = 0;
    int topK = 0;
    for (const RoutedLayer& layer : layers) {
        experts = std::max(experts, layer.experts);
        topK = std::max(topK, layer.topK);
    }
    std::set<int> counts;
    if (topK >= experts) {
        return {};  // every expert is chosen for every token
    }
    if (experts <= kMostExpertsOneByOne) {
        for (int n = topK; n < experts; ++n) {
            counts.insert(n);
        }
        return {counts.begin(), counts.end()};
    }
    for (int step = 1; step < kSteps; ++step) {
        counts.insert(std::clamp(experts * step / kSteps, topK, experts - 1));
    }
    counts.insert(topK);
    return {counts.begin(), counts.end()};
}

/// All but the `kept` most used, ties to the lower index; a layer keeps as many as it chooses.
std::vector<std::size_t> leastUsed(const std::vector<std::uint64_t>& loads, int kept, int topK) {
    std::vector<std::size_t> order(loads.size());
    std::iota(order.begin(), order.end(), 0U);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return loads[a] > loads[b]; });
    const auto first = static_cast<std::size_t>(std::max(kept, topK));
    order.erase(order.begin(),
                order.begin() + static_cast<std::ptrdiff_t>(std::min(first, order.size())));
    return order;
}

class FewerExperts final : public LossProbe {
public:
    [[nodiscard]] std::string_view experiment() const override { return "fewer_experts"; }

    /// With the last experts in place of the least used: as many.
    [[nodiscard]] std::vector<engine::Intervention> branches(
        const model::ModelSpec& model) const override {
        std::vector<std::vector<std::uint64_t>> loads;
        for (const RoutedLayer& layer : routedLayers(model)) {
            loads.emplace_back(static_cast<std::size_t>(layer.experts));
        }
        return branchesOf(model, loads);
    }

    [[nodiscard]] std::vector<engine::Intervention> branchesFrom(
        const model::ModelSpec& model, const engine::ResultSource& results) const override {
        std::vector<std::vector<std::uint64_t>> loads;
        for (const RoutedLayer& layer : routedLayers(model)) {
            loads.push_back(useOf(results, layer, false).tokens);
        }
        return branchesOf(model, loads);
    }

    [[nodiscard]] std::vector<std::string_view> sources() const override {
        return {"chosen_experts"};
    }

protected:
    void addTables(const engine::ModelContext& model, const BranchMeasures& losses, Progress,
                   session::Part& part) const override {
        const std::vector<RoutedLayer> layers = routedLayers(model.model);
        std::vector<std::string> from;
        from.reserve(layers.size());
        for (const RoutedLayer& layer : layers) {
            from.push_back(std::to_string(layer.layer.value));
        }
        const auto labels = [](const std::vector<int>& counts) {
            std::vector<std::string> texts;
            texts.reserve(counts.size());
            for (const int count : counts) {
                texts.push_back(std::to_string(count));
            }
            return texts;
        };
        const std::vector<int> chosen = chosenCounts(layers);
        const std::vector<int> kept = keptCounts(layers);
        if (!chosen.empty()) {
            losses.addTable("chosen", {{"from_layer", from}, {"chosen", labels(chosen)}},
                            "so many experts chosen for a token from the layer on", 0, part);
        }
        if (!kept.empty()) {
            losses.addTable("kept", {{"from_layer", from}, {"kept", labels(kept)}},
                            "so many of the most used experts left from the layer on",
                            layers.size() * chosen.size(), part);
        }
    }

private:
    /// 1 ... k - 1.
    static std::vector<int> chosenCounts(const std::vector<RoutedLayer>& layers) {
        int topK = 1;
        for (const RoutedLayer& layer : layers) {
            topK = std::max(topK, layer.topK);
        }
        std::vector<int> counts(static_cast<std::size_t>(topK - 1));
        std::iota(counts.begin(), counts.end(), 1);
        return counts;
    }

    static std::vector<engine::Intervention> branchesOf(
        const model::ModelSpec& model, const std::vector<std::vector<std::uint64_t>>& loads) {
        const std::vector<RoutedLayer> layers = routedLayers(model);
        std::vector<engine::Intervention> result;
        for (std::size_t from = 0; from < layers.size(); ++from) {
            for (const int count : chosenCounts(layers)) {
                engine::Intervention branch;
                branch.name = "from layer " + std::to_string(layers[from].layer.value) + " top " +
                              std::to_string(count);
                for (std::size_t l = from; l < layers.size(); ++l) {
                    if (count < layers[l].topK) {
                        branch.layers.emplace_back(layers[l].layer, engine::LayerIntervention());
                        branch.layers.back().second.topK = count;
                    }
                }
                result.push_back(std::move(branch));
            }
        }
        for (std::size_t from = 0; from < layers.size(); ++from) {
            for (const int count : keptCounts(layers)) {
                engine::Intervention branch;
                branch.name = "from layer " + std::to_string(layers[from].layer.value) + " the " +
                              std::to_string(count) + " most used experts";
                for (std::size_t l = from; l < layers.size(); ++l) {
                    removeExperts(layers[l], leastUsed(loads[l], count, layers[l].topK), branch);
                }
                result.push_back(std::move(branch));
            }
        }
        return result;
    }
};

}  // namespace

std::unique_ptr<engine::BranchProbe> makeFewerExperts() {
    return std::make_unique<FewerExperts>();
}

}  // namespace moescope::experiments
