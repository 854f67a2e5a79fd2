// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/run.h"
#include "core/jobs/lane_worker.h"
#include "core/session/run_store.h"

#include <deque>
#include <future>
#include <mutex>

namespace moescope::engine {

/// Passes events to the observer, one at a time from whichever thread. Thread-safe.
class Events {
public:
    explicit Events(RunObserver& observer) : m_observer(observer) {}
    void send(const session::RunEvent& event) {
        const std::lock_guard lock(m_mutex);
        m_observer.onEvent(event);
    }
    void warn(const std::string& message);

private:
    std::mutex m_mutex;
    RunObserver& m_observer;
};

/// Writes parts on a lane of its own while the next layer computes. Errors come out of add() and
/// drain(). Thread-compatible.
class PartWriter {
public:
    PartWriter(session::RunStore& store, Events& events)
        : m_store(store), m_events(events), m_lane("write") {}

    /// Queues a part; waits when too much is queued.
    void add(session::Part part);
    /// Writes what there is so far of a part, for those who watch the run. Where that fails, it
    /// warns once.
    void show(const session::Part& part);
    /// Returns when everything queued is on the disk.
    void drain();
    /// The same after a failure: nothing is being written any more when it returns, and what goes
    /// wrong on the way adds nothing to what is known.
    void settle() noexcept;
    [[nodiscard]] std::uint64_t written() const noexcept { return m_written; }

private:
    void takeFront();

    session::RunStore& m_store;
    Events& m_events;
    std::deque<std::future<void>> m_pending;
    std::uint64_t m_written = 0;
    bool m_cannotShow = false;  ///< the lane's
    jobs::LaneWorker m_lane;
};

}  // namespace moescope::engine
