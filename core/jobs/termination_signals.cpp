// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/jobs/termination_signals.h"

#include <utility>

namespace moescope::jobs {

TerminationSignals::TerminationSignals(CancelSource source, std::function<void(int)> onSignal)
    : m_source(std::move(source)), m_onSignal(std::move(onSignal)) {
    sigemptyset(&m_signals);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
        sigaddset(&m_signals, signal);
    }
    pthread_sigmask(SIG_BLOCK, &m_signals, &m_before);
    m_thread = std::thread([this] { wait(); });
}

TerminationSignals::~TerminationSignals() {
    m_closing = true;
    pthread_kill(m_thread.native_handle(), SIGTERM);
    m_thread.join();
    pthread_sigmask(SIG_SETMASK, &m_before, nullptr);
}

void TerminationSignals::wait() {
    int signal = 0;
    while (sigwait(&m_signals, &signal) == 0 && !m_closing) {
        if (m_received != 0) {
            // The work did not stop in time for the user: take the signal's ordinary course.
            sigset_t one;
            sigemptyset(&one);
            sigaddset(&one, signal);
            ::signal(signal, SIG_DFL);
            pthread_sigmask(SIG_UNBLOCK, &one, nullptr);
            ::raise(signal);
        }
        m_received = signal;
        m_source.cancel();
        if (m_onSignal) {
            m_onSignal(signal);
        }
    }
}

}  // namespace moescope::jobs
