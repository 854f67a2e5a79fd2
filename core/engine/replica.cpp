// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/replica.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace moescope::engine {

LayerParts layerParts(const MemoryPlan& memory, bool direct) {
    const bool ahead = !memory.streamed() || memory.decodeAhead;
    return {.experts = memory.residentExperts && ahead, .direct = direct};
}

Replica::Replica(const std::vector<const OpenedModel*>& models, const ComputePlace& place,
                 const MemoryPlan& memory, const Replica* other)
    : m_device(place.device) {
    for (const OpenedModel* model : models) {
        m_runs.push_back(std::make_unique<ModelRun>(model->checkpoint, model->spec, place));
    }
    for (std::size_t i = 0; other != nullptr && i < m_runs.size(); ++i) {
        m_runs[i]->reader().shareLedger(other->m_runs[i]->reader());
    }
    if (!memory.streamed()) {
        return;
    }
    m_stream = std::make_unique<DeviceStream>(place.device, memory.stagingBytes);
    for (const auto& run : m_runs) {
        m_streaming.push_back(std::make_unique<ModelRun::Streaming>(
            *run, *m_stream, m_lane, memory.expertsAtOnce, relief()));
    }
}

Relief Replica::relief() {
    return m_stream ? Relief([this] { return relieve(); }) : Relief();
}

bool Replica::relieve() {
    if (!m_stream) {
        return false;  // who asks may have been given this before streaming stopped
    }
    const auto giveUp = [&](ModelRun::Spare spare) {
        return std::any_of(m_runs.begin(), m_runs.end(),
                           [&](const auto& run) { return run->giveUp(spare); });
    };
    const bool made = std::any_of(ModelRun::kSpares.begin(), ModelRun::kSpares.end(), giveUp);
    releaseCachedBlocks(m_device);
    return made;
}

void Replica::stopStreaming() {
    m_streaming.clear();
    m_stream.reset();
}

}  // namespace moescope::engine
