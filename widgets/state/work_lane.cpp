// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/state/work_lane.h"

#include <utility>

namespace moescope::widgets {

WorkLane::WorkLane() : m_thread([this](const std::stop_token& stop) { loop(stop); }) {}

WorkLane::~WorkLane() {
    {
        const std::lock_guard lock(m_mutex);
        m_urgent.clear();
        m_background.clear();
        m_running.request_stop();
    }
    m_thread.request_stop();
    m_wake.notify_all();
}

std::stop_source WorkLane::post(Work work, Priority priority) {
    std::stop_source stop;
    {
        const std::lock_guard lock(m_mutex);
        auto& queue = priority == Priority::Urgent ? m_urgent : m_background;
        queue.push_back({std::move(work), stop});
    }
    m_wake.notify_one();
    return stop;
}

bool WorkLane::take(const std::stop_token& laneStop, Item& item) {
    std::unique_lock lock(m_mutex);
    const bool some =
        m_wake.wait(lock, laneStop, [this] { return !m_urgent.empty() || !m_background.empty(); });
    if (!some || laneStop.stop_requested()) {
        return false;
    }
    auto& queue = m_urgent.empty() ? m_background : m_urgent;
    item = std::move(queue.front());
    queue.pop_front();
    m_running = item.stop;
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
