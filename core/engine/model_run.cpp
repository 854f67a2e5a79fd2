// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/model_run.h"

#include "core/engine/delta_net.h"
#include "core/engine/norm.h"
#include "core/model/spec_tensors.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <utility>

namespace moescope::engine {
namespace {

/// Rows embedded at once.
constexpr std::size_t kEmbedRows = 4096;

}  // namespace

void ModelRun::embed(std::span<const text::TokenId> ids, at::Tensor& hidden) {
    const at::Tensor rounded = at::scalar_tensor(m_spec.embeddingScale, hidden.scalar_type());
    const double scale =
        m_spec.roundEmbeddingScale ? rounded.item<double>() : m_spec.embeddingScale;
    for (std::size_t first = 0; first < ids.size(); first += kEmbedRows) {
        const auto part = ids.subspan(first, std::min(kEmbedRows, ids.size() - first));
        hidden.narrow(0, static_cast<std::int64_t>(first), static_cast<std::int64_t>(part.size()))
            .copy_(m_reader.loadRows(m_spec.embeddingName, part));
    }
    if (scale != 1.0) {
        hidden.mul_(scale);
    }
}

void ModelRun::useBuffers(std::shared_ptr<WeightBuffers> buffers, DirectReads which, bool hold) {
    m_reader.useBuffers(buffers, which);
    m_buffers = std::move(buffers);
    m_holdExperts = hold;
}

void ModelRun::beginLayer(int layer, LayerParts parts) {
    m_layer = layer;
    if (m_streamed) {
        beginStreamed(layer, parts);
        return;
    }
    if (isReading(layer)) {
        m_weights = waitFor(m_next, m_buffers.get()).weights;
        m_experts = std::exchange(m_nextExperts, {});
        return;
    }
    m_weights = loadLayer(m_reader, m_spec, layer, parts, WeightReader::Load::Now);
}

std::future<ModelRun::LoadedLayer> ModelRun::submit(int layer, LayerParts parts,
                                                    WeightReader::Load how,
                                                    jobs::LaneWorker& lane) {
    return lane.submit([this, layer, parts, how] {
        if (!m_streamed) {
            return LoadedLayer{loadLayer(m_reader, m_spec, layer, parts, how), {}};
        }
        const DeviceStream::Scope scope(m_streamed->stream);
        LoadedLayer loaded{loadLayer(m_reader, m_spec, layer, parts, how), {}};
        loaded.ready = m_streamed->stream.uploadMark();
        return loaded;
    });
}

void ModelRun::readAhead(int layer, std::optional<LayerParts> parts, jobs::LaneWorker& lane) {
    const bool direct = parts && parts->direct && m_buffers;
    if (!direct) {
        forEachTensor(m_spec, layer,
                      [&](const model::SpecTensor& tensor) { m_reader.willNeed(tensor.ref); });
    }
    if (!parts) {
        return;
    }
    if (m_streamed) {
        readAheadStreamed(layer, *parts);
        return;
    }
    m_nextLayer = layer;
    const auto how = direct ? WeightReader::Load::AheadDirect : WeightReader::Load::Ahead;
    LayerParts wanted = *parts;
    wanted.experts = wanted.experts && !direct;
    m_next = submit(layer, wanted, how, lane);
    const model::LayerSpec& spec = m_spec.layers[static_cast<std::size_t>(layer)];
    if (!direct || !parts->experts || !spec.moe) {
        return;
    }
    std::vector<std::future<FeedForward>> coming;
    coming.reserve(spec.names.experts.size());
    for (const model::FeedForwardNames& expert : spec.names.experts) {
        coming.push_back(lane.submit(
            [this, &expert, &spec, how] { return m_reader.load(expert, spec.moe->expert, how); }));
    }
    m_nextExperts = ExpertQueue(std::move(coming), m_buffers, m_holdExperts);
}

void ModelRun::finishReading() {
    m_experts.finish();
    if (m_batches) {
        m_batches->finish();
    }
}

void ModelRun::endLayer(int layer) {
    if (m_streamed && m_weights) {
        // They go when the computation is through with them; the lane brings nothing meanwhile.
        m_batches.reset();
        m_streamed->hasEnded = true;
        static_cast<void>(
            m_streamed->lane.submit([gone = std::optional(std::move(*m_weights)),
                                     through = m_streamed->stream.computationMark()]() mutable {
                through.wait();
                gone.reset();
            }));
    }
    m_weights.reset();
    m_experts = {};
    forEachTensor(m_spec, layer,
                  [&](const model::SpecTensor& tensor) { m_reader.release(tensor.ref); });
}

void ModelRun::attend(at::Tensor& hidden, std::span<const std::uint64_t> lengths,
                      const AttentionLimits& limits, const std::function<void()>& poll,
                      const Relief& relief) {
    if (const auto& delta = layerSpec().delta) {
        DeltaNet(*delta, *m_weights, limits.queryRows).apply(hidden, lengths, poll, relief);
        return;
    }
    const Attention attention(layerSpec().attention, *m_weights, m_ropes, limits);
    attention.apply(hidden, lengths, poll, relief);
}

at::Tensor ModelRun::feedForwardInput(const at::Tensor& hidden) const {
    return normalise(hidden, m_weights->feedForwardNorm);
}

void ModelRun::addFeedForward(at::Tensor& hidden, const at::Tensor& output) const {
    addTo(hidden, output, m_weights->feedForwardJoin);
    if (m_weights->scalar.defined()) {
        hidden.mul_(m_weights->scalar);
    }
}

at::Tensor ModelRun::finalHidden(const at::Tensor& hidden) {
    if (!m_finalNorm.weight.defined()) {
        Norm norm{m_reader.load(m_spec.finalNormName), {}, m_spec.normKind, m_spec.normEps};
        if (!m_spec.finalNormBias.empty()) {
            norm.bias = m_reader.load(m_spec.finalNormBias);
        }
        m_finalNorm = std::move(norm);
    }
    return normalise(hidden, m_finalNorm);
}

at::Tensor ModelRun::logits(const at::Tensor& finalHidden) {
    if (!m_head.weight.defined()) {
        Linear head = m_spec.tiedHead ? Linear{m_reader.load(m_spec.embeddingName), {}}
                                      : m_reader.load(m_spec.head);
        if (m_spec.normalisedHead) {
            const at::Tensor wide = head.weight.to(at::kFloat);
            const at::Tensor norms = at::linalg_vector_norm(wide, 2, {0}, /*keepdim=*/true);
            head.weight = (wide / (norms + 1e-7)).to(head.weight.scalar_type());
        }
        m_head = std::move(head);  // whole, or not at all when memory runs out
    }
    at::Tensor logits =
        at::linear(finalHidden, m_head.weight, m_head.bias).to(at::kFloat).mul_(m_spec.logitScale);
    if (m_spec.logitCap) {
        logits.div_(*m_spec.logitCap).tanh_().mul_(*m_spec.logitCap);
    }
    return logits;
}

std::vector<std::string> ModelRun::warnings(int layer) const {
    std::vector<std::string> result;
    forEachTensor(m_spec, layer, [&](const model::SpecTensor& tensor) {
        const std::string warning = m_reader.warningOf(tensor.ref);
        if (!warning.empty()) {
            result.push_back(warning);
        }
    });
    return result;
}

}  // namespace moescope::engine
