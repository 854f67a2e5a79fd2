// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/state/engine_process.h"

#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"

#include <QElapsedTimer>
#include <QFile>
#include <QSignalSpy>
#include <QTest>

using namespace moescope;
using namespace moescope::widgets;

namespace {

/// A stand-in engine: a shell script.
QString script(const tests::TemporaryFolder& folder, const QByteArray& body) {
    const QString path = QString::fromStdString((folder / "engine.sh").string());
    QFile file(path);
    REQUIRE(file.open(QIODevice::WriteOnly));
    file.write("#!/bin/sh\n" + body);
    file.close();
    REQUIRE(file.setPermissions(QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner));
    return path;
}

struct Watched {
    EngineProcess process;
    QSignalSpy events;
    std::optional<EngineProcess::End> end;
    Problem problem;

    explicit Watched(const QString& program)
        : process(program), events(&process, &EngineProcess::eventReceived) {
        QObject::connect(&process, &EngineProcess::ended, &process,
                         [this](EngineProcess::End e, const Problem& p) {
                             end = e;
                             problem = p;
                         });
    }
    /// Until the script has set its traps and says so.
    void waitUp() {
        REQUIRE(QTest::qWaitFor([this] { return process.plainOutput().contains("up"); }, 10000));
    }
    void waitEnd() {
        REQUIRE(QTest::qWaitFor([this] { return end.has_value(); }, 10000));
    }
};

QByteArray eventLine(session::RunEvent::Kind kind, const std::string& message = {}) {
    session::RunEvent event;
    event.kind = kind;
    event.message = message;
    event.errorCode = "bad_text";
    return "echo '" + QByteArray::fromStdString(session::toJsonLine(event)) + "'\n";
}

}  // namespace

TEST_CASE("EngineProcess: lines become events, the rest is kept", "[widgets][state]") {
    const tests::TemporaryFolder folder;
    using Kind = session::RunEvent::Kind;
    Watched w(script(folder, eventLine(Kind::Started) + "echo 'plain {'\n" +
                                 eventLine(Kind::Progress) + "printf '%s' 'last'\n"));
    w.process.start({});
    w.waitEnd();
    CHECK(*w.end == EngineProcess::End::Finished);
    REQUIRE(w.events.size() == 2);
    CHECK(w.events.at(0).at(0).value<session::RunEvent>().kind == Kind::Started);
    CHECK(w.process.plainOutput() == QByteArray("plain {\nlast"));
}

TEST_CASE("EngineProcess: a failure carries code, message and details", "[widgets][state]") {
    const tests::TemporaryFolder folder;
    Watched w(script(folder, "echo 'loading' >&2\n" +
                                 eventLine(session::RunEvent::Kind::Failed, "the text is empty") +
                                 "exit 5\n"));
    w.process.start({});
    w.waitEnd();
    CHECK(*w.end == EngineProcess::End::Failed);
    CHECK(w.problem.code == QStringLiteral("bad_text"));
    CHECK(w.problem.message == QStringLiteral("the text is empty"));
    CHECK(w.problem.details == QStringLiteral("loading"));
}

TEST_CASE("EngineProcess: a silent failure tells the last line, a crash says so",
          "[widgets][state]") {
    const tests::TemporaryFolder folder;
    SECTION("exit code") {
        Watched w(script(folder, "echo one >&2\necho 'two is wrong' >&2\nexit 4\n"));
        w.process.start({});
        w.waitEnd();
        CHECK(w.problem.message == QStringLiteral("two is wrong"));
    }
    SECTION("a message that says whose it is") {
        Watched w(script(folder, "echo 'engine.sh: --top-k is missing' >&2\nexit 2\n"));
        w.process.start({});
        w.waitEnd();
        CHECK(w.problem.message == QStringLiteral("moescope analyze --top-k is missing"));
    }
    SECTION("killed") {
        Watched w(script(folder, "kill -9 $$\n"));
        w.process.start({});
        w.waitEnd();
        CHECK(*w.end == EngineProcess::End::Failed);
        CHECK(w.problem.message.contains(QStringLiteral("stopped unexpectedly")));
    }
    SECTION("absent") {
        Watched w(QString{});
        w.process.start({});
        w.waitEnd();
        CHECK(*w.end == EngineProcess::End::Failed);
        CHECK(w.problem.message.contains(QStringLiteral("moescope-engine")));
    }
}

TEST_CASE("EngineProcess: cancel is polite first", "[widgets][state]") {
    const tests::TemporaryFolder folder;
    SECTION("an engine that listens") {
        Watched w(script(folder, "trap 'exit 130' TERM\necho up\nwhile :; do sleep 0.05; done\n"));
        w.process.start({});
        w.waitUp();
        w.process.cancel();
        w.waitEnd();
        CHECK(*w.end == EngineProcess::End::Cancelled);
    }
    SECTION("one that does not is killed by the second cancel") {
        Watched w(script(folder, "trap '' TERM\necho up\nwhile :; do sleep 0.05; done\n"));
        w.process.start({});
        w.waitUp();
        w.process.cancel();
        QTest::qWait(100);
        CHECK(w.process.isRunning());
        w.process.cancel();
        w.waitEnd();
        CHECK(*w.end == EngineProcess::End::Cancelled);
    }
}
