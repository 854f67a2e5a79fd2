// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/run_watch.h"

#include "core/base/error.h"
#include "core/engine/machine.h"

#include <algorithm>

namespace moescope::engine {
namespace {

/// Asking the kernel takes a few microseconds.
constexpr std::chrono::milliseconds kMeasureEvery{20};

}  // namespace

void RunWatch::look() {
    if (m_stop.stop_requested()) {
        throw Error(ErrorCode::Cancelled, "The run was stopped.");
    }
    if (Clock::now() - m_lastMeasured >= kMeasureEvery) {
        measure();
    }
}

void RunWatch::measure() {
    m_lastMeasured = Clock::now();
    m_peakMemory = std::max(m_peakMemory, residentMemory());
}

}  // namespace moescope::engine
