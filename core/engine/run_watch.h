// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <utility>

namespace moescope::engine {

/// Looked at between pieces of work: whether the run is to stop, and now and then how much memory
/// it takes. Thread-compatible.
class RunWatch {
public:
    explicit RunWatch(std::stop_token stop) : m_stop(std::move(stop)) {}

    /// Throws Error(Cancelled) when the run is to stop.
    void look();
    /// Measures whatever the time.
    void measure();
    /// Highest anonymous and shared resident memory seen.
    [[nodiscard]] std::uint64_t peakMemory() const noexcept { return m_peakMemory; }

private:
    using Clock = std::chrono::steady_clock;

    std::stop_token m_stop;
    std::uint64_t m_peakMemory = 0;
    Clock::time_point m_lastMeasured;
};

}  // namespace moescope::engine
