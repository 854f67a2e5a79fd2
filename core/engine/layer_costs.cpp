// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/layer_costs.h"

#include "core/engine/branch_pass.h"
#include "core/engine/delta_net.h"
#include "core/engine/layer_weights.h"
#include "core/engine/stored_weights.h"
#include "core/model/spec_tensors.h"

#include <algorithm>
#include <utility>

namespace moescope::engine {
namespace {

/// Adds up costs layer by layer.
class Costing {
public:
    /// `passed`: the text that branches take through the model.
    Costing(const RunPlan& plan, const OpenedModels& models, const text::TokenizedCorpus& corpus,
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
        cost.mostTogether = needs.allColumns() ? moe.experts : std::min(moe.topK, moe.experts);
        cost.hostPerToken = experts * 24;
        cost.perToken += experts * 24 + 3 * width * m_size + hidden * (4 + 3 * m_size);
        cost.perTokenAndExpert = 3 * width * m_size;
        if (needs.norms && !needs.outputs) {
            cost.perTokenAndExpert += hidden * m_size;  // the outputs, until their norms are taken
        }
        if (!m_plan.place.device.is_cpu() && !needs.outputs) {
            // Rows of the chosen experts lie together, before and after.
            cost.perToken += static_cast<std::uint64_t>(moe.topK) * hidden * m_size * 2;
        }
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
                if (!m_plan.place.device.is_cpu()) {
                    cost.onDevice.push_back(probe->deviceBytes(context));
                }
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

    const RunPlan& m_plan;
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

}  // namespace

LayerCosts costLayers(const RunPlan& plan, const OpenedModels& models,
                      const text::TokenizedCorpus& corpus, const text::TokenizedCorpus& passed,
                      WeightReads reads) {
    Costing costing(plan, models, corpus, passed, reads);
    for (const LayerWork& work : plan.work) {
        costing.layer(work.layer);
    }
    const auto visited = static_cast<int>(costing.layers().size());
    costing.head();
    return {std::move(costing.layers()), visited, costing.resultBytes()};
}

}  // namespace moescope::engine
