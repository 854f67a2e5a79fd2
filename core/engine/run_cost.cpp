// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/error.h"
#include "core/base/file_system.h"
#include "core/engine/branch_pass.h"
#include "core/engine/delta_net.h"
#include "core/engine/device.h"
#include "core/engine/layer_weights.h"
#include "core/engine/run_effort.h"
#include "core/engine/run_plan.h"
#include "core/engine/stored_weights.h"
#include "core/engine/text_split.h"
#include "core/jobs/parallel_for.h"
#include "core/model/spec_tensors.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <utility>

namespace moescope::engine {
namespace {

/// Buffers of LibTorch, OpenBLAS, oneDNN and HDF5 that calibration has not called up, and what the
/// allocator cannot give back.
constexpr std::uint64_t kLibraryBuffers = std::uint64_t{20} << 20U;
/// Part of the free memory that a run takes unless told otherwise.
constexpr double kDefaultShare = 0.8;
/// The same of a device's: its allocator cuts memory into blocks that do not always fit.
constexpr double kDeviceShare = 0.9;
/// Workspaces of a device's libraries.
constexpr std::uint64_t kDeviceBuffers = std::uint64_t{256} << 20U;
/// From this share of the weights in memory on no room is planned for reading them.
constexpr double kAllCached = 0.95;

/// Adds up costs layer by layer.
class Costing {
public:
    /// `passed`: the text that branches take through the model.
    Costing(RunPlan& plan, const OpenedModels& models, const text::TokenizedCorpus& corpus,
            const text::TokenizedCorpus& passed, WeightReads reads)
        : m_plan(plan),
          m_leastDirect(directReads(reads).leastBytes),
          m_models(models),
          m_corpus(corpus),
          m_passed(passed),
          m_specs(models.baselineSpecs()),
          m_reader(models.model->checkpoint, plan.place),
          m_size(plan.place.dtype == at::kFloat ? 4 : 2) {}

    void layer(int index) {
        const LayerWork& work = m_plan.work[static_cast<std::size_t>(index)];
        const bool forward = index >= m_plan.firstForward && index < m_plan.endForward;
        const bool branches = !m_plan.branching.empty();
        LayerCost cost;
        if (forward || branches) {
            weights(m_models.model->spec, m_reader, index, cost);
            tokens(index, forward ? work : LayerWork{index, {}, {}, {}}, cost);
        }
        if (forward) {
            direct(m_models.model->spec, m_reader, work, cost);
            if (m_plan.baselinesRun) {
                for (const auto& baseline : m_models.baselines) {
                    const WeightReader reader(baseline->checkpoint, m_plan.place);
                    weights(baseline->spec, reader, index, cost);
                    direct(baseline->spec, reader, work, cost);
                }
            }
        }
        if (!work.statics.empty()) {
            statics(index, work, cost);
        }
        units(index, work, cost);
        if (forward || branches || work.onWeights()) {
            m_layers.push_back(cost);
        }
    }

    /// What comes after the last layer: with branches logits, from a head that is one more layer.
    void head() {
        if (m_plan.branching.empty()) {
            return;
        }
        const model::ModelSpec& spec = m_models.model->spec;
        constexpr std::uint64_t kCopies =
            3;  // as the head gives them, in float32, and their losses
        LayerCost cost;
        cost.otherWeights =
            decoded(m_reader, spec.tiedHead ? spec.embeddingName : spec.head.weight) +
            kCopies * BranchPass::logitBytes(spec, m_passed.ids.size());
        m_layers.push_back(cost);
    }

    [[nodiscard]] std::vector<LayerCost>& layers() { return m_layers; }
    [[nodiscard]] std::uint64_t resultBytes() const { return m_results; }

private:
    /// Anonymous bytes a tensor costs when loaded.
    [[nodiscard]] std::uint64_t decoded(const WeightReader& reader,
                                        const model::TensorRef& ref) const {
        const bool isView = !m_plan.streamed && reader.isDirect(ref);
        return ref.empty() || isView ? 0 : reader.elements(ref) * m_size;
    }

    void weights(const model::ModelSpec& spec, const WeightReader& reader, int index,
                 LayerCost& cost) {
        const model::LayerNames& names = spec.layers[static_cast<std::size_t>(index)].names;
        std::uint64_t all = 0;
        forEachTensor(spec, index,
                      [&](const model::SpecTensor& tensor) { all += decoded(reader, tensor.ref); });
        std::uint64_t experts = 0;
        for (const model::FeedForwardNames& expert : names.experts) {
            const std::uint64_t one = decoded(reader, expert.gate) + decoded(reader, expert.up) +
                                      decoded(reader, expert.down);
            experts += one;
            cost.largestExpert = std::max(cost.largestExpert, one);
        }
        cost.expertWeights += experts;
        cost.otherWeights += all - experts;
    }

    void direct(const model::ModelSpec& spec, const WeightReader& reader, const LayerWork& work,
                LayerCost& cost) const {
        if (work.onWeights()) {
            return;
        }
        const auto room = [&](const model::TensorRef& ref) {
            return reader.directRoom(ref, m_leastDirect);
        };
        const auto layer = static_cast<std::size_t>(work.layer);
        std::uint64_t all = 0;
        forEachTensor(spec, work.layer,
                      [&](const model::SpecTensor& tensor) { all += room(tensor.ref); });
        std::uint64_t experts = 0;
        for (const model::FeedForwardNames& expert : spec.layers[layer].names.experts) {
            const std::uint64_t one = room(expert.gate) + room(expert.up) + room(expert.down);
            experts += one;
            cost.directExpert = std::max(cost.directExpert, one);
        }
        cost.directExperts += experts;
        cost.directOthers += all - std::min(all, experts);
    }

    void tokens(int index, const LayerWork& work, LayerCost& cost) {
        const model::ModelSpec& spec = m_models.model->spec;
        const model::LayerSpec& layer = spec.layers[static_cast<std::size_t>(index)];
        const auto hidden = static_cast<std::uint64_t>(spec.hiddenSize);
        if (layer.delta) {
            deltaNet(*layer.delta, hidden, cost);
        } else {
            attention(layer.attention, hidden, cost);
        }
        cost.perToken = hidden * (8 + 4 * m_size);
        if (layer.moe) {
            routed(index, *layer.moe, work, cost);
        } else {
            const auto width = static_cast<std::uint64_t>(layer.dense->intermediateSize);
            cost.perToken += 3 * width * m_size;
        }
    }

    void attention(const model::AttentionSpec& attention, std::uint64_t hidden, LayerCost& cost) {
        const auto heads = static_cast<std::uint64_t>(attention.headsQ);
        const auto kvHeads = static_cast<std::uint64_t>(attention.headsKv);
        const auto headDim = static_cast<std::uint64_t>(attention.headDim);
        const std::uint64_t perHead = attention.outputGate ? 6 : 4;
        cost.perQueryRow =
            hidden * (8 + 3 * m_size) + (perHead * heads + 3 * kvHeads) * headDim * m_size;
        std::uint64_t longest = 0;
        for (const text::TokenizedCorpus* text : {&m_corpus, &m_passed}) {
            for (std::size_t d = 0; d + 1 < text->offsets.size(); ++d) {
                longest = std::max(longest, text->offsets[d + 1] - text->offsets[d]);
            }
        }
        cost.mostScores = longest * longest * heads * 4;
        // Short documents are grouped up to a block of queries; that block is counted per row.
        cost.keysValues = 2 * longest * kvHeads * headDim * m_size;
    }

    /// No scores, and no keys and values of a whole document: a state of fixed size.
    void deltaNet(const model::DeltaNetSpec& delta, std::uint64_t hidden, LayerCost& cost) const {
        const auto channels = static_cast<std::uint64_t>(delta.channels());
        const auto values = static_cast<std::uint64_t>(delta.valueWidth());
        const auto heads = static_cast<std::uint64_t>(delta.valueHeads);
        const auto keyDim = static_cast<std::uint64_t>(delta.keyDim);
        const auto valueDim = static_cast<std::uint64_t>(delta.valueDim);
        cost.perQueryRow = hidden * (8 + 3 * m_size) + (channels + values) * (12 + 3 * m_size) +
                           heads * (6 * keyDim + 5 * valueDim + 4 * kDeltaChunk) * 4;
        cost.keysValues = 3 * heads * keyDim * valueDim * 4;
    }

    void routed(int index, const model::MoeSpec& moe, const LayerWork& work, LayerCost& cost) {
        const LayerContext context = contextOf(m_models, m_specs, index, m_corpus);
        const auto hidden = static_cast<std::uint64_t>(context.hiddenSize);
        const auto experts = static_cast<std::uint64_t>(moe.experts);
        const DynamicNeeds needs = dynamicNeeds(work);
        std::uint64_t width = 0;
        for (const Column& column : context.columns) {
            width = std::max(width, static_cast<std::uint64_t>(column.intermediateSize));
        }
        cost.experts = moe.experts;
        cost.hostPerToken = experts * 24;
        cost.perToken += experts * 24 + 3 * width * m_size + hidden * (4 + 3 * m_size);
        if (needs.outputs) {
            cost.outputsPerToken = context.columns.size() * hidden * m_size;
            cost.perToken += cost.outputsPerToken;
        }
        for (const Column& column : context.columns) {
            cost.activationsPerToken +=
                needs.activations ? static_cast<std::uint64_t>(column.intermediateSize) * m_size
                                  : 0;
        }
        for (const PlannedExperiment* experiment : work.dynamic) {
            for (const auto& probe : experiment->probes.dynamic) {
                cost.probeState += probe->stateBytes(context);
                cost.perToken += probe->scratchBytesPerToken(context);
                cost.parts += probe->resultBytes(context);
            }
        }
        m_results += cost.parts;
    }

    void statics(int index, const LayerWork& work, LayerCost& cost) {
        const LayerContext context = contextOf(m_models, m_specs, index, m_corpus);
        std::uint64_t group = 0;
        for (const Column& column : context.columns) {
            group += static_cast<std::uint64_t>(column.intermediateSize ==
                                                context.moe.expert.intermediateSize);
            cost.neurons =
                std::max(cost.neurons, static_cast<std::uint64_t>(column.intermediateSize));
        }
        for (const PlannedExperiment* experiment : work.statics) {
            for (const auto& probe : experiment->probes.statics) {
                cost.staticState += probe->stateBytes(context);
                m_results += probe->resultBytes(context);
            }
        }
        const StaticNeeds needs = staticNeeds(work);
        cost.staticState += WeightSummer::bytes(context, needs, summingMeans(m_plan.place.device));
        if ((!needs.expertWeights && !needs.sums()) ||
            StoredWeights::suit(context, work, m_models, m_plan.place)) {
            return;
        }
        cost.perNeuron = group * static_cast<std::uint64_t>(context.hiddenSize) * sizeof(float);
    }

    void units(int index, const LayerWork& work, LayerCost& cost) {
        for (const PlannedExperiment* experiment : work.units) {
            const LayerContext context = contextOf(m_models, m_specs, index, m_corpus);
            for (const auto& probe : experiment->probes.units) {
                cost.unit = std::max(cost.unit, probe->unitBytes(context));
                m_results += probe->resultBytes(context);
            }
        }
    }

    RunPlan& m_plan;
    std::uint64_t m_leastDirect;
    const OpenedModels& m_models;
    const text::TokenizedCorpus& m_corpus;
    const text::TokenizedCorpus& m_passed;
    std::vector<const model::ModelSpec*> m_specs;
    WeightReader m_reader;
    std::uint64_t m_size;
    std::vector<LayerCost> m_layers;
    std::uint64_t m_results = 0;
};

/// Bytes of the embeddings' rows that the text touches.
std::uint64_t embeddingBytes(const RunPlan& plan, const OpenedModels& models,
                             const text::TokenizedCorpus& corpus) {
    const std::set<text::TokenId> distinct(corpus.ids.begin(), corpus.ids.end());
    const auto bytesOf = [&](const OpenedModel& model) {
        return distinct.size() *
               checkpoint::LogicalTensor(model.checkpoint, model.spec.embeddingName)
                   .storedRowBytes();
    };
    std::uint64_t bytes = bytesOf(*models.model);
    for (std::size_t b = 0; plan.baselinesRun && b < models.baselines.size(); ++b) {
        bytes += bytesOf(*models.baselines[b]);
    }
    return bytes;
}

std::uint64_t budgetOf(const RunRequest& request) {
    return request.memoryBytes.value_or(
        residentMemory() +
        static_cast<std::uint64_t>(static_cast<double>(availableMemory()) * kDefaultShare));
}

/// Of each device, what the one with least has free.
std::uint64_t deviceBudgetOf(const RunRequest& request, const RunPlan& plan) {
    if (plan.place.device.is_cpu()) {  // which stands for a device
        return request.deviceMemoryBytes.value_or(budgetOf(request));
    }
    std::uint64_t free = std::numeric_limits<std::uint64_t>::max();
    for (const at::Device device : plan.devices) {
        free = std::min(free, freeDeviceBytes(device));
    }
    const auto share = static_cast<std::uint64_t>(static_cast<double>(free) * kDeviceShare);
    return std::min(request.deviceMemoryBytes.value_or(share), share);
}

/// On the device that has most of the text.
std::uint64_t mostTokens(const text::TokenizedCorpus& corpus, std::size_t devices) {
    if (corpus.ids.empty()) {
        return 0;
    }
    // The plan of blocks is not there yet; with smaller turns the parts are more alike.
    constexpr std::uint64_t kLargestTurn = 2048;
    const auto tokens = tokensOfParts(splitText(corpus.offsets, devices, kLargestTurn), devices);
    return *std::max_element(tokens.begin(), tokens.end());
}

/// Files as large as the residual streams: the scratch file and the two kept in turn.
std::uint64_t residualFiles(const RunRequest& request, const MemoryPlan& memory, double seconds) {
    const bool kept = request.scratch == ScratchUse::Always ||
                      (request.scratch == ScratchUse::Auto &&
                       seconds > std::chrono::duration<double>(request.keepEvery).count());
    return (memory.residualInMemory ? 0U : 1U) + (kept ? 2U : 0U);
}

/// How the work lies on the devices.
void noteDevices(const RunPlan& plan, const model::ModelSpec& model, std::uint64_t documents,
                 Estimate& estimate) {
    const MemoryPlan& memory = plan.memory;
    if (!memory.streamed()) {
        return;
    }
    int experts = 0;
    for (const model::LayerSpec& layer : model.layers) {
        experts = std::max(experts, layer.moe ? layer.moe->experts : 0);
    }
    std::string layers = memory.decodeAhead ? "two layers at a time" : "a layer at a time";
    if (!memory.residentExperts) {
        layers = fmt::format("{} of {} experts at a time", memory.expertsAtOnce, experts);
    }
    estimate.notes.push_back(fmt::format(
        "{}: {}, blocks of {} tokens, {} of {} that may be used", estimate.device, layers,
        memory.blockTokens, formatBytes(memory.deviceBytes), formatBytes(memory.deviceBudget)));
    if (plan.devices.size() > 1) {
        estimate.notes.push_back(fmt::format(
            "{} documents are shared out among {} devices{}", documents, plan.devices.size(),
            documents < plan.devices.size() ? ": there are too few for all of them" : ""));
    }
}

void noteChoices(const MemoryPlan& memory, std::uint64_t expertBytes, std::uint64_t rereads,
                 Estimate& estimate) {
    if (!memory.residentExperts && rereads > 1) {
        estimate.notes.push_back(
            fmt::format("a layer's experts do not fit together: they are read {} times, {} more",
                        rereads, formatBytes((rereads - 1) * expertBytes)));
    }
    if (memory.bufferBytes > 0) {
        estimate.notes.push_back(
            fmt::format("weights that are not in memory are read past the page cache, {} at a time",
                        formatBytes(memory.bufferBytes)));
    }
    if (!memory.residualInMemory) {
        estimate.notes.emplace_back("the residual stream lives in a scratch file");
    }
}

/// The disk is not refused as memory is: other files may go before the results come.
void noteDisk(const RunRequest& request, Estimate& estimate) {
    const std::uint64_t free =
        request.session.empty() ? estimate.diskBytes : freeDiskBytes(request.session);
    if (free < estimate.diskBytes) {
        estimate.notes.push_back(fmt::format(
            "THE DISK MAY NOT HOLD IT: up to {} are written to {}, and {} are free; a "
            "run that meets a full disk stops and keeps what is finished",
            formatBytes(estimate.diskBytes), request.session.string(), formatBytes(free)));
    }
}

/// "12 s", "3 min".
std::string roughly(double seconds) {
    return seconds < 90.0 ? fmt::format("{:.0f} s", std::ceil(seconds))
                          : fmt::format("{:.0f} min", seconds / 60.0);
}

/// What each experiment in units costs beside the others, and that it reads for itself.
void noteUnits(RunPlan& plan, const OpenedModels& models, const text::TokenizedCorpus& corpus,
               const Calibration& calibration) {
    for (const auto& [id, total] : unitTotals(plan, models, corpus)) {
        const double seconds = secondsOf(total.effort, calibration);
        plan.estimate.notes.push_back(fmt::format(
            "{}: {} units of work, about {} in all, {} at once with {} each, results of {}; each "
            "reads its weights again, from the page cache as long as that holds a layer's experts",
            id, total.units, roughly(seconds), plan.memory.unitsAtOnce,
            formatBytes(total.unitBytes), formatBytes(total.resultBytes)));
    }
}

/// Which tokens will have rows of their own.
void noteKept(RunPlan& plan, const model::ModelSpec& model, const text::TokenizedCorpus& corpus) {
    std::set<const PlannedExperiment*> noted;
    for (const LayerWork& work : plan.work) {
        for (const PlannedExperiment* experiment : work.dynamic) {
            if (!noted.insert(experiment).second) {
                continue;
            }
            for (const auto& probe : experiment->probes.dynamic) {
                if (const std::string note = probe->keptNote(model, corpus); !note.empty()) {
                    plan.estimate.notes.push_back(
                        fmt::format("{}: {}", experiment->info->id, note));
                }
            }
        }
    }
}

/// Streams that a run with branches holds beside its own: of the intact model, and of one branch.
constexpr std::uint64_t kLeastStreams = 2;

/// Hidden states of all tokens between two layers.
std::uint64_t streamBytes(const RunPlan& plan, const OpenedModels& models,
                          const text::TokenizedCorpus& corpus) {
    const std::uint64_t size = plan.place.dtype == at::kFloat ? 4 : 2;
    return corpus.ids.size() * static_cast<std::uint64_t>(models.model->spec.hiddenSize) * size;
}

/// Blocks of tokens that are computed side by side, in lanes or on devices.
int lanesOf(const RunPlan& plan) {
    return std::max(plan.memory.lanes, static_cast<int>(plan.devices.size()));
}

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
    RunPlan alone;
    std::uint64_t bytes = embeddingBytes(alone, models, corpus);
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

/// What the probes hold while branches pass, of the one that holds most.
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

/// Memory, time and reading of experiments with branches, which run after all others. `text` is
/// what losses are of; `corpus`, which passes, has multiple-choice questions besides.
void costBranches(RunPlan& plan, const OpenedModels& models, const text::TokenizedCorpus& corpus,
                  const text::TokenizedCorpus& passed, const Calibration& calibration) {
    const model::ModelSpec& spec = models.model->spec;
    const std::uint64_t whole = streamBytes(plan, models, passed);
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

}  // namespace

void costRun(RunPlan& plan, const OpenedModels& models, const text::TokenizedCorpus& corpus,
             const RunRequest& request, const Calibration& calibration) {
    releaseFreedMemory();
    const text::TokenizedCorpus passed = plan.branching.empty()
                                             ? text::TokenizedCorpus()
                                             : text::withChoices(corpus, request.choices);
    Costing costing(plan, models, corpus, passed, request.weights);
    for (const LayerWork& work : plan.work) {
        costing.layer(work.layer);
    }
    const std::size_t layers = costing.layers().size();
    costing.head();
    const bool forward = plan.endForward > plan.firstForward;
    const std::uint64_t size = plan.place.dtype == at::kFloat ? 4 : 2;
    const std::uint64_t streams = 1 + (plan.baselinesRun ? models.baselines.size() : 0);
    const std::uint64_t branchStreams =
        plan.branching.empty() ? 0 : kLeastStreams * streamBytes(plan, models, passed);
    PlanInput input;
    input.budget = budgetOf(request);
    input.fixed =
        residentMemory() + kLibraryBuffers + branchState(plan, models.model->spec, corpus);
    const std::uint64_t forwardTokens = forward ? corpus.ids.size() : 0;
    input.tokens = std::max<std::uint64_t>(forwardTokens, passed.ids.size());
    const std::uint64_t tokenBytes =
        static_cast<std::uint64_t>(models.model->spec.hiddenSize) * size * streams;
    input.residual = forwardTokens * tokenBytes;
    input.layers = costing.layers();
    input.mostUnits = static_cast<int>(jobs::loopThreads());
    if (plan.streamed) {
        DeviceMemory device;
        device.name = describe(plan.devices);
        device.budget = deviceBudgetOf(request, plan);
        device.fixed = (plan.place.device.is_cpu() ? 0 : kDeviceBuffers) + branchStreams;
        const std::uint64_t own = forward ? mostTokens(corpus, plan.devices.size()) : 0;
        device.tokens = std::max(own, mostTokens(passed, plan.devices.size()));
        input.residual = own * tokenBytes;
        input.device = std::move(device);
    } else {
        input.fixed += branchStreams;
    }
    // Large matrices keep all threads busy by themselves, and weights that come past the page cache
    // come to one block at a time.
    input.mostLanes = at::get_num_threads() == 1 && plan.devices.size() == 1 &&
                              request.weights != WeightReads::Direct
                          ? static_cast<int>(jobs::loopThreads())
                          : 1;
    input.mayUseScratch = request.scratch != ScratchUse::Never && plan.devices.size() == 1;
    input.mustUseScratch = request.scratch == ScratchUse::Always && input.mayUseScratch;
    input.mayReadDirect = plan.devices.size() == 1 && forward &&
                          (request.weights == WeightReads::Direct ||
                           (request.weights == WeightReads::Auto &&
                            models.model->checkpoint.cachedShare() < kAllCached));
    plan.memory = planMemory(input);

    Estimate& result = plan.estimate;
    result.notes.clear();  // of a plan made before
    const std::vector<LayerEffort> efforts = layerEfforts(plan, models, corpus);
    std::uint64_t bytes =
        forward && plan.firstForward == 0 ? embeddingBytes(plan, models, corpus) : 0;
    std::uint64_t expertBytes = 0;
    for (const LayerEffort& effort : efforts) {
        bytes += effort.bytes;
        expertBytes += effort.expertBytes;
    }
    const bool streamed = !plan.memory.residentExperts && expertBytes > 0;
    const std::uint64_t passing = input.device ? input.device->tokens : input.tokens;
    const std::uint64_t blocks =
        passing == 0 ? 1 : (passing + plan.memory.blockTokens - 1) / plan.memory.blockTokens;
    const std::uint64_t rereads = streamed ? blocks : 1;
    result.memoryBytes = plan.memory.peakBytes;
    result.minimumBytes = plan.memory.minimumBytes;
    result.budgetBytes = input.budget;
    result.deviceBytes = plan.memory.deviceBytes;
    result.deviceBudgetBytes = plan.memory.deviceBudget;
    result.readBytes = bytes + (rereads - 1) * expertBytes;
    plan.seconds.clear();
    result.seconds = secondsOf(sessionEffort(costing.resultBytes()), calibration);
    for (const LayerEffort& effort : efforts) {
        plan.seconds.push_back(
            expectedSeconds(effort, blocks, streamed, calibration, lanesOf(plan)));
        result.seconds += plan.seconds.back().total();
    }
    result.diskBytes = 2 * costing.resultBytes() +
                       residualFiles(request, plan.memory, result.seconds) * input.residual +
                       16 * corpus.ids.size() + (std::uint64_t{1} << 20U);
    result.device = describe(plan.devices);
    result.dtype = describe(plan.place.dtype);
    result.tokens = input.tokens > 0 ? corpus.ids.size() : 0;
    result.layers = static_cast<int>(layers);
    if (input.tokens > 0) {
        noteDevices(plan, models.model->spec, corpus.documentCount(), result);
    }
    noteChoices(plan.memory, expertBytes, rereads, result);
    result.experiments = experimentCosts(plan, models, corpus, calibration);
    noteUnits(plan, models, corpus, calibration);
    costBranches(plan, models, corpus, passed, calibration);
    noteKept(plan, models.model->spec, corpus);
    noteDisk(request, result);
    if (const std::string warning = longDocumentsWarning(models.model->spec, corpus);
        !warning.empty()) {
        result.notes.push_back(warning);
    }
}

}  // namespace moescope::engine
