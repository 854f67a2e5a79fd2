// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/weight_buffers.h"
#include "core/engine/weights.h"

#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace moescope::engine {

/// The routed experts of a layer on their way from the lane that reads ahead, in their order.
/// Thread-compatible.
class ExpertQueue {
public:
    ExpertQueue() = default;
    /// `hold`: each stays until the layer ends, for further blocks of tokens; else only the one
    /// asked for last does, and those before it are dropped.
    ExpertQueue(std::vector<std::future<FeedForward>> coming,
                std::shared_ptr<WeightBuffers> buffers, bool hold);

    /// Waits for it; nothing when it is not on its way (any more). Throws what reading it threw.
    [[nodiscard]] std::optional<FeedForward> get(int expert);
    /// Waits until all have been read (and looked through), and drops those nobody asked for.
    void finish();

private:
    [[nodiscard]] FeedForward wait(std::future<FeedForward>& coming);

    std::vector<std::future<FeedForward>> m_coming;
    std::vector<std::optional<FeedForward>> m_held;  ///< empty when they are given away
    /// Some models ask twice: what flows on is another product than what is looked at.
    std::optional<std::pair<int, FeedForward>> m_last;
    std::shared_ptr<WeightBuffers> m_buffers;
};

/// What a lane has read, waiting for it without letting the lane wait for room.
template <typename Result>
[[nodiscard]] Result waitFor(std::future<Result>& coming, WeightBuffers* buffers) {
    if (buffers != nullptr &&
        coming.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
        const WeightBuffers::Urgent urgent(*buffers);
        return coming.get();
    }
    return coming.get();
}

}  // namespace moescope::engine
