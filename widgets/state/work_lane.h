// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

namespace moescope::widgets {

/// One worker thread with a queue: everything that reads sessions goes through one of these, since
/// HDF5 has one lock anyway. What the user waits for overtakes what comes soon after it, and that
/// overtakes background work (prefetching), which is asked to stop when anything else comes.
/// *Thread-safe*; the destructor drops what has not begun, asks what runs to stop and joins.
class WorkLane {
public:
    enum class Priority { Urgent, Soon, Background };
    /// Must not throw; polls the token when it takes long.
    using Work = std::function<void(std::stop_token)>;

    WorkLane();
    ~WorkLane();
    WorkLane(const WorkLane&) = delete;
    WorkLane& operator=(const WorkLane&) = delete;

    /// The source, a new one unless given, cancels this piece of work: before it begins it is
    /// dropped.
    std::stop_source post(Work work, Priority priority = Priority::Urgent,
                          std::stop_source stop = std::stop_source());

private:
    struct Item {
        Work work;
        std::stop_source stop;
    };
    void loop(const std::stop_token& laneStop);
    [[nodiscard]] bool take(const std::stop_token& laneStop, Item& item);

    std::mutex m_mutex;  ///< guards all below but the thread
    std::condition_variable_any m_wake;
    std::array<std::deque<Item>, 3> m_queues;  ///< by priority
    std::stop_source m_running;
    bool m_runsBackground = false;
    std::jthread m_thread;
};

}  // namespace moescope::widgets
