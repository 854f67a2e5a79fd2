// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/jobs/cancel_token.h"

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>

namespace moescope::jobs {

/// One thread that runs tasks in the order they come: an I/O lane that reads the next layer ahead,
/// or writes parts while the next block computes. Results and exceptions travel through futures.
/// Thread-safe. The destructor asks the running task to stop, answers waiting ones with
/// Error(Cancelled) and joins.
class LaneWorker {
public:
    /// `name` (at most 15 characters) shows in debuggers and `top -H`.
    explicit LaneWorker(const std::string& name);
    ~LaneWorker();
    LaneWorker(const LaneWorker&) = delete;
    LaneWorker& operator=(const LaneWorker&) = delete;

    /// Runs `task()` or `task(const CancelToken&)` on the lane; the token is the lane's own.
    template <typename Task>
    [[nodiscard]] auto submit(Task task) {
        using Result = decltype(call(task, std::declval<const CancelToken&>()));
        auto job = std::make_unique<Job<Task, Result>>(std::move(task));
        std::future<Result> result = job->promise.get_future();
        enqueue(std::move(job));
        return result;
    }

    /// Blocks until nothing runs and nothing waits.
    void waitUntilIdle();
    /// Tasks that wait, the running one not counted.
    [[nodiscard]] std::size_t waiting() const;

private:
    struct AnyJob {
        virtual ~AnyJob() = default;
        virtual void run(const CancelToken& token) noexcept = 0;
        virtual void fail(const std::exception_ptr& error) noexcept = 0;
    };

    template <typename Task>
    static decltype(auto) call(Task& task, const CancelToken& token) {
        if constexpr (std::is_invocable_v<Task&, const CancelToken&>) {
            return task(token);
        } else {
            return task();
        }
    }

    template <typename Task, typename Result>
    struct Job final : AnyJob {
        explicit Job(Task&& t) : task(std::move(t)) {}
        void run(const CancelToken& token) noexcept override {
            try {
                if constexpr (std::is_void_v<Result>) {
                    call(task, token);
                    promise.set_value();
                } else {
                    promise.set_value(call(task, token));
                }
            } catch (...) {
                promise.set_exception(std::current_exception());
            }
        }
        void fail(const std::exception_ptr& error) noexcept override {
            promise.set_exception(error);
        }
        Task task;
        std::promise<Result> promise;
    };

    void enqueue(std::unique_ptr<AnyJob> job);
    void loop();

    mutable std::mutex m_mutex;
    std::condition_variable m_changed;
    std::deque<std::unique_ptr<AnyJob>> m_queue;  // guarded by m_mutex
    bool m_running = false;                       // guarded by m_mutex
    bool m_closing = false;                       // guarded by m_mutex
    CancelSource m_cancel;
    std::thread m_thread;
};

}  // namespace moescope::jobs
