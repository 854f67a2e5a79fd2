// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "widgets/state/outcome.h"
#include "widgets/state/work_lane.h"

#include <QObject>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>

namespace moescope::widgets {

/// The only bridge from a worker thread to the GUI. A panel owns one per thing it waits for; a new
/// request makes the older one's result void (last request wins). Exceptions of a job become
/// Problems here and nowhere else. *GUI thread only* (the jobs run on the lane).
class JobRunner : public QObject {
    Q_OBJECT
public:
    explicit JobRunner(WorkLane& lane, QObject* parent = nullptr);
    ~JobRunner() override;

    /// Runs `job` on the lane and calls `deliver` on the GUI thread, unless another run() or
    /// cancel() came meanwhile.
    template <typename T>
    void run(std::function<T(std::stop_token)> job, std::function<void(Outcome<T>)> deliver,
             WorkLane::Priority priority = WorkLane::Priority::Urgent);
    /// Drops the request that is under way, if any.
    void cancel();
    [[nodiscard]] bool isBusy() const { return m_pending.has_value(); }

Q_SIGNALS:
    void busyChanged(bool busy);

private:
    /// Outlives the runner while jobs hold it: workers post through it, so that a runner that died
    /// is never touched.
    struct Mailbox {
        std::mutex mutex;
        JobRunner* runner = nullptr;
    };
    void start(std::function<std::function<void()>(std::stop_token)> job,
               WorkLane::Priority priority);
    void finish(quint64 ticket, const std::function<void()>& deliver);

    /// Runs the job and turns what it throws into a Problem.
    template <typename T>
    static Outcome<T> guarded(const std::function<T(std::stop_token)>& job,
                              const std::stop_token& stop);
    static Problem currentProblem();

    WorkLane& m_lane;
    std::shared_ptr<Mailbox> m_mailbox;
    quint64 m_ticket = 0;
    std::optional<std::stop_source> m_pending;
};

template <typename T>
Outcome<T> JobRunner::guarded(const std::function<T(std::stop_token)>& job,
                              const std::stop_token& stop) {
    try {
        return job(stop);
    } catch (...) {
        return currentProblem();
    }
}

template <typename T>
void JobRunner::run(std::function<T(std::stop_token)> job, std::function<void(Outcome<T>)> deliver,
                    WorkLane::Priority priority) {
    start(
        [job = std::move(job), deliver = std::move(deliver)](const std::stop_token& stop) {
            auto outcome = std::make_shared<Outcome<T>>(guarded<T>(job, stop));
            return std::function<void()>([outcome, deliver] { deliver(std::move(*outcome)); });
        },
        priority);
}

}  // namespace moescope::widgets
