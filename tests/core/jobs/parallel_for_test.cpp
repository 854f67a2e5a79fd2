// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/jobs/parallel_for.h"

#include "core/base/error.h"
#include "tests/support/catch.h"

#include <atomic>
#include <numeric>
#include <stdexcept>
#include <vector>

using namespace moescope;
using namespace moescope::jobs;

TEST_CASE("parallelFor: every index once, for any number of threads", "[core][jobs]") {
    for (const std::size_t count : {0U, 1U, 2U, 1000U}) {
        for (const unsigned threads : {0U, 1U, 2U, 7U}) {
            std::vector<std::atomic<int>> seen(count);
            parallelFor(count, threads, {}, [&](std::size_t i) { ++seen[i]; });
            CHECK(std::all_of(seen.begin(), seen.end(), [](const auto& n) { return n == 1; }));
        }
    }
}

TEST_CASE("parallelFor: the first exception comes out and the rest is left", "[core][jobs]") {
    std::atomic<int> calls{0};
    const auto body = [&](std::size_t i) {
        ++calls;
        if (i == 3) {
            throw std::runtime_error("three");
        }
    };
    CHECK_THROWS_WITH(parallelFor(1000000, 2, {}, body), "three");
    CHECK(calls < 1000000);
}

TEST_CASE("parallelFor: a cancellation ends it", "[core][jobs]") {
    CancelSource source;
    std::atomic<int> calls{0};
    const auto body = [&](std::size_t i) {
        ++calls;
        if (i == 10) {
            source.cancel();
        }
    };
    try {
        parallelFor(1000000, 2, source.token(), body);
        FAIL("went on after a cancellation");
    } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::Cancelled);
    }
    CHECK(calls < 1000000);
    CHECK(availableThreads() >= 1);
}
