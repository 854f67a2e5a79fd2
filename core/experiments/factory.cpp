// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/factory.h"

#include "core/base/error.h"
#include "core/experiments/catalogue.h"
#include "core/experiments/chosen_experts.h"
#include "core/experiments/expert_projection.h"
#include "core/experiments/expert_removal.h"
#include "core/experiments/fewer_experts.h"
#include "core/experiments/importance.h"
#include "core/experiments/intermediate_states.h"
#include "core/experiments/matched_similarity.h"
#include "core/experiments/mean_neuron_similarity.h"
#include "core/experiments/neuron_projection.h"
#include "core/experiments/norms_scores.h"
#include "core/experiments/options.h"
#include "core/experiments/output_similarity.h"
#include "core/experiments/parameters.h"
#include "core/experiments/pruning.h"
#include "core/experiments/rank_counts.h"
#include "core/experiments/router_margin.h"
#include "core/experiments/router_similarity.h"
#include "core/experiments/weight_similarity.h"

namespace moescope::experiments {

engine::ProbeSet makeProbes(std::string_view experiment, std::string_view optionsJson) {
    const ExperimentInfo* info = findExperiment(experiment);
    if (info == nullptr) {
        throw Error(ErrorCode::Usage, "Unknown experiment \"" + std::string(experiment) + "\".");
    }
    const ExperimentOptions options = parseOptions(info->id, optionsJson);
    engine::ProbeSet probes;
    if (info->id == "weight_similarity") {
        probes.statics.push_back(makeWeightSimilarity(options));
    } else if (info->id == "mean_neuron_similarity") {
        probes.statics.push_back(makeMeanNeuronSimilarity());
    } else if (info->id == "matched_similarity") {
        probes.units.push_back(makeMatchedSimilarity(options));
    } else if (info->id == "neuron_projection") {
        probes.units.push_back(makeNeuronProjection(options));
    } else if (info->id == "expert_removal") {
        probes.branches.push_back(makeExpertRemoval(options));
    } else if (info->id == "fewer_experts") {
        probes.branches.push_back(makeFewerExperts());
    } else if (info->id == "pruning") {
        probes.branches.push_back(makePruning(options));
    } else if (info->id == "router_similarity") {
        probes.statics.push_back(makeRouterSimilarity(options));
    } else if (info->id == "expert_projection") {
        probes.statics.push_back(makeExpertProjection(options));
    } else if (info->id == "parameters") {
        probes.models.push_back(makeParameters());
    } else if (info->id == "output_similarity") {
        probes.dynamic.push_back(makeOutputSimilarity(options));
    } else if (info->id == "norms_scores") {
        probes.dynamic.push_back(makeNormsScores(options));
    } else if (info->id == "rank_counts") {
        probes.dynamic.push_back(makeRankCounts(options));
    } else if (info->id == "intermediate_states") {
        probes.dynamic.push_back(makeIntermediateStates(options));
    } else if (info->id == "chosen_experts") {
        probes.dynamic.push_back(makeChosenExperts());
    } else if (info->id == "importance") {
        probes.dynamic.push_back(makeImportance());
    } else if (info->id == "router_margin") {
        probes.dynamic.push_back(makeRouterMargin(options));
    }
    return probes;
}

}  // namespace moescope::experiments
