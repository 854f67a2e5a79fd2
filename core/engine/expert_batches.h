// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/device_stream.h"
#include "core/engine/weights.h"
#include "core/jobs/lane_worker.h"

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace moescope::engine {

/// The routed experts of a layer on their way to a device, in their order. Where all fit they stay
/// until the layer ends; else they come in batches, for each block of tokens anew: while one is
/// computed with, the next is on its way, and memory that a batch leaves serves the one after the
/// next. How many are on the device at a time changes no result. Thread-compatible.
class ExpertBatches {
public:
    struct Setup {
        int experts = 0;
        int atOnce = 0;  ///< on the device together, at least 1
        /// Uploads one in the order of copies; called on the lane.
        std::function<FeedForward(int expert)> load;
        DeviceStream& stream;
        jobs::LaneWorker& lane;
    };
    explicit ExpertBatches(Setup setup);
    /// What is there goes as soon as it is not computed with any more.
    ~ExpertBatches();
    ExpertBatches(const ExpertBatches&) = delete;
    ExpertBatches& operator=(const ExpertBatches&) = delete;

    /// The first batch sets out.
    void start();
    /// Which experts are asked for from now on: others are not carried over with their batch.
    void expect(std::vector<bool> wanted);
    /// How many experts from this one on can be had together.
    [[nodiscard]] int together(int expert) const;
    /// For the calling thread's computation, until it asks for others. They must be of one batch:
    /// no further from the first than together() says. Throws what reading or its memory threw, and
    /// can be asked again then.
    [[nodiscard]] std::vector<FeedForward> get(std::span<const int> experts);
    [[nodiscard]] FeedForward get(int expert);

    /// Waits until all experts that stay have been read.
    void finish();

    /// So many together from now on, if none is there yet.
    void allow(int atOnce);
    /// Waits for batches that were computed with and wait on the lane to go; whether there were
    /// any.
    bool letRetiredGo();
    /// Halves how many are on the device together, which are none afterwards; false when it is one
    /// already.
    [[nodiscard]] bool halve();
    /// Waits for what is on its way or computed with, and lets it go; whether there was anything.
    bool drop();
    [[nodiscard]] int atOnce() const { return m_setup.atOnce; }

private:
    struct Loaded {
        FeedForward weights;
        DeviceStream::Mark ready;
    };
    struct Expert {
        std::future<Loaded> coming;
        std::optional<FeedForward> here;
    };
    /// Experts [first, first + size).
    struct Batch {
        int first = 0;
        std::vector<Expert> experts;
        [[nodiscard]] bool has(int expert) const {
            return expert >= first && expert < first + static_cast<int>(experts.size());
        }
    };
    [[nodiscard]] bool holdsAll() const { return m_setup.atOnce >= m_setup.experts; }
    [[nodiscard]] int batchSize() const;
    [[nodiscard]] std::future<Loaded> submit(int expert);
    [[nodiscard]] Batch setOut(int expert);
    void advanceTo(int expert);
    /// Lets a batch go when what the calling thread computes with it is done.
    void retire(std::optional<Batch>& batch);
    [[nodiscard]] const FeedForward& arrived(int expert);
    /// The same of the experts that were in use when the others were dropped.
    void letDroppedGo();

    Setup m_setup;
    std::vector<bool> m_wanted;
    std::optional<Batch> m_current, m_next;
    std::vector<FeedForward> m_inUse;  ///< given last; with their batch until that is dropped
    std::vector<FeedForward> m_dropped;
    bool m_hasRetired = false;  ///< since the lane was last waited for
    /// Told to what waits on the lane that nobody will ask for it.
    std::shared_ptr<std::atomic<bool>> m_abandoned;
};

}  // namespace moescope::engine
