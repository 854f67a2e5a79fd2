// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/jobs/fault_signals.h"

#include "core/base/error.h"
#include "core/base/file_system.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <functional>

using namespace moescope;

namespace {

struct Outcome {
    int exitCode = -1;
    int signal = 0;
    std::string err;
};

/// What becomes of a process in which faults are reported; its standard error goes to `errFile`.
Outcome inChild(const std::filesystem::path& errFile, const std::function<int()>& work) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        const int err = ::open(errFile.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        ::dup2(err, STDERR_FILENO);
        std::signal(SIGPIPE, SIG_DFL);
        std::signal(SIGXFSZ, SIG_DFL);
        jobs::reportFaults("prog");
        ::_exit(work());
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    Outcome outcome;
    if (WIFEXITED(status)) {
        outcome.exitCode = WEXITSTATUS(status);
    } else {
        outcome.signal = WTERMSIG(status);
    }
    outcome.err = readTextFile(errFile);
    return outcome;
}

constexpr std::size_t kBytes = 1 << 16;

}  // namespace

TEST_CASE("reportFaults: a mapped file that is cut short is named", "[core][jobs]") {
    const tests::TemporaryFolder folder;
    const auto path = folder / "weights.bin";
    writeFileAtomically(path, std::string(kBytes, 'x'));
    const Outcome outcome = inChild(folder / "err", [&] {
        MappedFile first(path);
        const MappedFile moved(std::move(first));
        { const MappedFile another(path); }
        std::filesystem::resize_file(path, 10);
        const volatile std::byte* bytes = moved.bytes().data();
        return static_cast<int>(bytes[kBytes - 1]);
    });
    CHECK(outcome.exitCode == exitCode(ErrorCode::FileUnreadable));
    CHECK_THAT(outcome.err, Catch::Contains("prog: " + path.string() + " was cut short"));
}

TEST_CASE("reportFaults: another bus error ends the process as ever", "[core][jobs]") {
    const tests::TemporaryFolder folder;
    const auto path = folder / "other.bin";
    writeFileAtomically(path, std::string(kBytes, 'x'));
    const Outcome outcome = inChild(folder / "err", [&] {
        const rlimit none{0, 0};
        ::setrlimit(RLIMIT_CORE, &none);
        const int file = ::open(path.c_str(), O_RDONLY);
        const void* data = ::mmap(nullptr, kBytes, PROT_READ, MAP_SHARED, file, 0);
        std::filesystem::resize_file(path, 10);
        return static_cast<int>(static_cast<const volatile char*>(data)[kBytes - 1]);
    });
    CHECK(outcome.signal == SIGBUS);
}

TEST_CASE("reportFaults: limits and readers that go away are errors of write()", "[core][jobs]") {
    const tests::TemporaryFolder folder;
    const Outcome limited = inChild(folder / "err", [&] {
        const rlimit limit{4096, 4096};
        ::setrlimit(RLIMIT_FSIZE, &limit);
        try {
            writeFileAtomically(folder / "large", std::string(kBytes, 'x'));
        } catch (const Error& error) {
            return exitCode(error.code());
        }
        return 0;
    });
    CHECK(limited.exitCode == 7);
    const Outcome piped = inChild(folder / "err", [] {
        std::array<int, 2> ends{};
        [[maybe_unused]] const int made = ::pipe(ends.data());
        ::close(ends[0]);
        return ::write(ends[1], "x", 1) < 0 && errno == EPIPE ? 0 : 1;
    });
    CHECK(piped.exitCode == 0);
}

TEST_CASE("MappedFile::requireWhole: a shorter file is an error, a replaced one is not",
          "[core][base]") {
    const tests::TemporaryFolder folder;
    const auto path = folder / "weights.bin";
    writeFileAtomically(path, std::string(kBytes, 'x'));
    const MappedFile file(path);
    CHECK_NOTHROW(file.requireWhole());
    writeFileAtomically(path, "another file by that name");
    CHECK_NOTHROW(file.requireWhole());
    CHECK(file.bytes()[kBytes - 1] == std::byte{'x'});
    const MappedFile current(path);
    std::filesystem::resize_file(path, 3);
    try {
        current.requireWhole();
        FAIL("a cut file passed");
    } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::FileUnreadable);
        CHECK_THAT(error.what(), Catch::Contains("weights.bin") && Catch::Contains("3 bytes"));
    }
    std::filesystem::remove(path);
    CHECK_NOTHROW(current.requireWhole());
}
