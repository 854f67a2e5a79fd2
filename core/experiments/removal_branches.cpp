// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/removal_branches.h"

#include "core/base/error.h"
#include "core/numerics/like_load.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
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
            branchOf(model, nameEverywhere(std::to_string(e)), inAllLayers(model, e)));
        ++result.everywhere;
    }
    for (int l = 0; l < model.layerCount(); ++l) {
        for (int e = 0; canLose(layerAt(model, l)) && e < layerAt(model, l).moe->experts; ++e) {
            result.branches.push_back(
                branchOf(model, nameSingle(std::to_string(l), std::to_string(e)), {{l, {e}}}));
            ++result.single;
        }
    }
}

/// What a set means for this model; `what` names it in messages.
Removed resolved(const model::ModelSpec& model, const std::string& set, const std::string& what) {
    const auto refuse = [&what](const std::string& why) {
        throw Error(ErrorCode::Usage, fmt::format("{}: {}.", what, why));
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

Removed resolved(const model::ModelSpec& model, const std::string& set) {
    return resolved(model, set, "--remove " + set);
}

std::uint64_t seedOf(const std::string& set, int layer) {
    std::uint64_t seed = 0xC4;
    for (const char c : set) {
        seed = seed * 131 + static_cast<unsigned char>(c);
    }
    return seed * 131 + static_cast<std::uint64_t>(layer);
}

/// The i-th nearest of each layer make the i-th control. Where one layer has fewer than another,
/// its own come again; no control is another's double.
std::vector<Removed> controlsOf(const model::ModelSpec& model, const std::string& set,
                                const Removed& removed, const ExpertLoads& loads,
                                std::size_t count) {
    std::size_t most = 0;
    for (const auto& [layer, experts] : removed) {
        const auto all = static_cast<std::size_t>(layerAt(model, layer).moe->experts);
        most = std::max(most, numerics::countSetsOfLikeLoad(all, experts.size(), count));
    }
    std::vector<Removed> controls(most);
    for (const auto& [layer, experts] : removed) {
        const auto known = loads.find(layer);
        const auto all = static_cast<std::size_t>(layerAt(model, layer).moe->experts);
        const std::vector<std::uint64_t> tokens =
            known == loads.end() ? std::vector<std::uint64_t>(all) : known->second;
        const auto sets = numerics::setsOfLikeLoad(tokens, {experts.begin(), experts.end()}, count,
                                                   seedOf(set, layer));
        for (std::size_t c = 0; c < most && !sets.empty(); ++c) {
            const std::vector<int>& control = sets.at(c % sets.size());
            controls[c][layer] = {control.begin(), control.end()};
        }
    }
    return controls;
}

}  // namespace

bool canLose(const model::LayerSpec& layer) {
    return layer.isRouted() && layer.moe->experts > layer.moe->topK;
}

std::string nameEverywhere(std::string_view expert) {
    return fmt::format("without expert {}", expert);
}

std::string nameSingle(std::string_view layer, std::string_view expert) {
    return fmt::format("layer {} without expert {}", layer, expert);
}

std::string nameOfSet(std::string_view set) {
    return fmt::format("without {}", set);
}

std::string nameOfControl(std::string_view set, std::size_t control) {
    return fmt::format("control {} of {}", control + 1, set);
}

engine::Intervention withoutSet(const model::ModelSpec& model, const std::string& set,
                                const std::string& what, std::string name) {
    return branchOf(model, std::move(name), resolved(model, set, what));
}

std::vector<int> layersOfSet(const std::string& set, const model::ModelSpec& model) {
    std::vector<int> layers;
    for (const auto& [layer, experts] : resolved(model, set)) {
        layers.push_back(layer);
    }
    return layers;
}

std::vector<int> removedIn(const engine::LayerIntervention& change) {
    std::vector<int> removed;
    for (std::size_t e = 0; e < change.logitBias.size(); ++e) {
        if (std::isinf(change.logitBias[e])) {
            removed.push_back(static_cast<int>(e));
        }
    }
    return removed;
}

std::vector<RemovedExpert> removedBy(const engine::Intervention& branch) {
    std::vector<RemovedExpert> removed;
    for (const auto& [layer, change] : branch.layers) {
        for (const int expert : removedIn(change)) {
            removed.push_back({layer.value, expert});
        }
    }
    return removed;
}

RemovalBranches removalBranches(const ExperimentOptions& options, const model::ModelSpec& model,
                                const ExpertLoads& loads) {
    RemovalBranches result;
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
        result.setBranches.push_back(result.branches.size());
        result.branches.push_back(branchOf(model, nameOfSet(set), removed));
        const auto controls = controlsOf(model, set, removed, loads,
                                         static_cast<std::size_t>(options.removalControls));
        result.controls.push_back(controls.size());
        for (std::size_t c = 0; c < controls.size(); ++c) {
            result.branches.push_back(branchOf(model, nameOfControl(set, c), controls[c]));
        }
    }
    return result;
}

}  // namespace moescope::experiments
