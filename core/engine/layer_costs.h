// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/run_plan.h"

#include <cstdint>
#include <vector>

namespace moescope::engine {

/// Memory that a run's layers ask for, in the order in which they are passed.
struct LayerCosts {
    std::vector<LayerCost> layers;  ///< those that have work; with branches the head comes last
    int visited = 0;                ///< of them layers of the model
    std::uint64_t resultBytes = 0;  ///< of all that is stored
};

/// Of all that `plan.work` lists. `passed` is the text that branches take through the model; empty
/// without branches.
[[nodiscard]] LayerCosts costLayers(const RunPlan& plan, const OpenedModels& models,
                                    const text::TokenizedCorpus& corpus,
                                    const text::TokenizedCorpus& passed, WeightReads reads);

}  // namespace moescope::engine
