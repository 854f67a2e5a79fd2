// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/removal_branches.h"

#include "core/base/error.h"
#include "core/experiments/removed_experts.h"
#include "core/numerics/resampling.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace moescope::experiments {
namespace {

/// Experts by layer.
using Removed = std::map<int, std::set<int>>;

const model::LayerSpec& layerAt(const model::ModelSpec& model, int layer) {
    return model.layers[static_cast<std::size_t>(layer)];
}

engine::Intervention branchOf(const model::ModelSpec& model, std::string name,
                              const Removed& removed) {
    engine::Intervention branch;
    branch.name = std::move(name);
    for (const auto& [layer, experts] : removed) {
        branch.layers.emplace_back(
            LayerId{layer}, engine::LayerIntervention::without(layerAt(model, layer).moe->experts,
                                                               {experts.begin(), experts.end()}));
    }
    return branch;
}

/// Experts that every routed layer has: an index removed everywhere must be in all of them.
int commonExperts(const model::ModelSpec& model) {
    int common = 0;
    for (const model::LayerSpec& layer : model.layers) {
        if (layer.isRouted()) {
            common = common == 0 ? layer.moe->experts : std::min(common, layer.moe->experts);
        }
    }
    return common;
}

Removed inAllLayers(const model::ModelSpec& model, int expert) {
    Removed removed;
    for (int l = 0; l < model.layerCount(); ++l) {
        if (layerAt(model, l).isRouted()) {
            removed[l].insert(expert);
        }
    }
    return removed;
}

void addEachInTurn(const model::ModelSpec& model, RemovalBranches& result) {
    const bool everywhere =
        std::all_of(model.layers.begin(), model.layers.end(),
                    [](const auto& layer) { return !layer.isRouted() || canLose(layer); });
    for (int e = 0; everywhere && e < commonExperts(model); ++e) {
        result.branches.push_back(
            branchOf(model, fmt::format("without expert {}", e), inAllLayers(model, e)));
        ++result.everywhere;
    }
    for (int l = 0; l < model.layerCount(); ++l) {
        for (int e = 0; canLose(layerAt(model, l)) && e < layerAt(model, l).moe->experts; ++e) {
            result.branches.push_back(
                branchOf(model, fmt::format("layer {} without expert {}", l, e), {{l, {e}}}));
            ++result.single;
        }
    }
}

/// What a set means for this model.
Removed resolved(const model::ModelSpec& model, const std::string& set) {
    const auto refuse = [&set](const std::string& why) {
        throw Error(ErrorCode::Usage, fmt::format("--remove {}: {}.", set, why));
    };
    Removed removed;
    for (const RemovedExpert& one : parseRemoved(set)) {
        if (one.layer &&
            (*one.layer >= model.layerCount() || !layerAt(model, *one.layer).isRouted())) {
            refuse(*one.layer >= model.layerCount()
                       ? fmt::format("the model has layers 0 to {}", model.layerCount() - 1)
                       : fmt::format("layer {} has no experts", *one.layer));
        }
        const Removed more =
            one.layer ? Removed{{*one.layer, {one.expert}}} : inAllLayers(model, one.expert);
        for (const auto& [layer, experts] : more) {
            const int all = layerAt(model, layer).moe->experts;
            if (one.expert >= all) {
                refuse(fmt::format("layer {} has experts 0 to {}", layer, all - 1));
            }
            removed[layer].insert(experts.begin(), experts.end());
        }
    }
    for (const auto& [layer, experts] : removed) {
        const model::MoeSpec& moe = *layerAt(model, layer).moe;
        if (moe.experts - static_cast<int>(experts.size()) < moe.topK) {
            refuse(fmt::format("layer {} chooses {} of its {} experts and would keep {}", layer,
                               moe.topK, moe.experts,
                               moe.experts - static_cast<int>(experts.size())));
        }
    }
    return removed;
}

Removed controlOf(const model::ModelSpec& model, const Removed& removed,
                  numerics::RandomBits& random) {
    Removed control;
    for (const auto& [layer, experts] : removed) {
        const int all = layerAt(model, layer).moe->experts;
        std::vector<int> others;
        for (int e = 0; e < all; ++e) {
            if (!experts.contains(e)) {
                others.push_back(e);
            }
        }
        if (others.size() < experts.size()) {
            others.insert(others.end(), experts.begin(), experts.end());
        }
        for (std::size_t i = 0; i < experts.size(); ++i) {
            std::swap(others[i], others[i + random.below(others.size() - i)]);
            control[layer].insert(others[i]);
        }
    }
    return control;
}

}  // namespace

bool canLose(const model::LayerSpec& layer) {
    return layer.isRouted() && layer.moe->experts > layer.moe->topK;
}

RemovalBranches removalBranches(const ExperimentOptions& options, const model::ModelSpec& model) {
    RemovalBranches result;
    result.controls = static_cast<std::size_t>(options.removalControls);
    if (options.removals.empty()) {
        addEachInTurn(model, result);
    }
    for (const std::string& set : options.removals) {
        if (set == kEachInTurn) {
            addEachInTurn(model, result);
            continue;
        }
        const Removed removed = resolved(model, set);
        result.sets.push_back(set);
        result.branches.push_back(branchOf(model, "without " + set, removed));
        std::uint64_t seed = 0xC4;
        for (const char c : set) {
            seed = seed * 131 + static_cast<unsigned char>(c);
        }
        numerics::RandomBits random(seed);
        for (std::size_t control = 0; control < result.controls; ++control) {
            result.branches.push_back(branchOf(model,
                                               fmt::format("control {} of {}", control + 1, set),
                                               controlOf(model, removed, random)));
        }
    }
    return result;
}

}  // namespace moescope::experiments
