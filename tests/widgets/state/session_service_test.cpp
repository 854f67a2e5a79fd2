// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/state/session_service.h"

#include "core/session/run_store.h"
#include "tests/support/catch.h"
#include "tests/support/open_synthetic.h"

#include <QFile>
#include <QSignalSpy>
#include <QTest>

#include <atomic>
#include <thread>

using namespace moescope;
using namespace moescope::widgets;

TEST_CASE("SessionService: opens off the GUI thread and keeps what is open", "[widgets][state]") {
    const tests::SyntheticSession file;
    SessionService service;
    QSignalSpy opened(&service, &SessionService::opened);
    service.open(file.path());
    CHECK(service.isOpening());
    REQUIRE(QTest::qWaitFor([&] { return opened.size() == 1; }));
    REQUIRE(service.sessions().size() == 1);
    const SessionSnapshot session = service.sessions().first();
    CHECK(session->path == SessionService::normalisedPath(file.path()));
    CHECK(session->head().model.layers.size() == 4);
    CHECK_FALSE(session->content.builder->available().empty());

    SECTION("the same file again is the same session, read anew") {
        QSignalSpy reloaded(&service, &SessionService::reloaded);
        service.open(file.path() + QStringLiteral(".partial"));
        REQUIRE(QTest::qWaitFor([&] { return reloaded.size() == 1; }));
        CHECK(service.sessions().size() == 1);
        CHECK(service.sessions().first()->id == session->id);
        CHECK(service.sessions().first()->revision == 1);
        CHECK(session->revision == 0);
    }
    SECTION("closing tells and forgets") {
        QSignalSpy closed(&service, &SessionService::closed);
        service.close(session->id);
        CHECK(closed.size() == 1);
        CHECK(service.find(session->id) == nullptr);
        // The snapshot others hold still answers.
        CHECK(session->head().model.layers.size() == 4);
    }
    SECTION("many reloads at once become few") {
        QSignalSpy reloaded(&service, &SessionService::reloaded);
        for (int i = 0; i < 20; ++i) {
            service.reload(session->id);
        }
        REQUIRE(QTest::qWaitFor([&] { return reloaded.size() == 2; }));
        QTest::qWait(50);
        CHECK(reloaded.size() == 2);
    }
}

TEST_CASE("SessionService: files are closed off the GUI thread", "[widgets][state]") {
    const tests::SyntheticSession file;
    std::atomic<int> released = 0;
    std::atomic<int> releasedHere = 0;
    const auto gui = std::this_thread::get_id();
    const auto loader = [&](const std::filesystem::path& path) {
        LoadedSession loaded = loadSession(path);
        loaded.source = std::shared_ptr<const figures::FigureSource>(
            loaded.source.get(), [&, kept = loaded.source](const figures::FigureSource*) {
                ++released;
                releasedHere += std::this_thread::get_id() == gui ? 1 : 0;
            });
        return loaded;
    };
    SessionService service(loader);
    service.open(file.path());
    REQUIRE(QTest::qWaitFor([&] { return service.sessions().size() == 1; }));
    service.reload(service.sessions().first()->id);
    REQUIRE(QTest::qWaitFor([&] { return released == 1; }));
    service.close(service.sessions().first()->id);
    REQUIRE(QTest::qWaitFor([&] { return released == 2; }));
    CHECK(releasedHere == 0);
}

TEST_CASE("SessionService: sessions of one model are told apart", "[widgets][state]") {
    const tests::SyntheticSession first({}, "before.h5");
    const tests::SyntheticSession second({}, "after.h5");
    const tests::SyntheticSession third({}, "after.h5");  // in another folder
    SessionService service;
    const auto open = [&](const tests::SyntheticSession& file) {
        const qsizetype count = service.sessions().size();
        service.open(file.path());
        REQUIRE(QTest::qWaitFor([&] { return service.sessions().size() == count + 1; }));
        return service.sessions().constLast()->title;
    };
    CHECK(open(first) == QStringLiteral("synthetic-moe \u00B7 before"));
    CHECK(open(second) == QStringLiteral("synthetic-moe \u00B7 after"));
    const QString folder = QString::fromStdString(third.folder().path().filename().string());
    CHECK(open(third) ==
          QStringLiteral("synthetic-moe \u00B7 ") + folder + QStringLiteral("/after"));
    // A reload leaves the name as it is.
    QSignalSpy reloaded(&service, &SessionService::reloaded);
    service.reload(service.sessions().constLast()->id);
    REQUIRE(QTest::qWaitFor([&] { return reloaded.size() == 1; }));
    CHECK(service.sessions().constLast()->title.contains(folder));
}

TEST_CASE("titleOf: a file that is named after the model says it all", "[widgets][state]") {
    session::Head head;
    head.model.name = "tiny-mixtral";
    CHECK(titleOf(head, QStringLiteral("/a/tiny-mixtral-2.h5")) ==
          QStringLiteral("tiny-mixtral-2"));
    head.title = "With a baseline";
    CHECK(titleOf(head, QStringLiteral("/a/run.h5")) ==
          QStringLiteral("With a baseline \u00B7 run"));
}

TEST_CASE("loadSession: while a run adds to a session its parts show", "[widgets][state]") {
    tests::SyntheticRun run;
    run.experiments = {"chosen_experts"};
    const tests::SyntheticSession file(run);
    run.experiments = {"norms_scores"};
    {
        session::RunStore store(file.file());
        store.begin(tests::syntheticHead(run));
        const session::QuantityId norms{BranchId(0), "norms_scores", "norm"};
        const session::QuantityId ids{BranchId(0), "chosen_experts", "ids"};
        store.writePart(tests::syntheticParts(run).front());
        const LoadedSession during = file.load();
        CHECK(during.isPartial);
        REQUIRE(during.source->find(norms) != nullptr);
        CHECK(during.source->find(norms)->layers.size() == 1);
        CHECK(during.source->find(ids)->layers.size() == 3);
    }
    // Parts of another run beside it are none of its business.
    tests::SyntheticRun other;
    session::Head head = tests::syntheticHead(other);
    head.uuid = "another";
    std::filesystem::remove_all(file.file().string() + ".partial");
    session::RunStore store(file.folder() / "other.h5");
    store.begin(head);
    store.writePart(tests::syntheticParts(other).front());
    store.suspend();
    std::filesystem::rename(file.folder() / "other.h5.partial", file.file().string() + ".partial");
    CHECK_FALSE(file.load().isPartial);
}

TEST_CASE("SessionService: bad files are told with their code", "[widgets][state]") {
    const tests::SyntheticSession file;
    SessionService service;
    QSignalSpy failed(&service, &SessionService::failed);
    const QString bad = QString::fromStdString((file.folder() / "bad.h5").string());
    QString code = QStringLiteral("bad_session");
    SECTION("missing") {
        service.open(QStringLiteral("/nowhere/run.h5"));
        code = QStringLiteral("file_not_found");
    }
    SECTION("not HDF5") {
        QFile out(bad);
        REQUIRE(out.open(QIODevice::WriteOnly));
        out.write("this is not HDF5");
        out.close();
        service.open(bad);
    }
    SECTION("truncated") {
        REQUIRE(QFile::copy(file.path(), bad));
        QFile out(bad);
        REQUIRE(out.resize(out.size() / 2));
        service.open(bad);
    }
    REQUIRE(QTest::qWaitFor([&] { return failed.size() == 1; }));
    const auto problem = failed.first().at(1).value<Problem>();
    CHECK(problem.code == code);
    CHECK_FALSE(problem.message.isEmpty());
    CHECK(service.sessions().isEmpty());
}
