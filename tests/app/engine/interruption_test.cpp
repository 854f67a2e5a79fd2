// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/file_system.h"
#include "core/session/run_events.h"
#include "core/session/session.h"
#include "tests/support/catch.h"
#include "tests/support/paths.h"
#include "tests/support/process.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tiny_checkpoint.h"

#include <csignal>

using namespace moescope;
using namespace moescope::tests;
using namespace std::chrono_literals;
using Strings = std::vector<std::string>;

namespace {

/// A text long enough that a run is still going after its first finished part.
std::string longText() {
    std::string text;
    for (int line = 0; line < 200; ++line) {
        text += "Line " + std::to_string(line) + ": which two of the seven experts answer here?\n";
    }
    return text;
}

class LongRun {
public:
    LongRun() {
        makeTinyMixtral(m_folder / "model");
        writeFileAtomically(m_folder / "text.txt", longText());
    }
    [[nodiscard]] Strings arguments(const std::string& session, const Strings& more = {}) const {
        Strings result{"analyze",
                       (m_folder / "model").string(),
                       "--text",
                       (m_folder / "text.txt").string(),
                       "--split-lines",
                       "-o",
                       (m_folder / session).string()};
        result.insert(result.end(), more.begin(), more.end());
        return result;
    }
    [[nodiscard]] Process::Result run(const std::string& session, const Strings& more = {}) const {
        return runProcess(program(), arguments(session, more));
    }
    /// Starts a run, waits for its first finished part and sends the signal.
    [[nodiscard]] Process::Result interrupted(const std::string& session, int signal) const {
        Process process(program(), arguments(session, {"--json"}), {});
        REQUIRE(process.waitForText("part_done", 60s));
        process.send(signal);
        return process.wait();
    }
    [[nodiscard]] std::filesystem::path path(const std::string& name) const {
        return m_folder / name;
    }
    static std::filesystem::path program() { return binDir() / "moescope-engine"; }

private:
    TemporaryFolder m_folder;
};

/// Every array of both sessions is the same.
void checkSame(const session::Session& a, const session::Session& b) {
    REQUIRE(a.quantities().size() == b.quantities().size());
    for (const session::QuantityInfo& info : a.quantities()) {
        CAPTURE(info.path);
        REQUIRE(b.find(info.id) != nullptr);
        if (info.layers.empty()) {
            CHECK(a.read(info.id, std::nullopt) == b.read(info.id, std::nullopt));
        }
        for (const LayerId layer : info.layers) {
            CHECK(a.read(info.id, layer) == b.read(info.id, layer));
        }
    }
}

}  // namespace

TEST_CASE("moescope-engine: a killed run resumes to the same results", "[app][engine]") {
    const LongRun bench;
    REQUIRE(bench.run("whole.h5").exitCode == 0);

    const auto killed = bench.interrupted("run.h5", SIGKILL);
    CHECK(killed.signal == SIGKILL);
    REQUIRE(std::filesystem::exists(bench.path("run.h5.partial")));
    CHECK_FALSE(std::filesystem::exists(bench.path("run.h5")));
    CHECK(session::Session::open(bench.path("run.h5"))->isPartial());

    const auto refused = bench.run("run.h5");
    CHECK(refused.exitCode == 2);
    CHECK_THAT(refused.err, Catch::Contains("--resume"));
    const auto resumed = bench.run("run.h5", {"--resume"});
    INFO(resumed.err);
    REQUIRE(resumed.exitCode == 0);
    CHECK_THAT(resumed.err, !Catch::Contains(" 0 kept"));
    CHECK_FALSE(std::filesystem::exists(bench.path("run.h5.partial")));
    checkSame(*session::Session::open(bench.path("whole.h5")),
              *session::Session::open(bench.path("run.h5")));
}

TEST_CASE("moescope-engine: weights that are cut short during a run are named", "[app][engine]") {
    const LongRun bench;
    const auto shard = bench.path("model/model-00002-of-00003.safetensors");
    const std::string whole = readTextFile(shard);
    Process process(LongRun::program(), bench.arguments("run.h5", {"--json"}), {});
    REQUIRE(process.waitForText("part_done", 60s));
    std::filesystem::resize_file(shard, 100);
    const auto cut = process.wait();
    INFO(cut.err);
    // Found before a layer, or by the pages that are gone.
    CHECK(cut.exitCode == 3);
    CHECK_THAT(cut.err, Catch::Contains("model-00002-of-00003.safetensors was cut short"));
    REQUIRE(std::filesystem::exists(bench.path("run.h5.partial")));

    writeFileAtomically(shard, whole);
    const auto resumed = bench.run("run.h5", {"--resume"});
    INFO(resumed.err);
    CHECK(resumed.exitCode == 0);
    CHECK_THAT(resumed.err, !Catch::Contains(" 0 kept"));
}

TEST_CASE("moescope-engine: SIGINT and SIGTERM keep finished work and exit with 130",
          "[app][engine]") {
    const LongRun bench;
    for (const int signal : {SIGINT, SIGTERM}) {
        CAPTURE(signal);
        const auto stopped = bench.interrupted("run.h5", signal);
        INFO(stopped.err);
        REQUIRE(stopped.exitCode == 130);
        const std::string cancelled = "\"event\":\"cancelled\"";
        CHECK_THAT(stopped.out, Catch::Contains(cancelled));
        CHECK(stopped.out.find(cancelled) == stopped.out.rfind(cancelled));
        CHECK(std::filesystem::exists(bench.path("run.h5.partial")));
        const auto restarted = bench.run("run.h5", {"--restart"});
        INFO(restarted.err);
        CHECK(restarted.exitCode == 0);
        CHECK_FALSE(std::filesystem::exists(bench.path("run.h5.partial")));
        std::filesystem::remove(bench.path("run.h5"));
    }
}
