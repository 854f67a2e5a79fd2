// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/branch_costs.h"
#include "core/engine/device.h"
#include "core/engine/device_memory.h"
#include "core/engine/device_plan.h"
#include "core/engine/layer_costs.h"
#include "core/engine/residual_streams.h"
#include "core/engine/run_effort.h"
#include "core/engine/run_notes.h"
#include "core/engine/run_plan.h"
#include "core/engine/text_split.h"
#include "core/jobs/parallel_for.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace moescope::engine {
namespace {

/// Buffers of LibTorch, OpenBLAS, oneDNN and HDF5 that calibration has not called up, and what the
/// allocator cannot give back.
constexpr std::uint64_t kLibraryBuffers = std::uint64_t{20} << 20U;
/// Part of the free memory that a run takes unless told otherwise.
constexpr double kDefaultShare = 0.8;
/// Workspaces of a device's libraries.
constexpr std::uint64_t kDeviceBuffers = std::uint64_t{256} << 20U;
/// From this share of the weights in memory on no room is planned for reading them.
constexpr double kAllCached = 0.95;

std::uint64_t budgetOf(const RunRequest& request) {
    return request.memoryBytes.value_or(
        residentMemory() +
        static_cast<std::uint64_t>(static_cast<double>(availableMemory()) * kDefaultShare));
}

DeviceBudget deviceBudgetOf(const RunRequest& request, const RunPlan& plan) {
    if (plan.place.device.is_cpu()) {  // which stands for a device
        return {request.deviceMemoryBytes.value_or(budgetOf(request)), false};
    }
    std::vector<std::optional<std::uint64_t>> free;
    free.reserve(plan.devices.size());
    for (const at::Device device : plan.devices) {
        releaseCachedBlocks(device);  // of the calibration, or of a plan made before
        free.push_back(freeDeviceBytes(device));
    }
    return deviceBudget(request.deviceMemoryBytes, free, describe(plan.devices));
}

/// Files as large as the residual streams: the scratch file and the two kept in turn.
std::uint64_t residualFiles(const RunRequest& request, const MemoryPlan& memory, double seconds) {
    const bool kept = request.scratch == ScratchUse::Always ||
                      (request.scratch == ScratchUse::Auto &&
                       seconds > std::chrono::duration<double>(request.keepEvery).count());
    return (memory.residualInMemory ? 0U : 1U) + (kept ? 2U : 0U);
}

/// Texts that pass the model, and what of them lies on one device.
struct Passing {
    const text::TokenizedCorpus& corpus;   ///< with every probe
    const text::TokenizedCorpus& choices;  ///< with branches: the same and the questions
    bool forward = false;                  ///< whether the first does
};

/// Bytes of a token in the residual streams of all models that pass the text.
std::uint64_t residualBytes(const RunPlan& plan, const OpenedModels& models) {
    const std::uint64_t streams = 1 + (plan.baselinesRun ? models.baselines.size() : 0);
    return streams * streamBytes(plan, models, 1);
}

/// The devices' memory, and what of the text lies on the one that has most.
DeviceMemory deviceMemory(const RunPlan& plan, const OpenedModels& models, const Passing& passing,
                          const RunRequest& request) {
    const std::size_t count = plan.devices.size();
    const std::uint64_t passed = mostTokens(passing.choices.offsets, count);
    const DeviceBudget budget = deviceBudgetOf(request, plan);
    DeviceMemory device;
    device.budget = budget.bytes;
    device.isAllFree = budget.isAllFree;
    device.fixed = (plan.place.device.is_cpu() ? 0 : kDeviceBuffers) +
                   kLeastStreams * streamBytes(plan, models, passed);
    device.tokens =
        std::max(passing.forward ? mostTokens(passing.corpus.offsets, count) : 0, passed);
    device.count = count;
    device.name = describe(plan.devices);
    return device;
}

/// What there is to cut, and the room for it.
PlanInput planInput(const RunPlan& plan, const OpenedModels& models, const Passing& passing,
                    const RunRequest& request, std::vector<LayerCost> layers) {
    const std::uint64_t forwardTokens = passing.forward ? passing.corpus.ids.size() : 0;
    const std::uint64_t passedTokens = passing.choices.ids.size();
    PlanInput input;
    input.budget = budgetOf(request);
    input.fixed =
        residentMemory() + kLibraryBuffers + branchState(plan, models.model->spec, passing.corpus);
    input.tokens = std::max(forwardTokens, passedTokens);
    input.layers = std::move(layers);
    input.mostUnits = static_cast<int>(jobs::loopThreads());
    if (plan.streamed) {
        input.device = deviceMemory(plan, models, passing, request);
        input.fixed += ResidualStreams::kCopyBytes;
        input.residual =
            passing.forward ? mostTokens(passing.corpus.offsets, plan.devices.size()) : 0;
        input.residual *= residualBytes(plan, models);
    } else {
        input.fixed += kLeastStreams * streamBytes(plan, models, passedTokens);
        input.residual = forwardTokens * residualBytes(plan, models);
    }
    return input;
}

/// Which ways of computing may be taken.
void allow(PlanInput& input, const RunPlan& plan, const OpenedModels& models,
           const RunRequest& request, bool forward) {
    const bool one = plan.devices.size() == 1;
    // Large matrices keep all threads busy by themselves, and weights that come past the page cache
    // come to one block at a time.
    input.mostLanes = at::get_num_threads() == 1 && one && request.weights != WeightReads::Direct
                          ? static_cast<int>(jobs::loopThreads())
                          : 1;
    input.mayUseScratch = request.scratch != ScratchUse::Never && one;
    input.mustUseScratch = request.scratch == ScratchUse::Always && input.mayUseScratch;
    input.mayReadDirect = one && forward &&
                          (request.weights == WeightReads::Direct ||
                           (request.weights == WeightReads::Auto &&
                            models.model->checkpoint.cachedShare() < kAllCached));
}

/// Reading and seconds of the text's pass and of what looks at weights, whose memory is planned.
struct PassCost {
    std::uint64_t expertBytes = 0;  ///< of all layers' experts, read once
    std::uint64_t rereads = 1;      ///< how often they are
};
PassCost costPass(RunPlan& plan, const OpenedModels& models, const text::TokenizedCorpus& corpus,
                  std::uint64_t passing, const Calibration& calibration) {
    const std::vector<LayerEffort> efforts = layerEfforts(plan, models, corpus);
    const bool begins = plan.endForward > plan.firstForward && plan.firstForward == 0;
    std::uint64_t bytes = begins ? embeddingBytes(models, corpus, plan.baselinesRun) : 0;
    PassCost cost;
    for (const LayerEffort& effort : efforts) {
        bytes += effort.bytes;
        cost.expertBytes += effort.expertBytes;
    }
    const bool streamed = !plan.memory.residentExperts && cost.expertBytes > 0;
    const std::uint64_t blocks =
        passing == 0 ? 1 : (passing + plan.memory.blockTokens - 1) / plan.memory.blockTokens;
    cost.rereads = streamed ? blocks : 1;
    plan.estimate.readBytes = bytes + (cost.rereads - 1) * cost.expertBytes;
    plan.seconds.clear();
    plan.seconds.reserve(efforts.size());
    const double lanes = lanesOf(plan, corpus);
    for (const LayerEffort& effort : efforts) {
        plan.seconds.push_back(expectedSeconds(effort, blocks, streamed, calibration, lanes));
        plan.estimate.seconds += plan.seconds.back().total();
    }
    return cost;
}

}  // namespace

void costRun(RunPlan& plan, const OpenedModels& models, const text::TokenizedCorpus& corpus,
             const RunRequest& request, const Calibration& calibration) {
    releaseFreedMemory();
    const text::TokenizedCorpus passed = plan.branching.empty()
                                             ? text::TokenizedCorpus()
                                             : text::withChoices(corpus, request.choices);
    LayerCosts costs = costLayers(plan, models, corpus, passed, request.weights);
    const bool forward = plan.endForward > plan.firstForward;
    PlanInput input =
        planInput(plan, models, {corpus, passed, forward}, request, std::move(costs.layers));
    allow(input, plan, models, request, forward);
    plan.memory = planMemory(input);

    Estimate& result = plan.estimate;
    result.notes.clear();  // of a plan made before
    result.memoryBytes = plan.memory.peakBytes;
    result.minimumBytes = plan.memory.minimumBytes;
    result.budgetBytes = input.budget;
    result.deviceBytes = plan.memory.deviceBytes;
    result.deviceBudgetBytes = plan.memory.deviceBudget;
    result.device = describe(plan.devices);
    result.dtype = describe(plan.place.dtype);
    result.tokens = input.tokens > 0 ? corpus.ids.size() : 0;
    result.layers = costs.visited;
    result.seconds = secondsOf(sessionEffort(plan, costs.resultBytes), calibration);
    const PassCost pass = costPass(plan, models, corpus,
                                   input.device ? input.device->tokens : input.tokens, calibration);
    const std::uint64_t residual =
        forward ? corpus.ids.size() * residualBytes(plan, models) : 0;  // whatever device has it
    result.diskBytes = 2 * costs.resultBytes +
                       residualFiles(request, plan.memory, result.seconds) * residual +
                       16 * corpus.ids.size() + (std::uint64_t{1} << 20U);
    if (input.tokens > 0) {
        noteDevices(plan, models.model->spec, corpus.documentCount(), result);
    }
    noteDeviceBudget(request.deviceMemoryBytes, plan.memory, result);
    noteChoices(plan.memory, pass.expertBytes, pass.rereads, result);
    result.experiments = experimentCosts(plan, models, corpus, calibration);
    noteUnits(plan, models, corpus, calibration, result);
    costBranches(plan, models, corpus, passed, calibration);
    noteKept(plan, models.model->spec, corpus, result);
    noteDisk(request, result);
    if (const std::string warning = longDocumentsWarning(models.model->spec, corpus);
        !warning.empty()) {
        result.notes.push_back(warning);
    }
}

}  // namespace moescope::engine
