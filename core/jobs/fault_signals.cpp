// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/jobs/fault_signals.h"

#include "core/base/error.h"
#include "core/base/mapping_registry.h"

#include <signal.h>  // NOLINT(modernize-deprecated-headers): POSIX sigaction
#include <unistd.h>

#include <cstring>

namespace moescope::jobs {
namespace {

/// What the handler prints before the path: a handler must not allocate.
std::string& beginning() {
    static std::string text;
    return text;
}

const char* messageStart = nullptr;

void print(const char* text) {
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text, std::strlen(text));
}

void onBusError(int signal, siginfo_t* info, void*) {
    const char* path = RegisteredMapping::pathAt(info->si_addr);
    if (path == nullptr) {
        // The instruction runs again on return, and ends the process as it would have.
        ::signal(signal, SIG_DFL);
        return;
    }
    print(messageStart);
    print(path);
    print(
        " was cut short or could not be read while it was in use. What is finished is kept: put "
        "the whole file back and try again.\n");
    ::_exit(exitCode(ErrorCode::FileUnreadable));
}

}  // namespace

void reportFaults(const std::string& program) {
    ::signal(SIGPIPE, SIG_IGN);
    ::signal(SIGXFSZ, SIG_IGN);
    // A line of its own: progress may stand on the current one.
    beginning() = "\n" + program + ": ";
    messageStart = beginning().c_str();
    struct sigaction action = {};
    action.sa_sigaction = onBusError;
    action.sa_flags = SA_SIGINFO;
    ::sigaction(SIGBUS, &action, nullptr);
}

}  // namespace moescope::jobs
