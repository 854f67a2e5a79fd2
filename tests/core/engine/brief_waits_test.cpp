// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/brief_waits.h"

#include "core/engine/device.h"
#include "tests/support/torch.h"

#include <sys/resource.h>

#include <chrono>
#include <cstdlib>
#include <optional>
#include <thread>

using namespace std::chrono_literals;

namespace {

double processorSeconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           1e-6 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/// Processor time of short work in all threads with pauses between.
double secondsWithPauses() {
    const at::Tensor x = at::ones({1 << 17});
    const double before = processorSeconds();
    for (int round = 0; round < 40; ++round) {
        static_cast<void>(x.neg());
        std::this_thread::sleep_for(2ms);
    }
    return processorSeconds() - before;
}

}  // namespace

TEST_CASE("BriefWaits: threads without work sleep", "[core][engine]") {
    const int threads = moescope::engine::setThreads(0);
    if (threads < 2 || std::getenv("OMP_WAIT_POLICY") != nullptr ||
        std::getenv("GOMP_SPINCOUNT") != nullptr) {
        WARN("skipped: one processor, or the environment says how threads wait");
        return;
    }
    static_cast<void>(secondsWithPauses());  // starts LibTorch's team
    const double turning = secondsWithPauses();
    std::optional<moescope::engine::BriefWaits> brief(std::in_place, threads);
    std::this_thread::sleep_for(50ms);  // its team starts
    const double sleeping = secondsWithPauses();
    INFO(turning << " s turning, " << sleeping << " s sleeping");
    if (turning < 0.02) {
        WARN("skipped: this OpenMP does not turn");
        return;
    }
    CHECK(sleeping < 0.5 * turning);
    brief.reset();
    CHECK(secondsWithPauses() > sleeping);
}
