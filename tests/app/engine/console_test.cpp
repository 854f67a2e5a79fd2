// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/engine/console.h"

#include "tests/support/catch.h"

#include <algorithm>
#include <limits>
#include <sstream>

using namespace moescope;
using namespace moescope::app;
using session::RunEvent;
using std::chrono::seconds;
using std::chrono::steady_clock;

namespace {

RunEvent progress(double fraction, std::optional<double> remaining = {}) {
    RunEvent event;
    event.kind = RunEvent::Kind::Progress;
    event.stage = "layer 7/32";
    event.fraction = fraction;
    event.remainingSeconds = remaining;
    return event;
}

std::size_t lines(const std::string& text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

TEST_CASE("durationText: for people", "[app][engine]") {
    CHECK(durationText(0.3) == "under a second");
    CHECK(durationText(std::numeric_limits<double>::quiet_NaN()) == "under a second");
    CHECK(durationText(42.4) == "42 s");
    CHECK(durationText(200) == "3 min 20 s");
    CHECK(durationText(7500) == "2 h 5 min");
}

TEST_CASE("estimateText: says memory, disk, reading and time", "[app][engine]") {
    engine::Estimate estimate;
    estimate.memoryBytes = std::uint64_t{3} << 30U;
    estimate.budgetBytes = std::uint64_t{8} << 30U;
    estimate.diskBytes = 4096;
    estimate.readBytes = std::uint64_t{90} << 30U;
    estimate.seconds = 200;
    estimate.tokens = 1100;
    estimate.layers = 32;
    estimate.device = "cpu";
    estimate.dtype = "bfloat16";
    estimate.notes = {"experts are read in two groups"};
    const std::string text = estimateText(estimate);
    for (const char* word : {"1100 tokens", "32 layers", "cpu", "bfloat16", "3.0 GiB", "8.0 GiB",
                             "4.0 KiB", "90.0 GiB", "3 min 20 s", "two groups"}) {
        CHECK_THAT(text, Catch::Contains(word));
    }
    CHECK_THAT(text, !Catch::Contains("shared"));
    CHECK_THAT(text, !Catch::Contains("device  "));
    CHECK(estimateEvent(estimate).readBytes == estimate.readBytes);
    CHECK(estimateEvent(estimate).kind == RunEvent::Kind::Estimate);
}

TEST_CASE("estimateText: what each experiment adds, and what they share", "[app][engine]") {
    engine::Estimate estimate;
    estimate.seconds = 200;
    estimate.experiments = {{"rank_counts", 50.0, 2048, 4096}, {"matched_similarity", 90.0, 0, 12}};
    const std::string text = estimateText(estimate);
    CHECK_THAT(text, Catch::Contains(
                         "  rank_counts         50 s              2.0 KiB memory    4.0 KiB disk\n"
                         "  matched_similarity  1 min 30 s            0 B memory       12 B disk\n"
                         "  shared              1 min 0 s "));
}

TEST_CASE("ConsoleObserver: one rewritten line on a terminal", "[app][engine]") {
    std::ostringstream out;
    ConsoleObserver observer(out, true);
    observer.onEvent(progress(0.1, 80.0));
    observer.onEvent(progress(0.2));
    CHECK(lines(out.str()) == 0);
    CHECK_THAT(out.str(), Catch::Contains("\r\x1B[K 10 %  layer 7/32, 1 min 20 s left"));
    RunEvent warning;
    warning.kind = RunEvent::Kind::Warning;
    warning.message = "NaN in up_proj";
    observer.onEvent(warning);
    CHECK_THAT(out.str(), Catch::EndsWith("\nWarning: NaN in up_proj\n"));
    observer.endLine();
    CHECK(lines(out.str()) == 2);
}

TEST_CASE("ConsoleObserver: the end of a run has no time left", "[app][engine]") {
    std::ostringstream out;
    ConsoleObserver observer(out, false);
    RunEvent event = progress(1.0, 0.2);
    event.stage.clear();  // nothing was left to do
    observer.onEvent(event);
    CHECK(out.str() == "100 %\n");
}

TEST_CASE("ConsoleObserver: few plain lines in a log file", "[app][engine]") {
    std::ostringstream out;
    steady_clock::time_point now{};
    ConsoleObserver observer(out, false, [&] { return now; });
    for (int i = 0; i <= 100; ++i) {
        observer.onEvent(progress(i / 100.0));
    }
    CHECK(lines(out.str()) == 11);
    CHECK_THAT(out.str(), !Catch::Contains("\x1B") && !Catch::Contains("\r"));
    out.str("");
    now += seconds(31);
    observer.onEvent(progress(1.0));
    observer.onEvent(progress(1.0));
    CHECK(lines(out.str()) == 1);
}

TEST_CASE("JsonObserver: one line per event", "[app][engine]") {
    std::ostringstream out;
    JsonObserver observer(out);
    observer.onEvent(progress(0.5));
    RunEvent warning;
    warning.kind = RunEvent::Kind::Warning;
    warning.message = "two\nlines";
    observer.onEvent(warning);
    std::istringstream back(out.str());
    std::string line;
    int events = 0;
    while (std::getline(back, line)) {
        CHECK(session::parseJsonLine(line));
        ++events;
    }
    CHECK(events == 2);
}
