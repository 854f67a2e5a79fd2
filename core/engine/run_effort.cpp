// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/run_effort.h"

#include "core/engine/delta_net.h"
#include "core/engine/expert_steps.h"
#include "core/engine/stored_weights.h"
#include "core/engine/text_split.h"
#include "core/engine/weight_sums.h"
#include "core/model/spec_tensors.h"

#include <algorithm>
#include <set>

namespace moescope::engine {
namespace {

// Operations on tensors, counted in the code that they are named after.
constexpr double kNormCalls = 8.0;
constexpr double kAttentionCalls = 16.0;
constexpr double kDocumentCalls = 25.0;  ///< rotation of queries and keys, copies
constexpr double kScoreCalls = 14.0;     ///< attendBlock()
constexpr double kRouterCalls = 25.0;
constexpr double kExpertCalls = 24.0;  ///< grouping, gathering, products, adding
constexpr double kColumnCalls = 6.0;   ///< keeping an output and its norm
// Where experts are computed together (MoeBlock).
constexpr double kGroupingCalls = 35.0;  ///< sorting, gathering, what joins the residual stream
constexpr double kChoiceCalls = 5.0;     ///< adding each token's first, second, ... output
constexpr double kProductCalls = 3.0;    ///< of an expert
constexpr double kBatchCalls = 3.0;      ///< activations of a batch
constexpr double kNormOnlyCalls = 4.0;   ///< of an expert whose outputs are not kept
constexpr double kSlabCalls = 4.0;
constexpr double kUnitCalls = 100.0;

// Passes over a tensor's elements; one that takes an exponential counts as three.
constexpr double kNormPasses = 8.0;
constexpr double kRotationPasses = 8.0;
constexpr double kScorePasses = 6.0;  ///< of blocks that stay in the cache
constexpr double kWideScorePasses = 20.0;
constexpr double kCachedScores = 2e6;  ///< scores
constexpr double kActivationPasses = 8.0;
constexpr double kGatherPasses = 8.0;
constexpr double kColumnPasses = 6.0;
constexpr double kLogitPasses = 10.0;
constexpr double kStoredPasses = 1.0;   ///< first touch of the file, a copy in the cache
constexpr double kDecodePasses = 10.0;  ///< first touch of file and slab, looking for NaN

// Storing: making, syncing and renaming a part; deflating a byte of it; beginning a session and
// joining its parts.
constexpr double kPartSteps = 3e5;
constexpr double kByteSteps = 1.0;
constexpr double kSessionSteps = 3e6;
constexpr double kJoinSteps = 1.5e5;  ///< of a part

double passes(double rows, double width, double count) {
    return rows * width * count;
}

/// What is the same in every layer is done once, in the first that lists it.
Effort effortOf(const std::vector<WorkUnit>& units, std::set<std::string>& shared) {
    Effort effort;
    for (const WorkUnit& unit : units) {
        if (!unit.ofAllLayers || shared.insert(unit.key).second) {
            effort.operations += unit.operations;
            effort.calls += kUnitCalls;
        }
    }
    return effort;
}

/// Adds up the work of one layer.
class LayerWorkload {
public:
    LayerWorkload(const RunPlan& plan, const OpenedModels& models,
                  const text::TokenizedCorpus& corpus, int layer,
                  std::set<std::string>& sharedUnits)
        : m_plan(plan),
          m_models(models),
          m_corpus(corpus),
          m_layer(layer),
          m_work(plan.work[static_cast<std::size_t>(layer)]),
          m_forward(layer >= plan.firstForward && layer < plan.endForward),
          m_specs(models.baselineSpecs()),
          m_sharedUnits(sharedUnits) {}

    [[nodiscard]] LayerEffort effort() {
        if (m_forward) {
            pass(m_models.model->spec, m_models.model->checkpoint);
            for (std::size_t b = 0; m_plan.baselinesRun && b < m_models.baselines.size(); ++b) {
                pass(m_models.baselines[b]->spec, m_models.baselines[b]->checkpoint);
            }
        }
        if (layerOf(m_models.model->spec).isRouted()) {
            experiments();
        }
        return m_effort;
    }

private:
    [[nodiscard]] double tokens() const { return static_cast<double>(m_corpus.ids.size()); }
    [[nodiscard]] double blocks() const {
        const double block =
            static_cast<double>(std::max<std::uint64_t>(m_plan.memory.blockTokens, 1));
        return std::max(1.0, tokens() / block);
    }
    [[nodiscard]] const model::LayerSpec& layerOf(const model::ModelSpec& spec) const {
        return spec.layers[static_cast<std::size_t>(m_layer)];
    }

    /// The text through a model's layer.
    void pass(const model::ModelSpec& spec, const checkpoint::Checkpoint& checkpoint) {
        const WeightReader reader(checkpoint, m_plan.place);
        const model::LayerSpec& layer = layerOf(spec);
        std::uint64_t elements = 0;
        std::uint64_t decoded = 0;
        forEachTensor(spec, m_layer, [&](const model::SpecTensor& tensor) {
            elements += elementCount(tensor.shape);
            decoded += reader.isDirect(tensor.ref) ? 0 : elementCount(tensor.shape);
            m_effort.bytes += reader.storedBytes(tensor.ref);
        });
        for (const model::FeedForwardNames& expert : layer.names.experts) {
            m_effort.expertBytes += storedBytes(reader, expert);
        }
        const std::uint64_t wide = feedForwardElements(reader, layer.names);
        m_effort.attention.modelOperations += 2.0 * tokens() * static_cast<double>(elements - wide);
        m_effort.feedForward.elements += static_cast<double>(decoded);
        const double hidden = spec.hiddenSize;
        Effort norms{.elements = passes(tokens(), hidden, kNormPasses),
                     .calls = blocks() * kNormCalls};
        m_effort.attention += norms;
        m_effort.feedForward += norms;
        if (layer.delta) {
            deltaNet(*layer.delta);
        } else {
            attention(layer.attention);
        }
        if (layer.moe) {
            routed(*layer.moe, hidden, wide);
        } else {
            feedForward(tokens(), layer.dense->intermediateSize, static_cast<double>(wide));
            m_effort.feedForward.calls += blocks() * kExpertCalls;
        }
    }

    void feedForward(double rows, double width, double weights) {
        m_effort.feedForward.modelOperations += 2.0 * rows * weights;
        m_effort.feedForward.elements += passes(rows, width, kActivationPasses);
    }

    void attention(const model::AttentionSpec& spec) {
        const double heads = spec.headsQ;
        const double headDim = spec.headDim;
        Effort& effort = m_effort.attention;
        effort.calls += kAttentionCalls * blocks();
        effort.elements += passes(tokens(), (heads + spec.headsKv) * headDim, kRotationPasses);
        for (std::size_t d = 0; d + 1 < m_corpus.offsets.size(); ++d) {
            const auto length = static_cast<double>(m_corpus.offsets[d + 1] - m_corpus.offsets[d]);
            const double seen = spec.reach() ? std::min<double>(length, *spec.reach()) : length;
            // A block of queries meets every key up to its last one's.
            const double rows = scoreRows(length, heads);
            const double scores =
                std::min(length * length, (length - seen / 2.0 + rows / 2.0) * seen);
            effort.modelOperations += 4.0 * scores * heads * headDim;
            const bool cached = rows * seen * heads < kCachedScores;
            effort.elements += passes(scores, heads, cached ? kScorePasses : kWideScorePasses);
            effort.calls += kDocumentCalls + kScoreCalls * std::max(1.0, length / rows);
        }
    }

    [[nodiscard]] double scoreRows(double length, double heads) const {
        const double fitting =
            static_cast<double>(m_plan.memory.scoreBytes) / (std::max(length, 1.0) * heads * 4.0);
        const double block =
            static_cast<double>(std::max<std::uint64_t>(m_plan.memory.queryRows, 1));
        return std::max(1.0, std::min({length, block, fitting}));
    }

    /// A state of fixed size in place of scores.
    void deltaNet(const model::DeltaNetSpec& delta) {
        const double state = static_cast<double>(delta.valueHeads) * delta.keyDim * delta.valueDim;
        m_effort.attention.modelOperations += 6.0 * tokens() * state;
        const std::uint64_t wholeChunks = (m_corpus.ids.size() + kDeltaChunk - 1) / kDeltaChunk;
        const auto chunks = static_cast<double>(wholeChunks);
        m_effort.attention.calls +=
            40.0 * static_cast<double>(m_corpus.offsets.size() - 1) + 8.0 * chunks;
    }

    void routed(const model::MoeSpec& moe, double hidden, std::uint64_t wide) {
        const double experts = moe.experts;
        const double width = moe.expert.intermediateSize;
        const double own = 3.0 * hidden * width;
        const double shared = static_cast<double>(wide) - experts * own;
        const DynamicNeeds needs = dynamicNeeds(m_work);
        const bool all = needs.allColumns();
        feedForward((all ? experts : moe.topK) * tokens(), width, own);
        if (needs.chosenSizes && moe.scaleInput && !all) {
            feedForward(moe.topK * tokens(), width, own);  // once more, on unscaled inputs
        }
        if (moe.shared) {
            feedForward(tokens(), moe.shared->intermediateSize, shared);
        }
        Effort& effort = m_effort.feedForward;
        effort.elements += passes(tokens(), experts, kLogitPasses) +
                           passes(tokens() * moe.topK, hidden, kGatherPasses);
        effort.steps += tokens() * moe.topK * (1.0 + 0.1 * experts);
        effort.calls += blocks() * (kRouterCalls + expertCalls(moe, needs));
        if (all) {
            effort.elements += passes(tokens() * experts, hidden, kColumnPasses);
        }
    }

    /// Of a block of tokens, the router's apart.
    [[nodiscard]] double expertCalls(const model::MoeSpec& moe, const DynamicNeeds& needs) const {
        const auto block = static_cast<std::uint64_t>(tokens() / blocks());
        const ExpertSteps steps = expertSteps(moe, needs, block, m_plan.memory);
        if (!steps.together) {
            return steps.experts * (kExpertCalls + (needs.allColumns() ? kColumnCalls : 0.0));
        }
        const double columns = !needs.allColumns() ? 0.0
                               : needs.outputs     ? 1.0  // their norms, all at once
                                                   : steps.experts * kNormOnlyCalls;
        return kGroupingCalls + moe.topK * kChoiceCalls + steps.experts * kProductCalls +
               steps.polls * kBatchCalls + columns;
    }

    void experiments() {
        const LayerContext context = contextOf(m_models, m_specs, m_layer, m_corpus);
        for (const PlannedExperiment* experiment : m_work.dynamic) {
            for (const auto& probe : experiment->probes.dynamic) {
                m_effort.dynamics += probe->effort(context);
                store(*probe, context);
            }
        }
        const StaticNeeds needs = staticNeeds(m_work);
        const bool weights = needs.expertWeights || needs.sums();
        const bool router = needs.router;
        for (const PlannedExperiment* experiment : m_work.statics) {
            for (const auto& probe : experiment->probes.statics) {
                store(*probe, context);
            }
        }
        for (const PlannedExperiment* experiment : m_work.units) {
            for (const auto& probe : experiment->probes.units) {
                m_effort.units += effortOf(probe->units(context), m_sharedUnits);
                store(*probe, context);
            }
        }
        if (router && !m_forward) {
            const WeightReader reader(m_models.model->checkpoint, m_plan.place);
            m_effort.bytes += reader.storedBytes(layerOf(context.model).names.router.weight);
        }
        if (weights) {
            stream(context);
        }
        if (weights || !m_work.units.empty()) {
            readColumns(context);
        }
    }

    void store(const Probe& probe, const LayerContext& context) {
        m_effort.storing.steps +=
            kPartSteps + kByteSteps * static_cast<double>(probe.resultBytes(context));
    }

    /// The columns' weights past the static probes, which share their sums: those are no sum of
    /// what each probe asks for.
    void stream(const LayerContext& context) {
        const bool isStored = StoredWeights::suit(context, m_work, m_models, m_plan.place);
        m_effort.statics += WeightSummer::effort(context, staticNeeds(m_work), isStored);
        double neurons = 0.0;
        for (const Column& column : context.columns) {
            neurons += column.intermediateSize;
        }
        const double elements = 3.0 * neurons * context.hiddenSize;
        if (isStored) {
            m_effort.statics.elements += elements * kStoredPasses;
            return;
        }
        m_effort.statics.elements += elements * kDecodePasses;
        const double slab =
            static_cast<double>(std::max<std::uint64_t>(m_plan.memory.slabNeurons, 1));
        m_effort.statics.calls +=
            3.0 * kSlabCalls * std::max(1.0, context.moe.expert.intermediateSize / slab);
    }

    /// What a pass of text does not read already.
    void readColumns(const LayerContext& context) {
        const model::LayerNames& names = layerOf(context.model).names;
        const WeightReader reader(m_models.model->checkpoint, m_plan.place);
        if (!m_forward) {
            for (const model::FeedForwardNames& expert : names.experts) {
                m_effort.bytes += storedBytes(reader, expert);
            }
            m_effort.bytes += storedBytes(reader, names.shared);
        }
        for (std::size_t b = 0; !(m_forward && m_plan.baselinesRun) && b < m_specs.size(); ++b) {
            const WeightReader baseline(m_models.baselines[b]->checkpoint, m_plan.place);
            m_effort.bytes += storedBytes(baseline, layerOf(*m_specs[b]).names.dense);
        }
    }

    static std::uint64_t storedBytes(const WeightReader& reader,
                                     const model::FeedForwardNames& names) {
        return reader.storedBytes(names.gate) + reader.storedBytes(names.up) +
               reader.storedBytes(names.down);
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

    const RunPlan& m_plan;
    const OpenedModels& m_models;
    const text::TokenizedCorpus& m_corpus;
    int m_layer;
    const LayerWork& m_work;
    bool m_forward;
    std::vector<const model::ModelSpec*> m_specs;
    std::set<std::string>& m_sharedUnits;
    LayerEffort m_effort;
};

}  // namespace

std::vector<LayerEffort> layerEfforts(const RunPlan& plan, const OpenedModels& models,
                                      const text::TokenizedCorpus& corpus) {
    std::vector<LayerEffort> efforts;
    efforts.reserve(plan.work.size());
    std::set<std::string> sharedUnits;
    for (const LayerWork& work : plan.work) {
        efforts.push_back(LayerWorkload(plan, models, corpus, work.layer, sharedUnits).effort());
    }
    return efforts;
}

std::uint64_t embeddingBytes(const OpenedModels& models, const text::TokenizedCorpus& corpus,
                             bool baselines) {
    const std::set<text::TokenId> distinct(corpus.ids.begin(), corpus.ids.end());
    const auto bytesOf = [&](const OpenedModel& model) {
        return distinct.size() *
               checkpoint::LogicalTensor(model.checkpoint, model.spec.embeddingName)
                   .storedRowBytes();
    };
    std::uint64_t bytes = bytesOf(*models.model);
    for (std::size_t b = 0; baselines && b < models.baselines.size(); ++b) {
        bytes += bytesOf(*models.baselines[b]);
    }
    return bytes;
}

double lanesOf(const RunPlan& plan, const text::TokenizedCorpus& corpus) {
    const std::uint64_t most = mostTokens(corpus.offsets, plan.devices.size());
    return plan.devices.size() < 2 || most == 0
               ? static_cast<double>(std::max(plan.memory.lanes, 1))
               : static_cast<double>(corpus.ids.size()) / static_cast<double>(most);
}

std::map<std::string, UnitTotal> unitTotals(const RunPlan& plan, const OpenedModels& models,
                                            const text::TokenizedCorpus& corpus) {
    std::map<std::string, UnitTotal> totals;
    std::set<std::string> shared;
    const auto specs = models.baselineSpecs();
    for (const LayerWork& work : plan.work) {
        for (const PlannedExperiment* experiment : work.units) {
            const LayerContext context = contextOf(models, specs, work.layer, corpus);
            UnitTotal& total = totals[std::string(experiment->info->id)];
            for (const auto& probe : experiment->probes.units) {
                const std::vector<WorkUnit> units = probe->units(context);
                total.units += units.size();
                total.effort += effortOf(units, shared);
                total.unitBytes = std::max(total.unitBytes, probe->unitBytes(context));
                total.resultBytes += probe->resultBytes(context);
            }
        }
    }
    return totals;
}

std::vector<ExperimentCost> experimentCosts(const RunPlan& plan, const OpenedModels& models,
                                            const text::TokenizedCorpus& corpus,
                                            const Calibration& calibration) {
    std::vector<ExperimentCost> costs;
    const auto of = [&](const PlannedExperiment& experiment) -> ExperimentCost& {
        const auto found = std::find_if(
            costs.begin(), costs.end(),
            [&](const ExperimentCost& cost) { return cost.id == experiment.info->id; });
        return found != costs.end() ? *found
                                    : costs.emplace_back(ExperimentCost{
                                          std::string(experiment.info->id), 0.0, 0, 0});
    };
    const auto specs = models.baselineSpecs();
    const std::uint64_t block = std::min<std::uint64_t>(plan.memory.blockTokens, corpus.ids.size());
    for (const LayerWork& work : plan.work) {
        if (work.empty()) {
            continue;
        }
        const LayerContext context = contextOf(models, specs, work.layer, corpus);
        const auto add = [&](const PlannedExperiment& experiment, const Probe& probe,
                             std::uint64_t memory, const Calibration& rates) {
            ExperimentCost& cost = of(experiment);
            cost.seconds += secondsOf(probe.effort(context), rates);
            cost.memoryBytes = std::max(cost.memoryBytes, memory);
            cost.diskBytes += probe.resultBytes(context);
        };
        for (const PlannedExperiment* experiment : work.dynamic) {
            for (const auto& probe : experiment->probes.dynamic) {
                add(*experiment, *probe,
                    probe->stateBytes(context) + block * probe->scratchBytesPerToken(context),
                    calibration.ofTokens());
            }
        }
        for (const PlannedExperiment* experiment : work.statics) {
            for (const auto& probe : experiment->probes.statics) {
                add(*experiment, *probe, probe->stateBytes(context), calibration);
            }
        }
        for (const PlannedExperiment* experiment : work.units) {
            for (const auto& probe : experiment->probes.units) {
                add(*experiment, *probe,
                    probe->unitBytes(context) *
                        static_cast<std::uint64_t>(std::max(plan.memory.unitsAtOnce, 1)),
                    calibration);
            }
        }
    }
    for (const auto& [id, total] : unitTotals(plan, models, corpus)) {
        for (ExperimentCost& cost : costs) {
            cost.seconds += cost.id == id ? secondsOf(total.effort, calibration) : 0.0;
        }
    }
    return costs;
}

Effort sessionEffort(const RunPlan& plan, std::uint64_t resultBytes) {
    std::size_t parts = 0;
    std::set<const PlannedExperiment*> experiments;  // each may have one about the whole model
    for (const LayerWork& work : plan.work) {
        for (const auto* kind : {&work.dynamic, &work.statics, &work.units}) {
            parts += kind->size();
            experiments.insert(kind->begin(), kind->end());
        }
    }
    parts += experiments.size();
    return {.steps = kSessionSteps + kJoinSteps * static_cast<double>(parts) +
                     0.5 * kByteSteps * static_cast<double>(resultBytes)};
}

}  // namespace moescope::engine
