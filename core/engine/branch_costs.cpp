// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/branch_costs.h"

#include "core/engine/branch_pass.h"
#include "core/engine/run_effort.h"
#include "core/engine/run_notes.h"
#include "core/model/spec_tensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace moescope::engine {
namespace {

/// Seconds that branches take: each passes the layers from its first change on with nothing but the
/// chosen experts, and then the head.
double branchSeconds(const RunPlan& plan, const OpenedModels& models,
                     const text::TokenizedCorpus& corpus, const std::vector<Intervention>& branches,
                     const Calibration& calibration) {
    const model::ModelSpec& spec = models.model->spec;
    RunPlan plain;
    plain.place = plan.place;
    plain.devices = plan.devices;
    plain.memory = plan.memory;
    plain.endForward = spec.layerCount();
    plain.work.resize(spec.layers.size());
    for (std::size_t l = 0; l < plain.work.size(); ++l) {
        plain.work[l].layer = static_cast<int>(l);
    }
    const std::vector<LayerEffort> efforts = layerEfforts(plain, models, corpus);
    double seconds = 0.0;
    for (std::size_t l = 0; l < efforts.size(); ++l) {
        const auto streams =
            std::count_if(branches.begin(), branches.end(), [&](const Intervention& branch) {
                return BranchPass::firstChanged(branch, spec.layerCount()) <= static_cast<int>(l);
            });
        seconds += expectedSeconds(efforts[l], 1, false, calibration, lanesOf(plan)).total() *
                   (1.0 + static_cast<double>(streams));
    }
    const auto tokens = static_cast<double>(corpus.ids.size());
    const auto vocabulary = static_cast<double>(spec.vocabSize);
    constexpr double kLogitPasses = 8.0;
    const Effort head{.modelOperations = 2.0 * tokens * vocabulary * spec.hiddenSize,
                      .elements = kLogitPasses * tokens * vocabulary};
    return seconds + secondsOf(head, calibration) * (1.0 + static_cast<double>(branches.size()));
}

/// What one reading of the whole model takes.
std::uint64_t modelBytes(const RunPlan& plan, const OpenedModels& models,
                         const text::TokenizedCorpus& corpus) {
    const model::ModelSpec& spec = models.model->spec;
    const WeightReader reader(models.model->checkpoint, plan.place);
    std::uint64_t bytes = embeddingBytes(models, corpus, false);
    for (int layer = 0; layer < spec.layerCount(); ++layer) {
        forEachTensor(spec, layer, [&](const model::SpecTensor& tensor) {
            bytes += reader.storedBytes(tensor.ref);
        });
    }
    for (const model::TensorRef* ref :
         {&spec.finalNormName, &spec.finalNormBias, &spec.head.weight, &spec.head.bias}) {
        bytes += reader.storedBytes(*ref);
    }
    bytes += spec.tiedHead ? reader.storedBytes(spec.embeddingName) : 0;
    return bytes;
}

/// Results of branches come when their batch is through: in several, where there are many, so that
/// a run shows something and loses little when it is stopped; but each batch reads the model again,
/// which has to be little beside what passes meanwhile.
constexpr std::uint64_t kBatches = 8;
constexpr std::uint64_t kSmallestBatch = 8;
constexpr std::uint64_t kTokensPerReading = 16384;

std::set<std::size_t> recalledOf(const PlannedExperiment& experiment, std::size_t probe) {
    return probe < experiment.recalled.size() ? experiment.recalled[probe]
                                              : std::set<std::size_t>();
}

/// How many there were.
std::size_t leaveOut(const std::set<std::size_t>& places, std::vector<Intervention>& branches) {
    std::vector<Intervention> left;
    left.reserve(branches.size());
    for (std::size_t b = 0; b < branches.size(); ++b) {
        if (!places.contains(b)) {
            left.push_back(std::move(branches[b]));
        }
    }
    std::swap(branches, left);
    return left.size() - branches.size();
}

}  // namespace

std::uint64_t streamBytes(const RunPlan& plan, const OpenedModels& models, std::uint64_t tokens) {
    const std::uint64_t size = plan.place.dtype == at::kFloat ? 4 : 2;
    return tokens * static_cast<std::uint64_t>(models.model->spec.hiddenSize) * size;
}

std::uint64_t branchState(const RunPlan& plan, const model::ModelSpec& spec,
                          const text::TokenizedCorpus& corpus) {
    std::uint64_t most = 0;
    for (const PlannedExperiment* experiment : plan.branching) {
        for (const auto& probe : experiment->probes.branches) {
            most = std::max(most, probe->stateBytes(spec, corpus.ids.size()));
        }
    }
    return most;
}

void costBranches(RunPlan& plan, const OpenedModels& models, const text::TokenizedCorpus& corpus,
                  const text::TokenizedCorpus& passed, const Calibration& calibration) {
    const model::ModelSpec& spec = models.model->spec;
    const std::uint64_t whole = streamBytes(plan, models, passed.ids.size());
    Estimate& result = plan.estimate;
    const std::uint64_t reserved = branchState(plan, spec, corpus);  // in the plan's peak
    plan.branchStages.clear();
    for (PlannedExperiment* experiment : plan.branching) {
        for (std::size_t p = 0; p < experiment->probes.branches.size(); ++p) {
            const BranchProbe& probe = *experiment->probes.branches[p];
            std::vector<Intervention> branches = probe.branches(spec);
            const std::size_t recalled = leaveOut(recalledOf(*experiment, p), branches);
            const std::uint64_t state = probe.stateBytes(spec, corpus.ids.size());
            const MemoryPlan& memory = plan.memory;
            // Streams are shared out among the devices that hold them.
            const std::uint64_t stream =
                memory.streamed() ? (whole + plan.devices.size() - 1) / plan.devices.size() : whole;
            const std::uint64_t free =
                memory.streamed()
                    ? memory.deviceBudget - std::min(memory.deviceBudget, memory.deviceBytes)
                    : result.budgetBytes -
                          std::min(result.budgetBytes, memory.peakBytes - reserved);
            const std::uint64_t room = free - std::min(free, memory.streamed() ? 0 : state);
            // The plan keeps room for the least.
            const std::uint64_t fitting = kLeastStreams + room / std::max<std::uint64_t>(stream, 1);
            const std::uint64_t all = std::max<std::uint64_t>(branches.size(), 1);
            const std::uint64_t most = std::min(
                all, std::max({(all + kBatches - 1) / kBatches, kSmallestBatch,
                               kTokensPerReading / std::max<std::uint64_t>(passed.ids.size(), 1)}));
            experiment->branchesAtOnce = static_cast<std::size_t>(std::min(fitting, most + 1) - 1);
            const double seconds = branchSeconds(plan, models, passed, branches, calibration);
            const std::uint64_t streams = (experiment->branchesAtOnce + 1 - kLeastStreams) * stream;
            result.memoryBytes =
                std::max(result.memoryBytes,
                         memory.peakBytes - reserved + state + (memory.streamed() ? 0 : streams));
            if (memory.streamed()) {
                result.deviceBytes = std::max(result.deviceBytes, memory.deviceBytes + streams);
            }
            plan.branchStages.push_back(
                {fmt::format("{}, {} branches", experiment->info->title, branches.size()),
                 seconds});
            result.seconds += seconds;
            result.experiments.push_back({std::string(experiment->info->id), seconds,
                                          (experiment->branchesAtOnce + 1) * stream + state,
                                          probe.partBytes(spec, corpus.ids.size())});
            // As parts, joined into the session, and in the journal of what takes long.
            result.diskBytes += 3 * probe.partBytes(spec, corpus.ids.size());
            const std::uint64_t rounds =
                (branches.size() + experiment->branchesAtOnce - 1) / experiment->branchesAtOnce;
            result.readBytes +=
                std::max<std::uint64_t>(rounds, 1) * modelBytes(plan, models, passed);
            result.notes.push_back(fmt::format(
                "{}: {} branches beside the intact model{}, {} at once, {} passes of the text "
                "through a layer, about {}; the model is read {} for them",
                experiment->info->id, branches.size(),
                recalled > 0 ? fmt::format(" ({} more are in the session)", recalled) : "",
                experiment->branchesAtOnce,
                BranchPass::steps(branches, spec.layerCount(), experiment->branchesAtOnce),
                roughly(seconds),
                rounds <= 1 ? std::string("once more") : fmt::format("{} times more", rounds)));
            if (const std::string note = probe.keptNote(spec, corpus); !note.empty()) {
                result.notes.push_back(fmt::format("{}: {}", experiment->info->id, note));
            }
        }
    }
}

}  // namespace moescope::engine
