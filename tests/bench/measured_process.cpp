// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/bench/measured_process.h"

#include "core/base/error.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <thread>

namespace moescope::bench {
namespace {

using Clock = std::chrono::steady_clock;

double seconds(const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

/// 0 once the process is gone.
std::uint64_t residentBytes(pid_t process) {
    std::ifstream file(fmt::format("/proc/{}/status", process));
    std::string word;
    std::uint64_t sum = 0;
    while (file >> word) {
        if (word == "RssAnon:" || word == "RssShmem:") {
            std::uint64_t kibi = 0;
            file >> kibi;
            sum += kibi * 1024;
        }
    }
    return sum;
}

pid_t start(const std::vector<std::string>& arguments) {
    std::vector<char*> list;
    list.reserve(arguments.size() + 1);
    for (const std::string& argument : arguments) {
        list.push_back(const_cast<char*>(argument.c_str()));
    }
    list.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    for (const int output : {STDOUT_FILENO, STDERR_FILENO}) {
        ::posix_spawn_file_actions_addopen(&actions, output, "/dev/null", O_WRONLY, 0);
    }
    pid_t process = 0;
    const int error =
        ::posix_spawn(&process, list.front(), &actions, nullptr, list.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (error != 0) {
        throw Error(ErrorCode::Internal, fmt::format("{} cannot be started", arguments.front()));
    }
    return process;
}

}  // namespace

ProcessUse runMeasured(const std::vector<std::string>& arguments) {
    constexpr std::chrono::milliseconds kEvery{4};
    ProcessUse use;
    const auto begin = Clock::now();
    const pid_t process = start(arguments);
    int status = 0;
    rusage usage{};
    while (::wait4(process, &status, WNOHANG, &usage) == 0) {
        use.peakBytes = std::max(use.peakBytes, residentBytes(process));
        std::this_thread::sleep_for(kEvery);
    }
    use.wallSeconds = std::chrono::duration<double>(Clock::now() - begin).count();
    use.processorSeconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        throw Error(ErrorCode::Internal, fmt::format("{} failed", arguments.front()));
    }
    return use;
}

}  // namespace moescope::bench
