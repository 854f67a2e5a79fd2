// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/memory_plan.h"
#include "core/engine/model_run.h"
#include "core/engine/opened_models.h"

#include <memory>
#include <vector>

namespace moescope::engine {

/// What of a layer comes at once, when it begins or ahead of that; `direct` past the page cache
/// into buffers. To a device experts come by themselves unless all of two layers fit.
[[nodiscard]] LayerParts layerParts(const MemoryPlan& memory, bool direct = false);

/// A model, and perhaps its baselines, on one device, with the lane that reads their weights and
/// what brings them there. Each device of a run has one; the first serves what is not shared out.
/// Thread-compatible.
class Replica {
public:
    /// Weights go through a stream where the plan says so. `other`, where given, has the same
    /// models on another device: what both read counts once. Models and plan must outlive it.
    Replica(const std::vector<const OpenedModel*>& models, const ComputePlace& place,
            const MemoryPlan& memory, const Replica* other = nullptr);

    /// The model, then its baselines.
    [[nodiscard]] const std::vector<std::unique_ptr<ModelRun>>& runs() const { return m_runs; }
    [[nodiscard]] ModelRun& model() { return *m_runs.front(); }
    [[nodiscard]] at::Device device() const { return m_device; }
    [[nodiscard]] jobs::LaneWorker& lane() { return m_lane; }
    /// What there is to do when the device's memory runs out in anything that computes there: the
    /// model and its baselines give up what they can spare. Null where weights are not streamed.
    [[nodiscard]] Relief relief();
    /// Gives back what the stream takes; weights are loaded as they are asked for from then on.
    void stopStreaming();

private:
    [[nodiscard]] bool relieve();

    at::Device m_device;
    std::vector<std::unique_ptr<ModelRun>> m_runs;
    std::unique_ptr<DeviceStream> m_stream;
    jobs::LaneWorker m_lane{"read-ahead"};  ///< ends before what its tasks use
    std::vector<std::unique_ptr<ModelRun::Streaming>> m_streaming;  ///< and these before it
};

}  // namespace moescope::engine
