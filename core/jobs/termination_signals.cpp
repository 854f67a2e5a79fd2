// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/jobs/termination_signals.h"

#include "core/base/error.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace moescope::jobs {
namespace {

/// Where the handler writes: a handler reaches nothing but globals.
std::atomic<int> signalPipe{-1};
static_assert(std::atomic<int>::is_always_lock_free);

void passOn(int signal) {
    const int before = errno;
    const auto byte = static_cast<unsigned char>(signal);
    // The pipe is empty but for a signal or two, so this neither blocks nor fails.
    [[maybe_unused]] const ssize_t written = ::write(signalPipe, &byte, 1);
    errno = before;
}

}  // namespace

TerminationSignals::TerminationSignals(CancelSource source, std::function<void(int)> onSignal)
    : m_source(std::move(source)), m_onSignal(std::move(onSignal)) {
    if (::pipe2(m_pipe.data(), O_CLOEXEC) != 0) {
        throw Error(ErrorCode::Internal, "Cannot make a pipe for signals.");
    }
    signalPipe = m_pipe[1];
    m_thread = std::thread([this] { wait(); });
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
        struct sigaction action = {};
        action.sa_handler = passOn;
        action.sa_flags = SA_RESTART;
        ::sigaction(kSignals[i], &action, &m_before[i]);
    }
}

TerminationSignals::~TerminationSignals() {
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
        ::sigaction(kSignals[i], &m_before[i], nullptr);
    }
    signalPipe = -1;
    ::close(m_pipe[1]);  // ends the thread's reading
    m_thread.join();
    ::close(m_pipe[0]);
}

void TerminationSignals::wait() {
    unsigned char byte = 0;
    ssize_t got = 0;
    while ((got = ::read(m_pipe[0], &byte, 1)) == 1 || (got < 0 && errno == EINTR)) {
        if (got != 1) {
            continue;
        }
        const int signal = byte;
        if (m_received != 0) {
            // The work did not stop in time for the user: take the signal's ordinary course.
            ::signal(signal, SIG_DFL);
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
