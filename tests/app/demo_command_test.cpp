// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later

// `demo --headless` with a shell script in the engine's place.

#include "app/demo_command.h"

#include "core/base/file_system.h"
#include "core/session/run_store.h"
#include "core/session/session.h"
#include "tests/support/catch.h"
#include "tests/support/session_builder.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/throws.h"

#include <sstream>

using namespace moescope;
using moescope::tests::checkThrows;

namespace {

/// Refuses a session that exists, or else "computes" a prepared one.
constexpr const char* kEngine = R"(#!/bin/sh
here=$(dirname "$0")
while [ "$1" != -o ]; do shift; done
if [ -e "$2" ]; then
    echo '{"v":1,"event":"failed","code":"bad_session","message":"It holds another text."}'
    exit 6
fi
cp "$here/prepared.h5" "$2"
)";

constexpr const char* kBrokenEngine = R"(#!/bin/sh
echo '{"v":1,"event":"failed","code":"device","message":"There is no device here."}'
exit 8
)";

struct Demo {
    tests::TemporaryFolder folder;
    std::filesystem::path session = folder / "out" / "demo.h5";
    std::ostringstream out;
    std::ostringstream err;

    explicit Demo(const char* engine) {
        writeFileAtomically(folder / "engine", engine);
        std::filesystem::permissions(folder / "engine", std::filesystem::perms::owner_all);
        tests::SyntheticRun run;
        run.experiments = {"rank_counts"};
        tests::writeSyntheticSession(folder / "prepared.h5", run);
        std::filesystem::create_directories(folder / "out");
    }

    void leaveSession(const std::string& model) const {
        tests::SyntheticRun run;
        run.experiments = {"chosen_experts"};
        session::Head head = tests::syntheticHead(run);
        head.model.name = model;
        session::RunStore store(session);
        store.begin(head);
        for (const session::Part& part : tests::syntheticParts(run)) {
            store.writePart(part);
        }
        store.finish();
    }

    void run() {
        widgets::InstallPaths paths;
        paths.engine = QString::fromStdString((folder / "engine").string());
        paths.demoModel = QString::fromStdString((folder / "tiny-mixtral").string());
        app::runDemoHeadless(paths, folder / "out", out, err);
    }
};

}  // namespace

TEST_CASE("Demo: what an earlier demo left is made anew", "[app][gui]") {
    Demo demo(kEngine);
    demo.leaveSession("tiny-mixtral");
    demo.run();
    CHECK_THAT(demo.err.str(), Catch::Contains("earlier demo"));
    CHECK_THAT(demo.out.str(), Catch::Contains(".svg"));
    CHECK(session::Session::open(demo.session)->head().experiments.front().id == "rank_counts");
}

TEST_CASE("Demo: somebody's own session is never removed", "[app][gui]") {
    Demo demo(kEngine);
    demo.leaveSession("Mixtral-8x7B-v0.1");
    checkThrows([&] { demo.run(); }, ErrorCode::BadSession, {"another text"});
    CHECK(session::Session::open(demo.session)->head().model.name == "Mixtral-8x7B-v0.1");
}

TEST_CASE("Demo: the engine's error keeps its code", "[app][gui]") {
    Demo demo(kBrokenEngine);
    checkThrows([&] { demo.run(); }, ErrorCode::Device, {"no device here"});
}
