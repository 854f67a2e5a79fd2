// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/jobs/termination_signals.h"

#include "tests/support/catch.h"

#include <sys/wait.h>
#include <unistd.h>

#include <future>
#include <thread>

using namespace moescope::jobs;

TEST_CASE("TerminationSignals: a signal cancels, on a thread of its own", "[core][jobs]") {
    CancelSource source;
    std::promise<int> seen;
    {
        TerminationSignals signals(source, [&seen](int signal) { seen.set_value(signal); });
        CHECK(signals.received() == 0);
        ::kill(::getpid(), SIGINT);
        CHECK(seen.get_future().get() == SIGINT);
        CHECK(signals.received() == SIGINT);
    }
    CHECK(source.isCancelled());
}

TEST_CASE("TerminationSignals: nothing happens without a signal", "[core][jobs]") {
    CancelSource source;
    { const TerminationSignals signals(source); }
    CHECK_FALSE(source.isCancelled());
}

TEST_CASE("TerminationSignals: the second signal ends the process", "[core][jobs]") {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        CancelSource source;
        const TerminationSignals signals(source, [](int) { ::kill(::getpid(), SIGTERM); });
        ::kill(::getpid(), SIGINT);
        // The first signal's handler ends a single sleep before the second signal is sent.
        for (int i = 0; i < 3000; ++i) {
            ::usleep(10000);
        }
        ::_exit(0);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == SIGTERM);
}

TEST_CASE("TerminationSignals: threads from before main() do not matter", "[core][jobs]") {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        std::thread earlier([] { ::sleep(30); });
        earlier.detach();
        CancelSource source;
        const TerminationSignals signals(source);
        sigset_t interrupt;
        sigemptyset(&interrupt);
        sigaddset(&interrupt, SIGINT);
        pthread_sigmask(SIG_BLOCK, &interrupt, nullptr);  // only the earlier thread can get it
        ::kill(::getpid(), SIGINT);
        for (int i = 0; i < 1000 && !source.isCancelled(); ++i) {
            ::usleep(10000);
        }
        ::_exit(source.isCancelled() ? 0 : 1);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
}
