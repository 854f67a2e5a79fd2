// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later

// New analyses from the window, with the real engine on the demo model; cases that need it are
// skipped where the engine is not built.

#include "tests/app/window_fixture.h"
#include "tests/support/catch.h"
#include "tests/support/paths.h"
#include "widgets/panels/form_section.h"
#include "widgets/panels/message_bar.h"
#include "widgets/panels/new_analysis_dialog.h"
#include "widgets/panels/text_source_editor.h"

#include <QFileInfo>
#include <QLabel>
#include <QPushButton>
#include <QTableView>

using namespace moescope;
using namespace moescope::widgets;
using moescope::tests::WindowFixture;

namespace {

constexpr int kPatience = 60000;

QString demoModel() {
    return QString::fromStdString((tests::sourceDir() / "resources/demo/tiny-mixtral").string());
}

InstallPaths enginePaths() {
    InstallPaths paths;
    paths.engine = findEngine(QString::fromStdString(tests::binDir().string()));
    return paths;
}

bool canRun() {
    const bool can = !enginePaths().engine.isEmpty() && QFileInfo::exists(demoModel());
    if (!can) {
        WARN("skipped: no moescope-engine or no demo model");
    }
    return can;
}

struct DialogFixture : WindowFixture {
    DialogFixture() : WindowFixture({}, enginePaths()) { actions().newAnalysis->trigger(); }
    NewAnalysisDialog& dialog() { return find<NewAnalysisDialog>("newAnalysisDialog"); }
    [[nodiscard]] QString output() const {
        return QString::fromStdString((session().folder() / "new.h5").string());
    }
    QString message(RequestField field) {
        return dialog().section(field).messages().isVisible()
                   ? dialog().section(field).messages().text()
                   : QString();
    }
    void clickStart() { QTest::mouseClick(&find<QPushButton>("startButton"), Qt::LeftButton); }
};

}  // namespace

TEST_CASE("NewAnalysis: what is missing is said where it belongs", "[app][gui]") {
    DialogFixture f;
    f.dialog().text().setPrompt({});
    f.clickStart();
    CHECK_FALSE(f.message(RequestField::Checkpoint).isEmpty());
    CHECK_FALSE(f.message(RequestField::Text).isEmpty());
    CHECK_FALSE(f.message(RequestField::Output).isEmpty());
    CHECK(f.message(RequestField::Machine).isEmpty());
    CHECK(f.dialog().isVisible());
    CHECK_FALSE(f.workspace().run().isRunning());
}

TEST_CASE("NewAnalysis: card, estimate, run, figures; then one more experiment", "[app][gui]") {
    if (!canRun()) {
        return;
    }
    DialogFixture f;
    f.dialog().setCheckpoint(demoModel());
    f.dialog().setOutput(f.output());
    f.dialog().setExperiments({QStringLiteral("rank_counts")});
    auto& card = f.find<QTableView>("checkpointCard");
    REQUIRE(QTest::qWaitFor([&] { return card.model()->rowCount() > 5; }, kPatience));
    auto& estimate = f.find<QLabel>("estimateLabel");
    REQUIRE(QTest::qWaitFor([&] { return estimate.text().startsWith(QStringLiteral("Estimate")); },
                            kPatience));
    f.clickStart();
    CHECK(f.workspace().run().isRunning());
    CHECK(f.find<QWidget>("taskArea").isVisible());
    REQUIRE(QTest::qWaitFor([&] { return !f.workspace().run().isRunning(); }, kPatience));
    REQUIRE(QTest::qWaitFor(
        [&] {
            const SessionSnapshot now = f.workspace().current();
            return now && !now->content.isPartial;
        },
        kPatience));
    CHECK_FALSE(f.find<QWidget>("taskArea").isVisible());
    CHECK(f.workspace().current()->path == SessionService::normalisedPath(f.output()));
    f.showFigure("rank-counts");
    CHECK(f.figure()->name == "rank-counts");

    // "Run now" repeats the run's own options and adds to the same file.
    f.window().figures().setCurrent(0);
    auto* bar = f.panel().findChild<MessageBar*>();
    REQUIRE(QTest::qWaitFor([&] { return bar->isVisible(); }));
    QTest::mouseClick(bar->findChild<QWidget*>(QStringLiteral("messageActionButton")),
                      Qt::LeftButton);
    REQUIRE(f.workspace().run().isRunning());
    REQUIRE(QTest::qWaitFor([&] { return f.figure() != nullptr; }, kPatience));
    CHECK(f.figure()->name == "weight-similarity");
    REQUIRE(QTest::qWaitFor([&] { return !f.workspace().run().isRunning(); }, kPatience));
    f.showFigure("rank-counts");
    CHECK(f.figure()->name == "rank-counts");
}

TEST_CASE("NewAnalysis: the engine's errors appear in the section they belong to", "[app][gui]") {
    if (!canRun()) {
        return;
    }
    DialogFixture f;
    f.dialog().setCheckpoint(QString::fromStdString(f.session().folder().path().string()));
    f.dialog().setOutput(f.output());
    REQUIRE(
        QTest::qWaitFor([&] { return !f.message(RequestField::Checkpoint).isEmpty(); }, kPatience));
    f.clickStart();
    REQUIRE(QTest::qWaitFor([&] { return !f.workspace().run().isRunning(); }, kPatience));
    CHECK(f.dialog().isVisible());
    CHECK(f.find<QPushButton>("startButton").isEnabled());
    CHECK_FALSE(f.message(RequestField::Checkpoint).isEmpty());
}

TEST_CASE("NewAnalysis: cancel keeps what is done and the window says so", "[app][gui]") {
    if (!canRun()) {
        return;
    }
    DialogFixture f;
    f.dialog().setCheckpoint(demoModel());
    f.dialog().setOutput(f.output());
    f.clickStart();
    REQUIRE(f.workspace().run().isRunning());
    QTest::mouseClick(&f.find<QPushButton>("taskCancelButton"), Qt::LeftButton);
    REQUIRE(QTest::qWaitFor([&] { return !f.workspace().run().isRunning(); }, kPatience));
    CHECK_FALSE(f.find<QWidget>("taskArea").isVisible());
    CHECK_FALSE(f.actions().cancelRun->isEnabled());
}
