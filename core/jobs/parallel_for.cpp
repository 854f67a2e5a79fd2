// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/jobs/parallel_for.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace moescope::jobs {
namespace {

std::atomic<unsigned> loopThreadCount{1};

/// What the threads of one call share.
struct Loop {
    std::size_t count;
    const CancelToken& cancel;
    const std::function<void(std::size_t)>& body;
    std::atomic<std::size_t> next{0};
    std::atomic<bool> stop{false};
    std::mutex mutex;
    std::exception_ptr error;  // guarded by mutex

    void run() noexcept {
        while (!stop) {
            const std::size_t index = next++;
            if (index >= count) {
                return;
            }
            try {
                cancel.throwIfCancelled();
                body(index);
            } catch (...) {
                const std::lock_guard lock(mutex);
                if (!error) {
                    error = std::current_exception();
                }
                stop = true;
            }
        }
    }
};

}  // namespace

void parallelFor(std::size_t count, unsigned threads, const CancelToken& cancel,
                 const std::function<void(std::size_t)>& body) {
    Loop loop{count, cancel, body, {}, {}, {}, {}};
    {
        std::vector<std::jthread> helpers;
        const std::size_t wanted = std::min<std::size_t>(std::max(threads, 1U), count);
        for (std::size_t i = 1; i < wanted; ++i) {
            helpers.emplace_back([&loop] { loop.run(); });
        }
        loop.run();
    }
    if (loop.error) {
        std::rethrow_exception(loop.error);
    }
}

unsigned loopThreads() noexcept {
    return loopThreadCount;
}

void setLoopThreads(unsigned threads) noexcept {
    loopThreadCount = std::max(threads, 1U);
}

unsigned availableThreads() noexcept {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (::sched_getaffinity(0, sizeof set, &set) == 0) {
        return static_cast<unsigned>(std::max(CPU_COUNT(&set), 1));
    }
    return std::max(std::thread::hardware_concurrency(), 1U);
}

}  // namespace moescope::jobs
