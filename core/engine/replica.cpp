// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/replica.h"

#include <ATen/ATen.h>

namespace moescope::engine {

Replica::Replica(const std::vector<const OpenedModel*>& models, const ComputePlace& place,
                 const MemoryPlan& memory)
    : m_device(place.device) {
    for (const OpenedModel* model : models) {
        m_runs.push_back(std::make_unique<ModelRun>(model->checkpoint, model->spec, place));
    }
    if (!memory.streamed()) {
        return;
    }
    m_stream = std::make_unique<DeviceStream>(place.device, memory.stagingBytes);
    for (const auto& run : m_runs) {
        m_streaming.push_back(
            std::make_unique<ModelRun::Streaming>(*run, *m_stream, m_lane, memory.expertsAtOnce));
    }
}

void Replica::stopStreaming() {
    m_streaming.clear();
    m_stream.reset();
}

}  // namespace moescope::engine
