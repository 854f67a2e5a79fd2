// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/machine.h"
#include "core/engine/memory_plan.h"
#include "core/engine/opened_models.h"
#include "core/engine/run_time.h"
#include "core/experiments/catalogue.h"

#include <functional>
#include <set>
#include <string>
#include <vector>

namespace moescope::engine {

/// An experiment of a run with its probes.
struct PlannedExperiment {
    const experiments::ExperimentInfo* info = nullptr;
    std::string optionsJson;
    ProbeSet probes;
    std::vector<int> layers;         ///< only these; empty: all
    std::size_t branchesAtOnce = 1;  ///< of an experiment with branches
    /// Branches of each of its probes that the session holds, made with other options.
    std::vector<std::set<std::size_t>> recalled{};
    [[nodiscard]] bool perLayer() const {
        return !probes.dynamic.empty() || !probes.statics.empty() || !probes.units.empty();
    }
    [[nodiscard]] bool covers(int layer) const;
    [[nodiscard]] std::vector<Probe*> all() const;
};

/// The experiments asked for, with those that they are made from and with chosen_experts when there
/// is text. Throws Error(Usage) for an
/// unknown one or one that needs the text that is missing.
[[nodiscard]] std::vector<PlannedExperiment> planExperiments(
    const std::vector<ExperimentRequest>& requests, bool withText, const ProbeFactory& factory);

/// What is still to be computed at a layer.
struct LayerWork {
    int layer = 0;
    std::vector<PlannedExperiment*> dynamic, statics, units;
    [[nodiscard]] bool onWeights() const { return !statics.empty() || !units.empty(); }
    [[nodiscard]] bool empty() const { return dynamic.empty() && !onWeights(); }
};

/// A part of the run in which the model is run again.
struct BranchStage {
    std::string name;  ///< "Removal of experts, 264 branches"
    double seconds = 0.0;
};

/// Everything that is decided before the first weight is read.
struct RunPlan {
    ComputePlace place;               ///< of what is not shared out: the first device
    std::vector<at::Device> devices;  ///< which share the text's documents
    bool streamed = false;            ///< weights go to the devices while they compute
    std::vector<LayerWork> work;      ///< one per layer of the model
    int firstForward = 0;             ///< layers [firstForward, endForward) are passed by the text
    int endForward = 0;
    /// Experiments with branches that are still to be run.
    std::vector<PlannedExperiment*> branching;
    std::vector<BranchStage> branchStages;  ///< one for each probe with branches, in order
    bool baselinesRun = false;              ///< some probe wants the baselines' outputs
    MemoryPlan memory;
    Estimate estimate;
    std::vector<LayerSeconds> seconds;  ///< expected, one per layer of the model
    double doneSeconds = 0.0;  ///< of a resumed run: what was finished before would take again
};

/// True when a part is finished already.
using IsDone = std::function<bool(const session::PartKey&)>;

/// Work of each layer; `corpus` is the run's text.
[[nodiscard]] std::vector<LayerWork> planWork(const model::ModelSpec& model,
                                              std::vector<PlannedExperiment>& experiments,
                                              const IsDone& isDone);

[[nodiscard]] inline DirectReads directReads(WeightReads reads) {
    return reads == WeightReads::Direct ? DirectReads{1, true} : DirectReads{};
}

/// Throws Error(Usage) when an experiment was asked for in a layer without a router.
void checkLayers(const model::ModelSpec& model, const std::vector<PlannedExperiment>& experiments);

/// Needs of the work at a layer, joined.
[[nodiscard]] DynamicNeeds dynamicNeeds(const LayerWork& work);
/// The same of its static probes.
[[nodiscard]] StaticNeeds staticNeeds(const LayerWork& work);

/// Costs and cuts the run: memory, bytes, time. Throws Error(MemoryBudget).
void costRun(RunPlan& plan, const OpenedModels& models, const text::TokenizedCorpus& corpus,
             const RunRequest& request, const Calibration& calibration);

/// What to tell of documents beyond the positions that the model knows: they run, but their numbers
/// mean little. Empty when there are none.
[[nodiscard]] std::string longDocumentsWarning(const model::ModelSpec& spec,
                                               const text::TokenizedCorpus& corpus);

/// Context of a routed layer.
[[nodiscard]] LayerContext contextOf(const OpenedModels& models,
                                     const std::vector<const model::ModelSpec*>& baselines,
                                     int layer, const text::TokenizedCorpus& corpus);

}  // namespace moescope::engine
