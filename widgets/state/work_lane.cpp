// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/state/work_lane.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace moescope::widgets {

WorkLane::WorkLane() : m_thread([this](const std::stop_token& stop) { loop(stop); }) {}

WorkLane::~WorkLane() {
    {
        const std::lock_guard lock(m_mutex);
        for (auto& queue : m_queues) {
            queue.clear();
        }
        m_running.request_stop();
    }
    m_thread.request_stop();
    m_wake.notify_all();
}

std::stop_source WorkLane::post(Work work, Priority priority, std::stop_source stop) {
    {
        const std::lock_guard lock(m_mutex);
        m_queues[static_cast<std::size_t>(priority)].push_back({std::move(work), stop});
        if (priority != Priority::Background && m_runsBackground) {
            m_running.request_stop();
        }
    }
    m_wake.notify_one();
    return stop;
}

bool WorkLane::take(const std::stop_token& laneStop, Item& item) {
    std::unique_lock lock(m_mutex);
    m_runsBackground = false;
    const auto next = [this] {
        return std::find_if(m_queues.begin(), m_queues.end(),
                            [](const auto& queue) { return !queue.empty(); });
    };
    const bool some = m_wake.wait(lock, laneStop, [&] { return next() != m_queues.end(); });
    if (!some || laneStop.stop_requested()) {
        return false;
    }
    const auto queue = next();  // NOLINT(readability-qualified-auto): an iterator
    item = std::move(queue->front());
    queue->pop_front();
    m_running = item.stop;
    m_runsBackground = queue == std::prev(m_queues.end());
    return true;
}

void WorkLane::loop(const std::stop_token& laneStop) {
    Item item{{}, std::stop_source(std::nostopstate)};
    while (take(laneStop, item)) {
        if (!item.stop.stop_requested()) {
            item.work(item.stop.get_token());
        }
        item.work = nullptr;
    }
}

}  // namespace moescope::widgets
