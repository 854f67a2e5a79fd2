// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/brief_waits.h"

#include "core/engine/loaded_function.h"
#include "core/jobs/parallel_for.h"

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <stop_token>
#include <system_error>

namespace moescope::engine {
namespace {

/// What the compiler calls for "#pragma omp parallel".
using Parallel = void(void (*body)(void*), void* data, unsigned threads, unsigned flags);

bool isSaidOtherwise() {
    return std::getenv("OMP_WAIT_POLICY") != nullptr || std::getenv("GOMP_SPINCOUNT") != nullptr;
}

void sleepUntil(const std::stop_token& stop) {
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any().wait(lock, stop, [] { return false; });
}

}  // namespace

BriefWaits::BriefWaits(int threads) {
    auto* const parallel = loadedFunction<Parallel>("GOMP_parallel");
    if (parallel == nullptr || threads < 2 || isSaidOtherwise()) {
        return;
    }
    // With LibTorch's own team they must outnumber the processors.
    const int team = std::max(threads, static_cast<int>(jobs::availableThreads()) - threads + 1);
    try {
        m_owner = std::jthread([parallel, team](const std::stop_token& stop) {
            parallel([](void*) {}, nullptr, static_cast<unsigned>(team), 0);
            sleepUntil(stop);
        });
    } catch (const std::system_error&) {
        // Threads are short: work goes on, at the price of busy waits.
    }
}

}  // namespace moescope::engine
