// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/probe.h"
#include "core/numerics/expert_use.h"

#include <vector>

/// Shorthands of experiments that change the choice in several layers.
namespace moescope::experiments {

struct RoutedLayer {
    LayerId layer;
    int experts = 0, topK = 0;
};
[[nodiscard]] std::vector<RoutedLayer> routedLayers(const model::ModelSpec& model);

/// What the text made of a layer's experts, from the results of chosen_experts; norms from those of
/// importance where `withNorms`.
[[nodiscard]] numerics::ExpertUse useOf(const engine::ResultSource& results,
                                        const RoutedLayer& layer, bool withNorms);

/// A branch's change of one layer: these experts removed.
void removeExperts(const RoutedLayer& layer, const std::vector<std::size_t>& experts,
                   engine::Intervention& branch);

}  // namespace moescope::experiments
