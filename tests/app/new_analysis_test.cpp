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
#include "widgets/state/session_to_add.h"

#include <QFile>
#include <QFileInfo>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QTableView>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

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

/// Files of many short lines: the first removals are there after a second or two, all of them take
/// much longer.
void chooseShortDocuments(DialogFixture& f) {
    const QString path = QString::fromStdString((f.session().folder() / "documents.csv").string());
    QFile file(path);
    REQUIRE(file.open(QIODevice::WriteOnly));
    file.write("text\n");
    for (int i = 0; i < 100; ++i) {
        file.write("The fox and the hen number " + QByteArray::number(i) +
                   " talk about the weather of the day and of grain in the barn.\n");
    }
    file.close();
    f.dialog().text().setKind(TextKind::Csv);
    f.find<QLineEdit>("tableColumn").setText(QStringLiteral("text"));
    f.find<QLineEdit>("tableFile").setText(path);
}

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

TEST_CASE("NewAnalysis: no field moves when a message appears", "[app][gui]") {
    DialogFixture f;
    REQUIRE(QTest::qWaitForWindowExposed(&f.dialog()));
    const auto places = [&] {
        QCoreApplication::processEvents();
        std::string corners;
        for (const QLineEdit* edit : f.dialog().findChildren<QLineEdit*>()) {
            const QPoint corner = edit->mapTo(&f.dialog(), QPoint());
            corners += edit->objectName().toStdString() + " " + std::to_string(corner.x()) + "," +
                       std::to_string(corner.y()) + "\n";
        }
        return corners;
    };
    const std::string before = places();
    REQUIRE(std::count(before.begin(), before.end(), '\n') > 10);
    const QString said =
        QStringLiteral("Something is in the way, which takes two lines to tell: see to it first.");
    for (const RequestField field :
         {RequestField::Checkpoint, RequestField::Text, RequestField::Baselines,
          RequestField::Experiments, RequestField::Machine, RequestField::Output}) {
        MessageBar& messages = f.dialog().section(field).messages();
        messages.showMessage(MessageBar::Kind::Error, said);
        CHECK(messages.isVisible());
        CHECK(places() == before);
        messages.clear();
    }
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

TEST_CASE("NewAnalysis: what is asked for with the session's own text comes to the session",
          "[app][gui]") {
    if (!canRun()) {
        return;
    }
    DialogFixture f;
    f.dialog().setCheckpoint(demoModel());
    f.dialog().setOutput(f.output());
    f.dialog().setExperiments({QStringLiteral("rank_counts")});
    const auto run = [&] {
        f.clickStart();
        REQUIRE(f.workspace().run().isRunning());
        REQUIRE(QTest::qWaitFor([&] { return !f.workspace().run().isRunning(); }, kPatience));
        REQUIRE(QTest::qWaitFor(
            [&] {
                const SessionSnapshot now = f.workspace().current();
                return now && !now->content.isPartial;
            },
            kPatience));
        QTest::qWait(100);  // the dialog goes
    };
    run();
    const QStringList before = experimentsDone(f.workspace().current()->head());
    CHECK(before.contains(QStringLiteral("rank_counts")));
    f.actions().newAnalysis->trigger();
    const AnalysisRequest offered = f.dialog().request();
    CHECK(offered.textKind == TextKind::Session);
    CHECK_FALSE(offered.experiments.contains(QStringLiteral("rank_counts")));
    f.dialog().setExperiments({QStringLiteral("router_margin")});
    run();
    const session::Head& head = f.workspace().current()->head();
    CHECK(f.workspace().current()->path == SessionService::normalisedPath(f.output()));
    CHECK(head.corpus.tokenCount() > 0);
    QStringList both = before;
    both << QStringLiteral("router_margin");
    QStringList done = experimentsDone(head);
    both.sort();
    done.sort();
    CHECK(done == both);
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

TEST_CASE(
    "NewAnalysis: the map of removals fills in while they run, and a stop keeps what is there",
    "[app][gui]") {
    if (!canRun()) {
        return;
    }
    DialogFixture f;
    f.dialog().setCheckpoint(demoModel());
    f.dialog().setOutput(f.output());
    f.dialog().setExperiments({QStringLiteral("expert_removal")});
    chooseShortDocuments(f);
    f.clickStart();
    const QString path = SessionService::normalisedPath(f.output());
    REQUIRE(QTest::qWaitFor(
        [&] {
            const SessionSnapshot now = f.workspace().current();
            return now && now->path == path;
        },
        kPatience));
    f.window().figures().setCurrent(WindowFixture::indexOf("expert-removal"));
    const auto cells = [&](bool measured) {
        const auto* map = f.figure() != nullptr
                              ? std::get_if<figures::HeatMapFigure>(&f.figure()->body)
                              : nullptr;
        if (map == nullptr || f.figure()->name != "expert-removal") {
            return std::ptrdiff_t{0};
        }
        const std::vector<float>& values = map->panels.front().matrix.values;
        return std::count_if(values.begin(), values.end(),
                             [&](float value) { return std::isnan(value) != measured; });
    };
    REQUIRE(QTest::qWaitFor([&] { return cells(true) > 0 && cells(false) > 0; }, kPatience));
    CHECK(f.workspace().run().isRunning());
    CHECK(f.figure()->howToRead.starts_with("So far " + std::to_string(cells(true)) + " of "));
    CHECK(f.workspace().current()->content.isPartial);
    CHECK(f.workspace().run().progress().stage.startsWith(QStringLiteral("Removal of experts")));
    CHECK(f.workspace().run().progress().remainingSeconds.value_or(0.0) > 0.0);
    CHECK(f.find<QLabel>("taskRemaining").text().contains(QStringLiteral("left")));
    const auto before = cells(true);
    QTest::mouseClick(&f.find<QPushButton>("taskCancelButton"), Qt::LeftButton);
    REQUIRE(QTest::qWaitFor([&] { return !f.workspace().run().isRunning(); }, kPatience));
    CHECK_FALSE(f.find<QWidget>("taskArea").isVisible());
    const int revision = f.workspace().current()->revision;
    static_cast<void>(QTest::qWaitFor(  // it is read once more
        [&] { return f.workspace().current()->revision != revision; }));
    CHECK(f.workspace().current()->content.isPartial);
    CHECK(cells(true) >= before);
    CHECK(cells(false) > 0);
}
