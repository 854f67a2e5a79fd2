// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/jobs/cancel_token.h"

#include <signal.h>

#include <atomic>
#include <functional>
#include <thread>

namespace moescope::jobs {

/// Turns SIGINT, SIGTERM and SIGHUP into a cancellation while the object lives; a second signal
/// ends the process at once as if the first had not been caught. Make one at the start of main(),
/// before any other thread: threads inherit its signal mask, and a thread of its own waits for the
/// signals, so that nothing runs inside a signal handler. One at a time.
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
    void wait();

    CancelSource m_source;
    std::function<void(int)> m_onSignal;
    sigset_t m_signals{};
    sigset_t m_before{};
    std::atomic<int> m_received{0};
    std::atomic<bool> m_closing{false};
    std::thread m_thread;
};

}  // namespace moescope::jobs
