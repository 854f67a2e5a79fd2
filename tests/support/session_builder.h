// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/session/head.h"
#include "core/session/quantity.h"

#include <filesystem>
#include <string>
#include <vector>

namespace moescope::tests {

/// A made-up but self-consistent run: layer 0 dense, the others routed; deterministic values.
struct SyntheticRun {
    int layers = 4;
    int experts = 8;
    int topK = 2;
    int tokens = 60;
    int documents = 3;
    int neurons = 16;  ///< of each expert, in the projections
    bool withBaseline = true;
    std::string commandLine = "";  ///< that is said to have made the run
    bool withTokenMaps = false;    ///< output_similarity keeps maps of 64 tokens over the text
    bool withMargin = true;        ///< chosen_experts keeps margins, as sessions do since 1.1
    bool withCurves = true;        ///< pruning has its curves; else it was to measure lists alone
    std::vector<std::string> experiments{"weight_similarity",
                                         "mean_neuron_similarity",
                                         "matched_similarity",
                                         "router_similarity",
                                         "expert_projection",
                                         "neuron_projection",
                                         "parameters",
                                         "output_similarity",
                                         "norms_scores",
                                         "rank_counts",
                                         "intermediate_states",
                                         "chosen_experts",
                                         "coloured_text",
                                         "expert_removal",
                                         "fewer_experts",
                                         "importance",
                                         "pruning",
                                         "router_margin"};
};

[[nodiscard]] session::Head syntheticHead(const SyntheticRun& run);
/// All parts of the run in the order an engine would write them.
[[nodiscard]] std::vector<session::Part> syntheticParts(const SyntheticRun& run);
/// Writes a finished session through RunStore.
void writeSyntheticSession(const std::filesystem::path& path, const SyntheticRun& run);

}  // namespace moescope::tests
