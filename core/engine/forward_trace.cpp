// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/forward_trace.h"

#include "core/engine/columns.h"
#include "core/engine/device.h"
#include "core/engine/layer_pass.h"
#include "core/engine/no_autograd.h"
#include "core/engine/to_array.h"

#include <ATen/ATen.h>

#include <memory>
#include <utility>

namespace moescope::engine {
namespace {

/// Blocks of one quantity, joined at the end.
class Pieces {
public:
    void add(const at::Tensor& piece, int tokenAxis = 0) {
        m_axis = tokenAxis;
        m_pieces.push_back(piece.detach().to(at::kCPU, /*non_blocking=*/false, /*copy=*/true));
    }
    [[nodiscard]] NdArray join() const {
        return m_pieces.empty() ? NdArray() : toArray(at::cat(m_pieces, m_axis));
    }

private:
    std::vector<at::Tensor> m_pieces;
    int m_axis = 0;
};

struct RoutedPieces {
    Pieces input, logits, scores, selection, chosen, weights, outputs, norms;

    void add(const TokenBlock& block) {
        input.add(block.input);
        logits.add(block.logits);
        scores.add(block.scores);
        selection.add(block.selection);
        chosen.add(block.chosen);
        weights.add(block.weights);
        if (block.outputs != nullptr) {
            outputs.add(*block.outputs, 1);
            norms.add(*block.norms);
        }
    }
    [[nodiscard]] ForwardTrace::RoutedLayer join() const {
        return {input.join(),  logits.join(),  scores.join(),  selection.join(),
                chosen.join(), weights.join(), outputs.join(), norms.join()};
    }
};

class Tracer {
public:
    Tracer(const TracedModel& model, const std::vector<TracedModel>& baselines,
           const text::TokenizedCorpus& corpus, const TraceRequest& request)
        : m_corpus(corpus), m_request(request), m_spec(*model.spec) {
        m_place.device = chooseDevice(request.device);
        m_place.dtype = request.dtype == "bfloat16" ? at::kBFloat16 : at::kFloat;
        m_models.model = makeStream(model);
        for (const TracedModel& baseline : baselines) {
            m_models.baselines.push_back(makeStream(baseline));
            m_baselineSpecs.push_back(baseline.spec);
        }
    }

    ForwardTrace run() {
        const NoAutograd noAutograd;
        for (int layer = 0; layer < m_spec.layerCount(); ++layer) {
            m_trace.hidden.push_back(toArray(m_models.model.hidden));
            runLayer(layer);
        }
        m_trace.hidden.push_back(toArray(m_models.model.hidden));
        const at::Tensor finalHidden = m_models.model.model->finalHidden(m_models.model.hidden);
        m_trace.finalHidden = toArray(finalHidden);
        m_trace.logits = toArray(m_models.model.model->logits(finalHidden));
        m_trace.bytesRead = m_models.model.model->reader().bytesRead();
        return std::move(m_trace);
    }

private:
    ModelStream makeStream(const TracedModel& traced) {
        m_runs.push_back(std::make_unique<ModelRun>(*traced.checkpoint, *traced.spec, m_place));
        ModelStream stream{m_runs.back().get(), {}};
        const auto tokens = static_cast<std::int64_t>(m_corpus.ids.size());
        stream.hidden = at::empty({tokens, traced.spec->hiddenSize}, m_place.options());
        stream.model->embed(m_corpus.ids, stream.hidden);
        return stream;
    }

    void runLayer(int layer) {
        const LayerParts parts{.experts = m_request.residentExperts};
        m_models.model.model->beginLayer(layer, parts);
        for (ModelStream& baseline : m_models.baselines) {
            baseline.model->beginLayer(layer, parts);
        }
        std::optional<LayerContext> context;
        const model::LayerSpec& spec = m_spec.layers.at(static_cast<std::size_t>(layer));
        if (spec.isRouted()) {
            context.emplace(LayerContext{.branch = BranchId{0},
                                         .layer = LayerId{layer},
                                         .model = m_spec,
                                         .moe = *spec.moe,
                                         .hiddenSize = m_spec.hiddenSize,
                                         .columns = columnsOf(m_spec, layer, m_baselineSpecs),
                                         .corpus = m_corpus});
        }
        const PassLimits limits{m_request.blockTokens, {m_request.queryRows, m_request.scoreBytes}};
        const LayerIntervention* change =
            m_request.change == nullptr ? nullptr : m_request.change->at(LayerId{layer});
        RoutedPieces pieces;
        const std::vector<Stretch> stretches = splitText(m_corpus.offsets, 1, 0);
        LayerPass pass({.devices = {&m_models, 1},
                        .stretches = stretches,
                        .offsets = m_corpus.offsets,
                        .limits = limits,
                        .poll = [] {}});
        pass.run(context ? &*context : nullptr,
                 {.norms = m_request.experts, .outputs = m_request.experts}, change,
                 {.block = [&](const TokenBlock& block, const Relief&) { pieces.add(block); },
                  .activations = {}});
        if (context) {
            m_trace.routed.emplace(LayerId{layer}, pieces.join());
        }
        collectWarnings(layer);
        m_models.model.model->endLayer(layer);
        for (ModelStream& baseline : m_models.baselines) {
            baseline.model->endLayer(layer);
        }
    }

    void collectWarnings(int layer) {
        for (std::string& warning : m_models.model.model->warnings(layer)) {
            m_trace.warnings.push_back(std::move(warning));
        }
    }

    const text::TokenizedCorpus& m_corpus;
    const TraceRequest& m_request;
    const model::ModelSpec& m_spec;
    ComputePlace m_place;
    std::vector<std::unique_ptr<ModelRun>> m_runs;
    DeviceModels m_models;
    std::vector<const model::ModelSpec*> m_baselineSpecs;
    ForwardTrace m_trace;
};

}  // namespace

ForwardTrace traceForward(const TracedModel& model, const std::vector<TracedModel>& baselines,
                          const text::TokenizedCorpus& corpus, const TraceRequest& request) {
    setThreads(usefulThreads(*model.spec));
    return Tracer(model, baselines, corpus, request).run();
}

}  // namespace moescope::engine
