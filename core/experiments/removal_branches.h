// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/intervention.h"
#include "core/experiments/options.h"
#include "core/model/model_spec.h"

#include <cstddef>
#include <string>
#include <vector>

namespace moescope::experiments {

/// The removals that the options ask for, branch after branch: every index in all layers, every
/// expert of every layer alone, then each chosen set followed by its controls.
struct RemovalBranches {
    std::vector<engine::Intervention> branches;  ///< each named, no two alike
    std::size_t everywhere = 0;                  ///< how many are of an index in all layers
    std::size_t single = 0;                      ///< how many are of one expert in one layer
    std::vector<std::string> sets;               ///< as experiments::describe() says them
    std::size_t controls = 0;                    ///< of each set
    /// Index of the branch of a set, or of its control.
    [[nodiscard]] std::size_t ofSet(std::size_t set) const {
        return everywhere + single + set * (1 + controls);
    }
    [[nodiscard]] std::size_t ofControl(std::size_t set, std::size_t control) const {
        return ofSet(set) + 1 + control;
    }
};

/// A layer must keep as many experts as it chooses: one expert can be removed from it.
[[nodiscard]] bool canLose(const model::LayerSpec& layer);

/// A control removes as many experts from each layer as its set does, drawn by chance from the
/// others where there are enough of them; the same ones in every run. Throws Error(Usage) for a set
/// that names a layer or expert that is not there, or leaves a layer fewer than it chooses.
[[nodiscard]] RemovalBranches removalBranches(const ExperimentOptions& options,
                                              const model::ModelSpec& model);

}  // namespace moescope::experiments
