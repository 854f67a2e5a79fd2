// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/jobs/progress.h"

#include "tests/support/catch.h"

#include <thread>

using namespace moescope::jobs;

namespace {

/// A progress whose clock the test moves and whose events it keeps.
struct Fixture {
    explicit Fixture(std::vector<PlannedStage> plan = {})
        : progress([this](const ProgressEvent& e) { events.push_back(e); }, std::move(plan),
                   [this] { return time; }) {}
    void pass(double seconds) {
        time += std::chrono::duration_cast<std::chrono::steady_clock::duration>(
            std::chrono::duration<double>(seconds));
    }
    std::chrono::steady_clock::time_point time{};
    std::vector<ProgressEvent> events;
    Progress progress;
};

}  // namespace

TEST_CASE("Progress: remaining time from planned costs and measured speed", "[core][jobs]") {
    Fixture f({{"read", 1}, {"layers", 8}, {"write", 1}});
    f.progress.begin("read", 10);
    CHECK_FALSE(f.events.back().remainingSeconds.has_value());
    f.pass(2);
    f.progress.advance(10);
    CHECK(f.events.back().fraction == Approx(0.1));
    CHECK(*f.events.back().remainingSeconds == Approx(18));
    f.progress.begin("layers", 4);
    f.pass(4);
    f.progress.advance();  // 3 of 10 cost units in 6 s
    CHECK(f.events.back().fraction == Approx(0.3));
    CHECK(*f.events.back().remainingSeconds == Approx(14));
    CHECK(f.events.back().stage == "layers");
    CHECK(f.events.back().done == 1);
    f.progress.finish();
    CHECK(f.events.back().fraction == 1);
    CHECK(*f.events.back().remainingSeconds == 0);
}

TEST_CASE("Progress: work found finished is no speed", "[core][jobs]") {
    Fixture f({{"layers", 10}});
    f.progress.begin("layers", 10, 6);
    CHECK(f.events.back().fraction == Approx(0.6));
    CHECK_FALSE(f.events.back().remainingSeconds.has_value());
    f.pass(5);
    f.progress.advance();
    CHECK(*f.events.back().remainingSeconds == Approx(15));
}

TEST_CASE("Progress: no remaining time until there is something to go by", "[core][jobs]") {
    Fixture f({{"layers", 100}});
    f.progress.begin("layers", 100);
    f.pass(0.2);
    f.progress.advance(10);
    CHECK_FALSE(f.events.back().remainingSeconds.has_value());  // too little time
    Fixture g({{"layers", 100}});
    g.progress.begin("layers", 100);
    g.pass(60);
    g.progress.advance(4);
    CHECK_FALSE(g.events.back().remainingSeconds.has_value());  // too little work
    g.pass(15);
    g.progress.advance(1);
    CHECK(*g.events.back().remainingSeconds == Approx(75.0 / 5 * 95));
}

TEST_CASE("Progress: cheap first layers do not promise a quick end", "[core][jobs]") {
    Fixture f({{"layers", 60}});
    f.progress.begin("layers", 60);
    for (int layer = 0; layer < 3; ++layer) {  // dense ones, a second each
        f.pass(1);
        f.progress.advance();
    }
    for (int layer = 0; layer < 6; ++layer) {  // routed ones, ten seconds each
        f.pass(10);
        f.progress.advance();
    }
    // 9 layers in 63 s would promise 357 s; 51 layers of ten seconds are left.
    CHECK(*f.events.back().remainingSeconds > 450);
    CHECK(*f.events.back().remainingSeconds <= 510.001);
}

TEST_CASE("Progress: stages without a plan each have their own time", "[core][jobs]") {
    Fixture f;
    f.progress.begin("a", 2);
    f.pass(10);
    f.progress.advance();
    CHECK(*f.events.back().remainingSeconds == Approx(10));
    f.progress.begin("b", 4);
    CHECK(f.events.back().fraction == 0);
    f.pass(1);
    f.progress.advance();
    CHECK(*f.events.back().remainingSeconds == Approx(3));
    CHECK(f.events.back().elapsedSeconds == Approx(11));
}

TEST_CASE("Progress: at most twenty events a second, and the last one", "[core][jobs]") {
    Fixture f({{"tokens", 1}});
    f.progress.begin("tokens", 10000);
    for (int i = 0; i < 10000; ++i) {
        f.pass(0.0001);
        f.progress.advance();
    }
    CHECK(f.events.size() <= 22);
    CHECK(f.events.size() >= 15);
    CHECK(f.events.back().done == 10000);
    f.progress.advance(5);  // more than announced is not more than all
    CHECK(f.events.back().done == 10000);
}

TEST_CASE("Progress: an unknown total and no sink", "[core][jobs]") {
    Fixture f;
    f.progress.begin("scan", 0);
    f.pass(1);
    f.progress.advance(3);
    CHECK(f.events.back().done == 3);
    CHECK_FALSE(f.events.back().remainingSeconds.has_value());
    Progress silent;
    silent.begin("x", 1);
    silent.advance();
    silent.finish();
}

TEST_CASE("Progress: reports from several threads come one at a time", "[core][jobs]") {
    std::uint64_t last = 0;  // unguarded on purpose: the sink is never entered twice
    Progress progress([&last](const ProgressEvent& e) { last = e.done; });
    progress.begin("x", 4000);
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([&progress] {
                for (int i = 0; i < 1000; ++i) {
                    progress.advance();
                }
            });
        }
    }
    CHECK(last == 4000);
}
