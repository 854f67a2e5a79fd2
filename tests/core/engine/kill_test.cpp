// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
// Kills runs at random moments; what they leave must be whole and must be gone on with.
#include "tests/core/engine/session_compare.h"
#include "tests/support/catch.h"
#include "tests/support/paths.h"
#include "tests/support/temporary_folder.h"

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <random>
#include <string>
#include <thread>

using namespace moescope;

namespace {

constexpr const char* kTokens = "2000";

pid_t startRun(const std::filesystem::path& session, bool scratch) {
    const std::string program = (tests::binDir() / "moescope_test_run").string();
    const std::string checkpoint = (tests::referenceDir() / "models/mixtral").string();
    const std::string baseline = (tests::referenceDir() / "models/mistral-baseline").string();
    const std::string target = session.string();
    const pid_t child = ::fork();
    if (child == 0) {
        ::execl(program.c_str(), program.c_str(), checkpoint.c_str(), target.c_str(), kTokens,
                scratch ? "1" : "0", "1", baseline.c_str(), static_cast<char*>(nullptr));
        ::_exit(127);
    }
    return child;
}

/// Exit status, or -1 when a signal ended it.
int waitFor(pid_t child) {
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_CASE("run: kill -9 at any moment loses no finished part", "[core][engine][slow]") {
    const bool scratch = GENERATE(false, true);
    INFO((scratch ? "with" : "without") << " a kept residual stream");
    const tests::TemporaryFolder folder;
    const auto begin = std::chrono::steady_clock::now();
    REQUIRE(waitFor(startRun(folder / "whole.h5", scratch)) == 0);
    const auto duration = std::chrono::steady_clock::now() - begin;
    const auto mostMs = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count() + 1;

    std::mt19937 random(7);
    std::uniform_int_distribution<long> delay(mostMs / 4, mostMs);
    int leftParts = 0;
    for (int attempt = 0; attempt < 8; ++attempt) {
        const pid_t child = startRun(folder / "run.h5", scratch);
        std::this_thread::sleep_for(std::chrono::milliseconds(delay(random)));
        ::kill(child, SIGKILL);
        waitFor(child);
        if (std::filesystem::exists(folder / "run.h5.partial/head.h5")) {
            ++leftParts;
            // A reader finds whole parts at any time.
            CHECK_NOTHROW(session::Session::open(folder / "run.h5"));
        } else {
            std::filesystem::remove(folder / "run.h5");  // it was faster; begin again
        }
    }
    CHECK(leftParts > 0);
    REQUIRE(waitFor(startRun(folder / "run.h5", scratch)) == 0);
    CHECK_FALSE(std::filesystem::exists(folder / "run.h5.partial"));
    tests::checkSameResults(folder / "run.h5", folder / "whole.h5", scratch ? 0.0 : 1e-5);
}
