// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/baseline_use.h"

#include <algorithm>
#include <array>

namespace moescope::experiments {

bool comparesBaselines(std::string_view id) {
    constexpr std::array<std::string_view, 7> kWithF{
        "weight_similarity", "mean_neuron_similarity", "matched_similarity", "expert_projection",
        "neuron_projection", "output_similarity",      "intermediate_states"};
    return std::find(kWithF.begin(), kWithF.end(), id) != kWithF.end();
}

}  // namespace moescope::experiments
