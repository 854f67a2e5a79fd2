// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/intervention.h"
#include "core/experiments/options.h"
#include "core/experiments/removed_experts.h"
#include "core/model/model_spec.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace moescope::experiments {

/// Tokens of each expert, by layer.
using ExpertLoads = std::map<int, std::vector<std::uint64_t>>;

/// The removals that the options ask for, branch after branch: every index in all layers, every
/// expert of every layer alone, then each chosen set followed by its controls.
struct RemovalBranches {
    std::vector<engine::Intervention> branches;  ///< each named, no two alike
    std::size_t everywhere = 0;                  ///< how many are of an index in all layers
    std::size_t single = 0;                      ///< how many are of one expert in one layer
    std::vector<std::string> sets;               ///< as experiments::describe() says them
    std::vector<std::size_t> setBranches;        ///< index of each set's branch
    std::vector<std::size_t> controls;           ///< of each set; they follow its branch
    [[nodiscard]] std::size_t ofControl(std::size_t set, std::size_t control) const {
        return setBranches[set] + 1 + control;
    }
};

/// Names of branches: with the same model and text a name says which experts are gone.
[[nodiscard]] std::string nameEverywhere(std::string_view expert);
[[nodiscard]] std::string nameSingle(std::string_view layer, std::string_view expert);
[[nodiscard]] std::string nameOfSet(std::string_view set);
[[nodiscard]] std::string nameOfControl(std::string_view set, std::size_t control);

/// A layer must keep as many experts as it chooses: one expert can be removed from it.
[[nodiscard]] bool canLose(const model::LayerSpec& layer);

/// The branch without the experts of a set, under that name. Throws as removalBranches() does;
/// `what` says in the message what is wrong: "list reap-25".
[[nodiscard]] engine::Intervention withoutSet(const model::ModelSpec& model, const std::string& set,
                                              const std::string& what, std::string name);

/// The layers that a set removes experts of. Throws as removalBranches() does.
[[nodiscard]] std::vector<int> layersOfSet(const std::string& set, const model::ModelSpec& model);
/// The experts of a layer that a branch removes, ascending.
[[nodiscard]] std::vector<int> removedIn(const engine::LayerIntervention& change);
/// All that a branch removes, layer after layer.
[[nodiscard]] std::vector<RemovedExpert> removedBy(const engine::Intervention& branch);

/// A control removes as many experts from each layer as its set does, of like load
/// (numerics::setsOfLikeLoad); while loads are not known, the set stands for each of them. There
/// are as many as asked for, unless none of the set's layers has so many different ones. Throws
/// Error(Usage) for a set that names a layer or expert that is not there, or leaves a layer fewer
/// than it chooses.
[[nodiscard]] RemovalBranches removalBranches(const ExperimentOptions& options,
                                              const model::ModelSpec& model,
                                              const ExpertLoads& loads = {});

}  // namespace moescope::experiments
