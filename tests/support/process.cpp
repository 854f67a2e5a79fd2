// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

extern char** environ;

namespace moescope::tests {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 120s;

std::string content(const std::filesystem::path& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

std::filesystem::path freshFolder() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "moescope-process-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
        throw std::runtime_error("cannot make a temporary folder");
    }
    return pattern;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
    std::vector<char*> result;
    for (std::string& text : strings) {
        result.push_back(text.data());
    }
    result.push_back(nullptr);
    return result;
}

/// The test's environment with the given entries put over it.
std::vector<std::string> environmentWith(const std::vector<std::string>& changes) {
    std::vector<std::string> result = changes;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string text = *entry;
        const std::string name = text.substr(0, text.find('=') + 1);
        bool changed = false;
        for (const std::string& change : changes) {
            changed = changed || change.starts_with(name);
        }
        if (!changed) {
            result.push_back(text);
        }
    }
    return result;
}

/// A child inherits the limit, as from a shell's `ulimit -f`; whether SIGXFSZ kills it is its own
/// affair.
class FileSizeLimit {
public:
    explicit FileSizeLimit(std::optional<std::uint64_t> bytes) {
        if (bytes) {
            ::getrlimit(RLIMIT_FSIZE, &m_before);
            rlimit limit = m_before;
            limit.rlim_cur = *bytes;
            ::setrlimit(RLIMIT_FSIZE, &limit);
            m_active = true;
        }
    }
    ~FileSizeLimit() {
        if (m_active) {
            ::setrlimit(RLIMIT_FSIZE, &m_before);
        }
    }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;

private:
    rlimit m_before{};
    bool m_active = false;
};

}  // namespace

Process::Process(const std::filesystem::path& program, const std::vector<std::string>& arguments)
    : Process(program, arguments, Options()) {}

Process::Process(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                 const Options& options)
    : m_output(freshFolder()) {
    std::vector<std::string> words{program.string()};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<std::string> environment = environmentWith(options.environment);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    constexpr int kWrite = O_WRONLY | O_CREAT | O_TRUNC;
    constexpr mode_t kMode = 0600;
    const std::string out = m_output / "out";
    const std::string err = m_output / "err";
    ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out.c_str(), kWrite, kMode);
    ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, err.c_str(), kWrite, kMode);
    if (!options.workingFolder.empty()) {
        ::posix_spawn_file_actions_addchdir_np(&actions, options.workingFolder.c_str());
    }
    const FileSizeLimit limit(options.largestFile);
    const int error = ::posix_spawn(&m_pid, program.c_str(), &actions, nullptr,
                                    pointers(words).data(), pointers(environment).data());
    ::posix_spawn_file_actions_destroy(&actions);
    if (error != 0) {
        throw std::runtime_error("cannot start " + program.string());
    }
}

Process::~Process() {
    if (!hasEnded()) {
        ::kill(m_pid, SIGKILL);
        ::waitpid(m_pid, nullptr, 0);
    }
    std::error_code ignored;
    std::filesystem::remove_all(m_output, ignored);
}

void Process::send(int signal) const {
    ::kill(m_pid, signal);
}

bool Process::hasEnded() {
    int status = 0;
    if (!m_status && ::waitpid(m_pid, &status, WNOHANG) == m_pid) {
        m_status = status;
    }
    return m_status.has_value();
}

bool Process::waitForText(const std::string& text, std::chrono::milliseconds atMost) const {
    const auto end = std::chrono::steady_clock::now() + atMost;
    while (std::chrono::steady_clock::now() < end) {
        if (content(m_output / "out").find(text) != std::string::npos ||
            content(m_output / "err").find(text) != std::string::npos) {
            return true;
        }
        std::this_thread::sleep_for(5ms);
    }
    return false;
}

Process::Result Process::wait() {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (!hasEnded()) {
        if (std::chrono::steady_clock::now() > end) {
            ::kill(m_pid, SIGKILL);
        }
        std::this_thread::sleep_for(5ms);
    }
    Result result;
    if (WIFEXITED(*m_status)) {
        result.exitCode = WEXITSTATUS(*m_status);
    } else {
        result.signal = WTERMSIG(*m_status);
    }
    result.out = content(m_output / "out");
    result.err = content(m_output / "err");
    return result;
}

Process::Result runProcess(const std::filesystem::path& program,
                           const std::vector<std::string>& arguments,
                           const Process::Options& options) {
    return Process(program, arguments, options).wait();
}

}  // namespace moescope::tests
