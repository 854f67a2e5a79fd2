// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
// A model whose weights go to a device while it computes.
#include "core/engine/model_run.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace moescope::engine {

ModelRun::Streaming::Streaming(ModelRun& run, DeviceStream& stream, jobs::LaneWorker& lane,
                               int expertsAtOnce, Relief relief)
    : m_run(run) {
    run.m_streamed.emplace(
        Streamed{stream, lane, DeviceAllowance(expertsAtOnce), std::move(relief)});
    run.m_reader.useStream(&stream);
}

ModelRun::Streaming::~Streaming() {
    m_run.stopStreaming();
}

void ModelRun::stopStreaming() {
    try {
        m_batches.reset();
        m_nextBatches.reset();
        m_streamed->lane.submit([] {}).wait();
        m_streamed->stream.uploadMark().wait();
        m_streamed->stream.computationMark().wait();
    } catch (const std::exception&) {
        // A device that failed has told whoever computed on it.
    }
    m_next = {};
    m_weights.reset();
    m_reader.useStream(nullptr);
    m_streamed.reset();
}

std::unique_ptr<ExpertBatches> ModelRun::batchesOf(int layer) {
    const model::LayerSpec& spec = m_spec.layers[static_cast<std::size_t>(layer)];
    if (!spec.moe) {
        return nullptr;
    }
    return std::make_unique<ExpertBatches>(ExpertBatches::Setup{
        .experts = spec.moe->experts,
        .atOnce = m_streamed->allowance.experts(),
        .load =
            [this, &spec](int expert) {
                const auto& names = spec.names.experts[static_cast<std::size_t>(expert)];
                return m_reader.load(names, spec.moe->expert, WeightReader::Load::Ahead);
            },
        .stream = m_streamed->stream,
        .lane = m_streamed->lane});
}

void ModelRun::readAheadStreamed(int layer, LayerParts parts) {
    if (!m_streamed->allowance.layersAhead()) {
        return;
    }
    m_nextLayer = layer;
    const bool experts = std::exchange(parts.experts, false);
    m_next = submit(layer, parts, WeightReader::Load::Ahead, m_streamed->lane);
    m_nextBatches = batchesOf(layer);
    // In batches the first one travels while the layer's attention computes.
    if (m_nextBatches && experts && m_streamed->allowance.expertsAhead()) {
        m_nextBatches->start();
    }
}

void ModelRun::beginStreamed(int layer, LayerParts parts) {
    m_streamed->allowance.beginLayer();
    std::optional<LoadedLayer> loaded;
    if (isReading(layer)) {
        try {
            loaded = m_next.get();
        } catch (const c10::Error& error) {
            // Then the layer before had its memory still.
            if (!isOutOfMemory(error)) {
                throw;
            }
        }
    } else {
        m_nextBatches = batchesOf(layer);
    }
    if (!loaded) {
        parts.experts = false;
        loaded = withRelief(relief(), [&] {
            return submit(layer, parts, WeightReader::Load::Ahead, m_streamed->lane).get();
        });
    }
    loaded->ready.holdComputation();
    m_weights = std::move(loaded->weights);
    m_batches = std::move(m_nextBatches);
    if (m_batches) {
        m_batches->allow(m_streamed->allowance.experts());
        m_batches->start();
    }
}

const Relief& ModelRun::relief() const {
    static const Relief none;
    return m_streamed ? m_streamed->relief : none;
}

bool ModelRun::giveUp(Spare spare) {
    switch (spare) {
        case Spare::Ended:
            return letEndedGo();
        case Spare::NextExperts:
            if (!m_nextBatches || !m_nextBatches->drop()) {
                return false;
            }
            m_streamed->allowance.giveUpExpertsAhead();
            return true;
        case Spare::Experts:
            if (!m_batches || !m_batches->halve()) {
                return false;
            }
            m_streamed->allowance.giveUpExperts(m_batches->atOnce());
            return true;
        case Spare::NextLayer:
            break;
    }
    return dropNextLayer();
}

bool ModelRun::letEndedGo() {
    if (m_batches && m_batches->letRetiredGo()) {
        m_streamed->hasEnded = false;  // the lane was waited for
        return true;
    }
    if (!std::exchange(m_streamed->hasEnded, false)) {
        return false;
    }
    m_streamed->lane.submit([] {}).wait();
    return true;
}

bool ModelRun::dropNextLayer() {
    if (!m_next.valid()) {
        return false;
    }
    try {
        const LoadedLayer loaded = m_next.get();
        loaded.ready.wait();
    } catch (const c10::Error& error) {
        if (!isOutOfMemory(error)) {
            throw;
        }
        return false;  // nothing of it was left
    }
    m_streamed->allowance.giveUpLayersAhead();
    return true;
}

ExpertSource ModelRun::experts(const std::function<void()>& poll) {
    ExpertSource source(*m_weights, m_experts, m_reader, layerSpec(), poll);
    if (m_batches) {
        source.useDevice(*m_batches, relief());
    }
    return source;
}

}  // namespace moescope::engine
