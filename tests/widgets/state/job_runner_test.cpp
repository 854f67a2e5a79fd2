// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/state/job_runner.h"

#include "core/base/error.h"
#include "tests/support/catch.h"

#include <QTest>

#include <latch>
#include <memory>
#include <stdexcept>
#include <vector>

using namespace moescope;
using namespace moescope::widgets;

TEST_CASE("JobRunner: delivers on the thread that asked", "[widgets][state]") {
    WorkLane lane;
    JobRunner runner(lane);
    QThread* const here = QThread::currentThread();
    QThread* worker = nullptr;
    QThread* delivered = nullptr;
    int value = 0;
    runner.run<int>(
        [&worker](const std::stop_token&) {
            worker = QThread::currentThread();
            return 41;
        },
        [&](const Outcome<int>& outcome) {
            delivered = QThread::currentThread();
            value = outcome.value();
        });
    CHECK(runner.isBusy());
    REQUIRE(QTest::qWaitFor([&] { return value == 41; }));
    CHECK(delivered == here);
    CHECK(worker != here);
    CHECK_FALSE(runner.isBusy());
}

TEST_CASE("JobRunner: the last request wins", "[widgets][state]") {
    WorkLane lane;
    JobRunner runner(lane);
    std::latch go(1);
    std::vector<int> results;
    runner.run<int>(
        [&go](const std::stop_token&) {
            go.wait();
            return 1;
        },
        [&](const Outcome<int>& outcome) { results.push_back(outcome.value()); });
    for (const int n : {2, 3}) {
        runner.run<int>([n](const std::stop_token&) { return n; },
                        [&](const Outcome<int>& outcome) { results.push_back(outcome.value()); });
    }
    go.count_down();
    REQUIRE(QTest::qWaitFor([&] { return !results.empty(); }));
    QTest::qWait(20);
    CHECK(results == std::vector<int>{3});
}

TEST_CASE("JobRunner: what a job throws becomes a problem with its code", "[widgets][state]") {
    WorkLane lane;
    JobRunner runner(lane);
    Problem problem;
    const auto deliver = [&](const Outcome<int>& outcome) { problem = outcome.problem(); };
    runner.run<int>(
        [](const std::stop_token&) -> int {
            throw Error(ErrorCode::BadSession, "run.h5 is cut off");
        },
        deliver);
    REQUIRE(QTest::qWaitFor([&] { return !problem.message.isEmpty(); }));
    CHECK(problem.code == QStringLiteral("bad_session"));
    CHECK(problem.message == QStringLiteral("run.h5 is cut off"));

    problem = {};
    runner.run<int>([](const std::stop_token&) -> int { throw std::runtime_error("odd"); },
                    deliver);
    REQUIRE(QTest::qWaitFor([&] { return !problem.message.isEmpty(); }));
    CHECK(problem.code == QStringLiteral("internal"));
}

TEST_CASE("JobRunner: a cancelled or dead runner hears nothing", "[widgets][state]") {
    WorkLane lane;
    bool delivered = false;
    std::latch began(1);  // a job that is cancelled before it begins is dropped
    std::latch go(1);
    std::latch done(1);
    auto runner = std::make_unique<JobRunner>(lane);
    runner->run<int>(
        [&](const std::stop_token&) {
            began.count_down();
            go.wait();
            done.count_down();
            return 1;
        },
        [&](const Outcome<int>&) { delivered = true; });
    began.wait();
    SECTION("cancelled") {
        runner->cancel();
        CHECK_FALSE(runner->isBusy());
    }
    SECTION("dead") {
        runner.reset();
    }
    go.count_down();
    done.wait();
    QTest::qWait(20);
    CHECK_FALSE(delivered);
}

TEST_CASE("WorkLane: urgent work overtakes background work", "[widgets][state]") {
    std::vector<int> order;
    std::latch go(1);
    std::latch all(3);
    {
        WorkLane lane;
        lane.post([&](const std::stop_token&) { go.wait(); });
        const auto note = [&](int n) {
            return [&, n](const std::stop_token&) {
                order.push_back(n);
                all.count_down();
            };
        };
        lane.post(note(3), WorkLane::Priority::Background);
        std::stop_source dropped = lane.post(note(99));
        lane.post(note(1));
        lane.post(note(2));
        dropped.request_stop();
        go.count_down();
        all.wait();
    }
    CHECK(order == std::vector<int>{1, 2, 3});
}

TEST_CASE("WorkLane: going away asks what runs to stop and drops the rest", "[widgets][state]") {
    bool stopped = false;
    bool ran = false;
    std::latch begun(1);
    {
        WorkLane lane;
        lane.post([&](const std::stop_token& stop) {
            begun.count_down();
            while (!stop.stop_requested()) {
                std::this_thread::yield();
            }
            stopped = true;
        });
        lane.post([&](const std::stop_token&) { ran = true; });
        begun.wait();
    }
    CHECK(stopped);
    CHECK_FALSE(ran);
}

TEST_CASE("WorkLane: background work gives way to anything else", "[widgets][state]") {
    std::latch begun(1);
    std::latch done(2);
    bool gaveWay = false;
    const auto priority = GENERATE(WorkLane::Priority::Urgent, WorkLane::Priority::Soon);
    WorkLane lane;
    lane.post(
        [&](const std::stop_token& stop) {
            begun.count_down();
            while (!stop.stop_requested()) {
                std::this_thread::yield();
            }
            gaveWay = true;
            done.count_down();
        },
        WorkLane::Priority::Background);
    begun.wait();
    lane.post(
        [&](const std::stop_token& stop) {
            CHECK_FALSE(stop.stop_requested());
            done.count_down();
        },
        priority);
    done.wait();
    CHECK(gaveWay);
}

TEST_CASE("JobRunner: what comes soon lets what is asked for now go first", "[widgets][state]") {
    WorkLane lane;
    JobRunner soon(lane);
    JobRunner now(lane);
    std::vector<int> order;
    const auto note = [&](int n) { return [&, n](const Outcome<int>&) { order.push_back(n); }; };
    // The lane is idle: a job of the same event that is posted at once would begin here.
    soon.run<int>([](const std::stop_token&) { return 2; }, note(2), WorkLane::Priority::Soon);
    now.run<int>([](const std::stop_token&) { return 1; }, note(1));
    CHECK(soon.isBusy());
    REQUIRE(QTest::qWaitFor([&] { return order.size() == 2; }));
    CHECK(order == std::vector<int>{1, 2});

    soon.run<int>([](const std::stop_token&) { return 3; }, note(3), WorkLane::Priority::Soon);
    soon.cancel();
    QTest::qWait(20);
    CHECK(order.size() == 2);
}
