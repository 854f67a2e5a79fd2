// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/jobs/lane_worker.h"

#include "core/base/error.h"
#include "tests/support/catch.h"

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <vector>

using namespace moescope;
using namespace moescope::jobs;

TEST_CASE("LaneWorker: tasks run in order on one other thread", "[core][jobs]") {
    LaneWorker lane("test-lane");
    std::vector<int> order;
    std::vector<std::future<std::thread::id>> threads;
    for (int i = 0; i < 100; ++i) {
        threads.push_back(lane.submit([&order, i] {
            order.push_back(i);
            return std::this_thread::get_id();
        }));
    }
    lane.waitUntilIdle();
    CHECK(lane.waiting() == 0);
    REQUIRE(order.size() == 100);
    CHECK(std::is_sorted(order.begin(), order.end()));
    const auto lanesThread = threads.front().get();
    CHECK(lanesThread != std::this_thread::get_id());
    CHECK(threads.back().get() == lanesThread);
}

TEST_CASE("LaneWorker: results that only move, void and exceptions", "[core][jobs]") {
    LaneWorker lane("test-lane");
    auto moved =
        lane.submit([value = std::make_unique<int>(3)]() mutable { return std::move(value); });
    auto nothing = lane.submit([] {});
    auto failing = lane.submit([]() -> int { throw Error(ErrorCode::DiskFull, "full"); });
    CHECK(*moved.get() == 3);
    CHECK_NOTHROW(nothing.get());
    CHECK_THROWS_AS(failing.get(), Error);
    CHECK(lane.submit([] { return 5; }).get() == 5);  // the lane outlives a failed task
}

TEST_CASE("LaneWorker: closing stops the running task and answers waiting ones", "[core][jobs]") {
    std::future<int> running;
    std::future<int> waiting;
    std::promise<void> started;
    {
        LaneWorker lane("test-lane");
        running = lane.submit([&started](const CancelToken& token) {
            started.set_value();
            while (!token.isCancelled()) {
                std::this_thread::sleep_for(std::chrono::milliseconds(1));
            }
            return 1;
        });
        waiting = lane.submit([] { return 2; });
        started.get_future().wait();
        CHECK(lane.waiting() == 1);
    }
    CHECK(running.get() == 1);
    try {
        (void)waiting.get();
        FAIL("a task ran after the lane was closed");
    } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::Cancelled);
    }
}

TEST_CASE("LaneWorker: many threads submit at once", "[core][jobs]") {
    LaneWorker lane("test-lane");
    std::uint64_t sum = 0;  // touched by the lane only
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 250; ++i) {
                auto done = lane.submit([&sum] { ++sum; });
                if (i % 50 == 0) {
                    done.get();
                }
            }
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    lane.waitUntilIdle();
    CHECK(sum == 1000);
}
