// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/session/run_events.h"

#include "tests/support/catch.h"

#include <limits>

using namespace moescope::session;
using Kind = RunEvent::Kind;

namespace {

RunEvent sample(Kind kind) {
    RunEvent event;
    event.kind = kind;
    event.memoryBytes = 1;
    event.diskBytes = 2;
    event.readBytes = std::numeric_limits<std::uint64_t>::max();
    event.seconds = 1.5;
    event.stage = "layer 7/32";
    event.fraction = 0.25;
    event.remainingSeconds = 12.0;
    event.experiment = "rank_counts";
    event.layer = 7;
    event.message = "a \"message\"\nof two lines";
    event.errorCode = "bad_text";
    event.path = "/tmp/run.h5";
    return event;
}

}  // namespace

TEST_CASE("RunEvent: every kind survives the line, one line each", "[core][session]") {
    for (const Kind kind : {Kind::Estimate, Kind::Started, Kind::Progress, Kind::PartDone,
                            Kind::Warning, Kind::Finished, Kind::Failed, Kind::Cancelled}) {
        const std::string line = toJsonLine(sample(kind));
        CHECK(line.find('\n') == std::string::npos);
        const auto event = parseJsonLine(line);
        REQUIRE(event);
        CHECK(event->kind == kind);
        CHECK(toJsonLine(*event) == line);
    }
    CHECK(toJsonLine(sample(Kind::PartDone)) ==
          R"({"v":1,"event":"part_done","experiment":"rank_counts","layer":7})");
    const auto progress = parseJsonLine(toJsonLine(sample(Kind::Progress)));
    CHECK(progress->stage == "layer 7/32");
    CHECK(progress->remainingSeconds == 12.0);
    const auto estimate = parseJsonLine(toJsonLine(sample(Kind::Estimate)));
    CHECK(estimate->readBytes == std::numeric_limits<std::uint64_t>::max());
    CHECK(estimate->seconds == 1.5);
    CHECK(parseJsonLine(toJsonLine(sample(Kind::Failed)))->message == sample(Kind::Failed).message);
}

TEST_CASE("RunEvent: absent and unavailable values stay absent", "[core][session]") {
    RunEvent progress;
    CHECK_FALSE(parseJsonLine(toJsonLine(progress))->remainingSeconds);
    progress.remainingSeconds = std::numeric_limits<double>::infinity();
    progress.fraction = std::numeric_limits<double>::quiet_NaN();
    const auto back = parseJsonLine(toJsonLine(progress));
    REQUIRE(back);
    CHECK_FALSE(back->remainingSeconds);
    CHECK(back->fraction == 0.0);
    RunEvent part;
    part.kind = Kind::PartDone;
    CHECK_FALSE(parseJsonLine(toJsonLine(part))->layer);
}

TEST_CASE("RunEvent: what is not an event of ours is skipped", "[core][session]") {
    for (const char* line :
         {"", "x", "[]", "1", "{}", R"({"v":1})", R"({"v":2,"event":"progress"})",
          R"({"v":"1","event":"progress"})", R"({"v":1,"event":"dance"})",
          R"({"v":1,"event":"progress","stage":3})", R"({"v":1,"event":"progress","fraction":"x"})",
          R"({"v":1,"event":"part_done","layer":"x"})",
          R"({"v":1,"event":"estimate","memory_bytes":-1})", R"({"v":1,"event":"progress")"}) {
        CAPTURE(line);
        CHECK_FALSE(parseJsonLine(line));
    }
    CHECK(parseJsonLine(R"({"v":1,"event":"progress","news":[1]})"));
}

TEST_CASE("RunEvent: bytes that are no UTF-8 still make a valid line", "[core][session]") {
    RunEvent event;
    event.kind = Kind::Finished;
    event.path = "/tmp/\xFF.h5";
    CHECK(parseJsonLine(toJsonLine(event)));
}
