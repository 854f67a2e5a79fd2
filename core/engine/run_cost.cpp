// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/error.h"
#include "core/base/file_system.h"
#include "core/engine/delta_net.h"
#include "core/engine/device.h"
#include "core/engine/layer_weights.h"
#include "core/engine/run_plan.h"
#include "core/model/spec_tensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace moescope::engine {
namespace {

/// Buffers of LibTorch, OpenBLAS and oneDNN that show up during a run.
constexpr std::uint64_t kLibraryBuffers = std::uint64_t{96} << 20U;
/// Part of the free memory that a run takes unless told otherwise.
constexpr double kDefaultShare = 0.8;
/// Small operations of attention in one layer: over all documents, and for each.
constexpr double kCallsPerAttention = 30.0;
constexpr double kCallsPerDocument = 20.0;
/// Of a block of tokens for each expert that gets some.
constexpr double kCallsPerExpert = 8.0;
/// Of the static probes in one layer.
constexpr double kCallsPerStatics = 60.0;
/// Working copies a static probe makes of a slab.
constexpr std::uint64_t kSlabCopies = 2;

/// Adds up costs layer by layer.
class Costing {
public:
    Costing(RunPlan& plan, const OpenedModels& models, const text::TokenizedCorpus& corpus)
        : m_plan(plan),
          m_models(models),
          m_corpus(corpus),
          m_specs(models.baselineSpecs()),
          m_reader(models.model->checkpoint, plan.place),
          m_size(plan.place.dtype == at::kFloat ? 4 : 2) {}

    void layer(int index) {
        const LayerWork& work = m_plan.work[static_cast<std::size_t>(index)];
        const bool forward = index >= m_plan.firstForward && index < m_plan.endForward;
        LayerCost cost;
        m_efforts.emplace_back();
        if (forward) {
            weights(m_models.model->spec, m_reader, index, cost);
            tokens(index, work, cost);
            if (m_plan.baselinesRun) {
                for (const auto& baseline : m_models.baselines) {
                    const WeightReader reader(baseline->checkpoint, m_plan.place);
                    weights(baseline->spec, reader, index, cost);
                }
            }
        }
        if (!work.statics.empty()) {
            statics(index, work, forward, cost);
        }
        if (forward || !work.statics.empty()) {
            m_layers.push_back(cost);
        }
    }

    [[nodiscard]] std::vector<LayerCost>& layers() { return m_layers; }
    /// One per layer of the model.
    [[nodiscard]] const std::vector<LayerEffort>& efforts() const { return m_efforts; }
    /// Rows of the embeddings that the text touches.
    void embeddings() {
        const std::set<text::TokenId> distinct(m_corpus.ids.begin(), m_corpus.ids.end());
        const auto add = [&](const OpenedModel& model) {
            m_bytes += distinct.size() *
                       checkpoint::LogicalTensor(model.checkpoint, model.spec.embeddingName)
                           .storedRowBytes();
        };
        add(*m_models.model);
        for (std::size_t b = 0; m_plan.baselinesRun && b < m_models.baselines.size(); ++b) {
            add(*m_models.baselines[b]);
        }
    }

    [[nodiscard]] std::uint64_t bytes() const { return m_bytes; }
    [[nodiscard]] std::uint64_t expertBytes() const { return m_expertBytes; }
    [[nodiscard]] std::uint64_t resultBytes() const { return m_results; }

private:
    [[nodiscard]] double tokenCount() const { return static_cast<double>(m_corpus.ids.size()); }

    /// The model and the baselines that run beside it, whose attention is of the same kind.
    [[nodiscard]] double runs() const {
        return 1.0 + (m_plan.baselinesRun ? static_cast<double>(m_models.baselines.size()) : 0.0);
    }

    /// Anonymous bytes a tensor costs when loaded.
    [[nodiscard]] std::uint64_t decoded(const WeightReader& reader,
                                        const model::TensorRef& ref) const {
        return ref.empty() || reader.isDirect(ref) ? 0 : reader.elements(ref) * m_size;
    }

    void weights(const model::ModelSpec& spec, const WeightReader& reader, int index,
                 LayerCost& cost) {
        const model::LayerNames& names = spec.layers[static_cast<std::size_t>(index)].names;
        LayerEffort& effort = m_efforts.back();
        std::uint64_t all = 0;
        std::uint64_t elements = 0;
        forEachTensor(spec, index, [&](const model::SpecTensor& tensor) {
            all += decoded(reader, tensor.ref);
            elements += elementCount(tensor.shape);
            m_bytes += reader.storedBytes(tensor.ref);
            effort.bytes += reader.storedBytes(tensor.ref);
        });
        const std::uint64_t wide = feedForwardElements(reader, names);
        effort.attention.operations += 2.0 * tokenCount() * static_cast<double>(elements - wide);
        effort.feedForward.operations += 2.0 * tokenCount() * static_cast<double>(wide);
        std::uint64_t experts = 0;
        for (const model::FeedForwardNames& expert : names.experts) {
            const std::uint64_t one = decoded(reader, expert.gate) + decoded(reader, expert.up) +
                                      decoded(reader, expert.down);
            experts += one;
            cost.largestExpert = std::max(cost.largestExpert, one);
            for (const model::TensorRef* name : {&expert.gate, &expert.up, &expert.down}) {
                m_expertBytes += reader.storedBytes(*name);
                effort.expertBytes += reader.storedBytes(*name);
            }
        }
        cost.expertWeights += experts;
        cost.otherWeights += all - experts;
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
        LayerEffort& effort = m_efforts.back();
        std::uint64_t longest = 0;
        for (std::size_t d = 0; d + 1 < m_corpus.offsets.size(); ++d) {
            const std::uint64_t length = m_corpus.offsets[d + 1] - m_corpus.offsets[d];
            longest = std::max(longest, length);
            const auto n = static_cast<double>(length);
            const double seen = attention.reach() ? std::min<double>(n, *attention.reach()) : n;
            effort.attention.operations +=
                runs() * 4.0 * (n - seen / 2.0) * seen * static_cast<double>(heads * headDim);
            effort.attention.calls += runs() * kCallsPerDocument;
        }
        effort.attention.calls += runs() * kCallsPerAttention;
        cost.mostScores = longest * longest * heads * 4;
        // Short documents are grouped up to a block of queries; that block is counted per row.
        cost.keysValues = 2 * longest * kvHeads * headDim * m_size;
    }

    /// No scores, and no keys and values of a whole document: a state of fixed size.
    void deltaNet(const model::DeltaNetSpec& delta, std::uint64_t hidden, LayerCost& cost) {
        const auto channels = static_cast<std::uint64_t>(delta.channels());
        const auto values = static_cast<std::uint64_t>(delta.valueWidth());
        const auto heads = static_cast<std::uint64_t>(delta.valueHeads);
        const auto keyDim = static_cast<std::uint64_t>(delta.keyDim);
        const auto valueDim = static_cast<std::uint64_t>(delta.valueDim);
        cost.perQueryRow = hidden * (8 + 3 * m_size) + (channels + values) * (12 + 3 * m_size) +
                           heads * (6 * keyDim + 5 * valueDim + 4 * kDeltaChunk) * 4;
        cost.keysValues = 3 * heads * keyDim * valueDim * 4;
        const auto state = static_cast<double>(heads * keyDim * valueDim);
        LayerEffort& effort = m_efforts.back();
        effort.attention.operations += runs() * 6.0 * tokenCount() * state;
        const std::uint64_t chunks = (m_corpus.ids.size() + kDeltaChunk - 1) / kDeltaChunk;
        effort.attention.calls +=
            runs() * static_cast<double>(40 * (m_corpus.offsets.size() - 1) + 8 * chunks);
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
        cost.perToken += experts * 24 + 3 * width * m_size + hidden * (4 + 3 * m_size);
        if (needs.outputs) {
            cost.perToken += context.columns.size() * hidden * 4;
        }
        for (const PlannedExperiment* experiment : work.dynamic) {
            for (const auto& probe : experiment->probes.dynamic) {
                cost.probeState += probe->stateBytes(context);
                cost.perToken += probe->scratchBytesPerToken(context);
                cost.parts += probe->resultBytes(context);
            }
        }
        m_results += cost.parts;
        LayerEffort& effort = m_efforts.back();
        effort.callsPerBlock += static_cast<double>(experts) * kCallsPerExpert;
        if (!needs.allColumns()) {
            // Only the chosen experts are multiplied; all were counted above.
            const double unused = static_cast<double>(experts) - moe.topK;
            effort.feedForward.operations -= 6.0 * tokenCount() * unused *
                                             static_cast<double>(hidden) *
                                             moe.expert.intermediateSize;
        }
    }

    void statics(int index, const LayerWork& work, bool forward, LayerCost& cost) {
        const LayerContext context = contextOf(m_models, m_specs, index, m_corpus);
        std::uint64_t group = 0;
        bool weightsWanted = false;
        bool routerWanted = false;
        for (const Column& column : context.columns) {
            group += static_cast<std::uint64_t>(column.intermediateSize ==
                                                context.moe.expert.intermediateSize);
            cost.neurons =
                std::max(cost.neurons, static_cast<std::uint64_t>(column.intermediateSize));
        }
        for (const PlannedExperiment* experiment : work.statics) {
            for (const auto& probe : experiment->probes.statics) {
                const StaticNeeds needs = probe->needs();
                cost.staticState += probe->stateBytes(context);
                m_results += probe->resultBytes(context);
                cost.wholeMatrices = cost.wholeMatrices || needs.wholeMatrices;
                weightsWanted = weightsWanted || needs.expertWeights;
                routerWanted = routerWanted || needs.router;
            }
        }
        if (routerWanted && !forward) {
            const auto& spec = m_models.model->spec.layers[static_cast<std::size_t>(index)];
            m_bytes += m_reader.storedBytes(spec.names.router.weight);
        }
        if (!weightsWanted) {
            return;
        }
        cost.perNeuron =
            group * static_cast<std::uint64_t>(context.hiddenSize) * 4 * (1 + kSlabCopies);
        const double elements = static_cast<double>(group) * context.hiddenSize *
                                context.moe.expert.intermediateSize * 3.0;
        LayerEffort& effort = m_efforts.back();
        effort.statics.operations += elements * static_cast<double>(group) * 2.0;
        effort.statics.calls += kCallsPerStatics;
        if (!forward) {
            readColumns(index);
        }
    }

    /// The weights of a layer's columns, for a run in which no text passes it.
    void readColumns(int index) {
        const auto layer = static_cast<std::size_t>(index);
        const auto add = [&](const WeightReader& reader, const model::FeedForwardNames& names) {
            for (const model::TensorRef* name : {&names.gate, &names.up, &names.down}) {
                m_bytes += reader.storedBytes(*name);
                m_efforts.back().bytes += reader.storedBytes(*name);
            }
        };
        const model::LayerNames& names = m_models.model->spec.layers[layer].names;
        for (const model::FeedForwardNames& expert : names.experts) {
            add(m_reader, expert);
        }
        add(m_reader, names.shared);
        for (const auto& baseline : m_models.baselines) {
            add(WeightReader(baseline->checkpoint, m_plan.place),
                baseline->spec.layers[layer].names.dense);
        }
    }

    static std::uint64_t feedForwardElements(const WeightReader& reader,
                                             const model::LayerNames& names) {
        std::uint64_t elements = 0;
        const auto add = [&](const model::FeedForwardNames& part) {
            for (const model::TensorRef* ref : {&part.gate, &part.up, &part.down}) {
                elements += ref->empty() ? 0 : reader.elements(*ref);
            }
        };
        add(names.dense);
        add(names.shared);
        std::for_each(names.experts.begin(), names.experts.end(), add);
        return elements;
    }

    RunPlan& m_plan;
    const OpenedModels& m_models;
    const text::TokenizedCorpus& m_corpus;
    std::vector<const model::ModelSpec*> m_specs;
    WeightReader m_reader;
    std::uint64_t m_size;
    std::vector<LayerCost> m_layers;
    std::vector<LayerEffort> m_efforts;
    std::uint64_t m_bytes = 0;
    std::uint64_t m_expertBytes = 0;
    std::uint64_t m_results = 0;
};

std::uint64_t budgetOf(const RunRequest& request, const ComputePlace& place) {
    if (!place.device.is_cpu()) {
        const std::uint64_t free = freeDeviceBytes(place.device);
        const auto share = static_cast<std::uint64_t>(static_cast<double>(free) * 0.9);
        return request.memoryBytes ? std::min(*request.memoryBytes, share) : share;
    }
    return request.memoryBytes.value_or(
        residentMemory() +
        static_cast<std::uint64_t>(static_cast<double>(availableMemory()) * kDefaultShare));
}

/// Files as large as the residual streams: the scratch file and the two kept in turn.
std::uint64_t residualFiles(const RunRequest& request, const MemoryPlan& memory, double seconds) {
    const bool kept = request.scratch == ScratchUse::Always ||
                      (request.scratch == ScratchUse::Auto &&
                       seconds > std::chrono::duration<double>(request.keepEvery).count());
    return (memory.residualInMemory ? 0U : 1U) + (kept ? 2U : 0U);
}

void noteChoices(const MemoryPlan& memory, std::uint64_t expertBytes, std::uint64_t rereads,
                 Estimate& estimate) {
    if (!memory.residentExperts && rereads > 1) {
        estimate.notes.push_back(
            fmt::format("a layer's experts do not fit together: they are read {} times, {} more",
                        rereads, formatBytes((rereads - 1) * expertBytes)));
    }
    if (!memory.residualInMemory) {
        estimate.notes.emplace_back("the residual stream lives in a scratch file");
    }
}

}  // namespace

void costRun(RunPlan& plan, const OpenedModels& models, const text::TokenizedCorpus& corpus,
             const RunRequest& request, const Calibration& calibration) {
    releaseFreedMemory();
    Costing costing(plan, models, corpus);
    for (const LayerWork& work : plan.work) {
        costing.layer(work.layer);
    }
    const bool forward = plan.endForward > plan.firstForward;
    if (forward && plan.firstForward == 0) {
        costing.embeddings();
    }
    const std::uint64_t size = plan.place.dtype == at::kFloat ? 4 : 2;
    const std::uint64_t streams = 1 + (plan.baselinesRun ? models.baselines.size() : 0);
    PlanInput input;
    input.budget = budgetOf(request, plan.place);
    input.fixed = (plan.place.device.is_cpu() ? residentMemory() : 0) + kLibraryBuffers;
    input.tokens = forward ? corpus.ids.size() : 0;
    input.residual =
        input.tokens * static_cast<std::uint64_t>(models.model->spec.hiddenSize) * size * streams;
    input.layers = costing.layers();
    input.mayUseScratch = request.scratch != ScratchUse::Never && plan.place.device.is_cpu();
    input.mustUseScratch = request.scratch == ScratchUse::Always && input.mayUseScratch;
    plan.memory = planMemory(input);

    Estimate& result = plan.estimate;
    const bool streamed = !plan.memory.residentExperts && costing.expertBytes() > 0;
    const std::uint64_t blocks =
        input.tokens == 0 ? 1
                          : (input.tokens + plan.memory.blockTokens - 1) / plan.memory.blockTokens;
    const std::uint64_t rereads = streamed ? blocks : 1;
    result.memoryBytes = plan.memory.peakBytes;
    result.minimumBytes = plan.memory.minimumBytes;
    result.budgetBytes = input.budget;
    result.deviceBytes = plan.place.device.is_cpu() ? 0 : plan.memory.peakBytes;
    result.readBytes = costing.bytes() + (rereads - 1) * costing.expertBytes();
    plan.seconds.clear();
    result.seconds = 0.0;
    for (const LayerEffort& effort : costing.efforts()) {
        plan.seconds.push_back(expectedSeconds(effort, blocks, streamed, calibration));
        result.seconds += plan.seconds.back().total();
    }
    result.diskBytes = 2 * costing.resultBytes() +
                       residualFiles(request, plan.memory, result.seconds) * input.residual +
                       16 * corpus.ids.size() + (std::uint64_t{1} << 20U);
    result.device = describe(plan.place.device);
    result.dtype = describe(plan.place.dtype);
    result.tokens = input.tokens;
    result.layers = static_cast<int>(input.layers.size());
    noteChoices(plan.memory, costing.expertBytes(), rereads, result);
    if (const std::string warning = longDocumentsWarning(models.model->spec, corpus);
        !warning.empty()) {
        result.notes.push_back(warning);
    }
}

}  // namespace moescope::engine
