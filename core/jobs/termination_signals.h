// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/jobs/cancel_token.h"

#include <signal.h>  // NOLINT(modernize-deprecated-headers): POSIX sigaction

#include <array>
#include <atomic>
#include <functional>
#include <thread>

namespace moescope::jobs {

/// Turns SIGINT, SIGTERM and SIGHUP into a cancellation while the object lives; a second signal
/// ends the process at once as if the first had not been caught. The handler only writes a byte to
/// a pipe and a thread of its own does the rest. Blocking the signals instead would not do: a
/// library (OpenBLAS) may have started threads before main() that let them through. One at a time.
class TerminationSignals {
public:
    /// `onSignal` is called once, on the waiting thread, after the cancellation.
    explicit TerminationSignals(CancelSource source, std::function<void(int)> onSignal = {});
    ~TerminationSignals();
    TerminationSignals(const TerminationSignals&) = delete;
    TerminationSignals& operator=(const TerminationSignals&) = delete;

    /// The signal that came, 0 for none.
    [[nodiscard]] int received() const noexcept { return m_received; }

private:
    static constexpr std::array kSignals{SIGINT, SIGTERM, SIGHUP};

    void wait();

    CancelSource m_source;
    std::function<void(int)> m_onSignal;
    std::array<int, 2> m_pipe{-1, -1};
    std::array<struct sigaction, kSignals.size()> m_before{};
    std::atomic<int> m_received{0};
    std::thread m_thread;
};

}  // namespace moescope::jobs
