// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/jobs/lane_worker.h"

#include "core/base/error.h"

#include <pthread.h>

namespace moescope::jobs {

LaneWorker::LaneWorker(const std::string& name) : m_thread([this] { loop(); }) {
    ::pthread_setname_np(m_thread.native_handle(), name.substr(0, 15).c_str());
}

LaneWorker::~LaneWorker() {
    {
        const std::lock_guard lock(m_mutex);
        m_closing = true;
    }
    m_cancel.cancel();
    m_changed.notify_all();
    m_thread.join();
    const auto error = std::make_exception_ptr(
        Error(ErrorCode::Cancelled, "Stopped before it was this task's turn."));
    for (const auto& job : m_queue) {
        job->fail(error);
    }
}

void LaneWorker::enqueue(std::unique_ptr<AnyJob> job) {
    {
        const std::lock_guard lock(m_mutex);
        m_queue.push_back(std::move(job));
    }
    m_changed.notify_all();
}

void LaneWorker::loop() {
    const CancelToken token = m_cancel.token();
    std::unique_lock lock(m_mutex);
    while (true) {
        m_changed.wait(lock, [this] { return m_closing || !m_queue.empty(); });
        if (m_closing) {
            return;
        }
        auto job = std::move(m_queue.front());
        m_queue.pop_front();
        m_running = true;
        lock.unlock();
        job->run(token);
        job.reset();  // what the task captured goes before the lane counts as idle
        lock.lock();
        m_running = false;
        m_changed.notify_all();
    }
}

void LaneWorker::waitUntilIdle() {
    std::unique_lock lock(m_mutex);
    m_changed.wait(lock, [this] { return m_queue.empty() && !m_running; });
}

std::size_t LaneWorker::waiting() const {
    const std::lock_guard lock(m_mutex);
    return m_queue.size();
}

}  // namespace moescope::jobs
