// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace moescope::tests {

/// A program as a user would run it. POSIX only.
class Process {
public:
    struct Options {
        std::filesystem::path workingFolder;       ///< empty: the test's own
        std::vector<std::string> environment;      ///< "NAME=value", on top of the test's own
        std::optional<std::uint64_t> largestFile;  ///< RLIMIT_FSIZE; writing beyond fails
    };
    struct Result {
        int exitCode = -1;  ///< -1: ended by a signal
        int signal = 0;
        std::string out, err;
    };

    /// Starts the program; its standard input is empty. Throws std::runtime_error when it cannot be
    /// started.
    Process(const std::filesystem::path& program, const std::vector<std::string>& arguments,
            const Options& options);
    Process(const std::filesystem::path& program, const std::vector<std::string>& arguments);
    ~Process();
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    void send(int signal) const;
    /// Waits until the standard error or output holds the text; false after the time.
    [[nodiscard]] bool waitForText(const std::string& text, std::chrono::milliseconds atMost) const;
    /// Waits for the end. A program that takes longer than two minutes is killed.
    [[nodiscard]] Result wait();

private:
    [[nodiscard]] bool hasEnded();

    std::filesystem::path m_output;  // folder of the captured streams
    pid_t m_pid = -1;
    std::optional<int> m_status;
};

/// Runs a program to its end.
[[nodiscard]] Process::Result runProcess(const std::filesystem::path& program,
                                         const std::vector<std::string>& arguments,
                                         const Process::Options& options = {});

}  // namespace moescope::tests
