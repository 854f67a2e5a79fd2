// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/brief_waits.h"

#include "core/engine/loaded_function.h"

#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <stop_token>

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
    m_owner = std::jthread([parallel, threads](const std::stop_token& stop) {
        parallel([](void*) {}, nullptr, static_cast<unsigned>(threads), 0);
        sleepUntil(stop);
    });
}

}  // namespace moescope::engine
