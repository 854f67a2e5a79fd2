// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later

// "Run now" and closing the window during a run, with shell scripts in the engine's place.

#include "app/analysis_starter.h"

#include "tests/app/window_fixture.h"
#include "tests/support/catch.h"
#include "widgets/panels/form_section.h"
#include "widgets/panels/message_bar.h"
#include "widgets/panels/new_analysis_dialog.h"
#include "widgets/panels/text_source_editor.h"

#include <QComboBox>
#include <QElapsedTimer>
#include <QFile>
#include <QFileInfo>
#include <QLineEdit>
#include <QMessageBox>
#include <QPushButton>
#include <QSlider>
#include <QStandardPaths>
#include <QTimer>

#include <filesystem>

using namespace moescope;
using namespace moescope::widgets;
using moescope::tests::SyntheticRun;
using moescope::tests::TemporaryFolder;
using moescope::tests::WindowFixture;

namespace {

QString toQString(const std::filesystem::path& path) {
    return QString::fromStdString(path.string());
}

/// An engine that notes where it stands and what it is asked, and one that runs until it is told to
/// stop.
class Engine {
public:
    explicit Engine(const QByteArray& body) {
        QFile file(path());
        REQUIRE(file.open(QIODevice::WriteOnly));
        file.write("#!/bin/sh\n" + body);
        file.close();
        REQUIRE(file.setPermissions(QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner));
    }
    static QByteArray noting() { return "{ pwd; echo \"$@\"; } > \"$0.said\"\n"; }
    static QByteArray until(const QByteArray& onTerm) {
        return "trap '" + onTerm + "' TERM\necho up > \"$0.said\"\n" +
               "while :; do sleep 0.02; done\n";
    }
    [[nodiscard]] QString path() const { return toQString(m_folder / "engine.sh"); }
    [[nodiscard]] QString said() const {
        QFile file(path() + QStringLiteral(".said"));
        return file.open(QIODevice::ReadOnly) ? QString::fromUtf8(file.readAll()) : QString();
    }
    [[nodiscard]] InstallPaths paths() const {
        InstallPaths paths;
        paths.engine = path();
        return paths;
    }

private:
    TemporaryFolder m_folder;
};

SyntheticRun madeBy(const std::string& commandLine) {
    SyntheticRun run;
    run.experiments = {"chosen_experts"};
    run.commandLine = commandLine;
    return run;
}

void addParameters(WindowFixture& w) {
    w.openWithoutFigure();
    w.window().figures().setCurrent(WindowFixture::indexOf("parameters"));
    auto* bar = w.panel().findChild<MessageBar*>();
    REQUIRE(QTest::qWaitFor([&] { return bar->isVisible(); }));
    QTest::mouseClick(bar->findChild<QWidget*>(QStringLiteral("messageActionButton")),
                      Qt::LeftButton);
}

/// Asks for the loss without the lowest sixteenths of all layers' experts together, which is no
/// step of the curves; the list as it is exported.
QString measureShare(WindowFixture& w, int sixteenths) {
    w.showFigure("importance");
    w.panel().findChild<QComboBox*>(QStringLiteral("scopeCombo"))->setCurrentIndex(1);
    w.panel().findChild<QComboBox*>(QStringLiteral("pruneOverCombo"))->setCurrentIndex(1);
    w.panel().findChild<QSlider*>(QStringLiteral("pruneShare"))->setValue(sixteenths);
    auto* bar = w.panel().findChild<MessageBar*>(QStringLiteral("figureMessages"));
    REQUIRE(QTest::qWaitFor([&] { return bar->isVisible(); }));
    QString list = QString::fromStdString(figures::toJson(*w.figure()));
    QTest::mouseClick(bar->findChild<QWidget*>(QStringLiteral("messageActionButton")),
                      Qt::LeftButton);
    return list;
}

}  // namespace

TEST_CASE("AnalysisStarter: run now goes where the session's run was started", "[app][gui]") {
    const TemporaryFolder models;
    std::filesystem::create_directory(models / "tiny model");
    const Engine engine(Engine::noting());
    WindowFixture w(madeBy("cd '" + models.path().string() +
                           "' && moescope-engine analyze 'tiny model' --prompt=x -o run.h5"),
                    engine.paths());
    addParameters(w);
    REQUIRE(QTest::qWaitFor([&] { return engine.said().count(QLatin1Char('\n')) == 2; }));
    CHECK(engine.said().section(QLatin1Char('\n'), 0, 0) ==
          toQString(std::filesystem::canonical(models.path())));
    CHECK(engine.said().section(QLatin1Char('\n'), 1, 1) ==
          QStringLiteral("analyze tiny model --experiments parameters -o ") +
              SessionService::normalisedPath(w.session().path()) + QStringLiteral(" --json"));
}

TEST_CASE("AnalysisStarter: a run that was cut off goes on at a click", "[app][gui]") {
    const TemporaryFolder models;
    std::filesystem::create_directory(models / "model");
    const Engine engine(
        "echo \"$@\" >> \"$0.said\"\n"
        "while [ $# -gt 0 ]; do [ \"$1\" = -o ] && mkdir -p \"$2.partial\"; shift; done\n"
        "kill -9 $$\n");
    WindowFixture w(madeBy("cd '" + models.path().string() +
                           "' && moescope-engine analyze model --prompt=x -o run.h5"),
                    engine.paths());
    addParameters(w);
    auto& bar = w.find<MessageBar>("messageBar");
    REQUIRE(QTest::qWaitFor([&] { return bar.isVisible(); }));
    CHECK(bar.text().contains(QStringLiteral("go on")));
    CHECK_FALSE(engine.said().contains(QStringLiteral("--resume")));
    auto& button = *bar.findChild<QPushButton*>(QStringLiteral("messageActionButton"));
    CHECK(button.isVisible());
    QTest::mouseClick(&button, Qt::LeftButton);
    REQUIRE(QTest::qWaitFor([&] { return engine.said().count(QLatin1Char('\n')) == 2; }));
    const QString again = engine.said().section(QLatin1Char('\n'), 1, 1);
    CHECK(again.contains(QStringLiteral("--experiments parameters")));
    CHECK(again.contains(QStringLiteral("--resume")));
}

TEST_CASE("AnalysisStarter: curves come to lists that were measured alone", "[app][gui]") {
    const TemporaryFolder models;
    std::filesystem::create_directory(models / "model");
    const Engine engine(Engine::noting());
    SyntheticRun run;
    run.withCurves = false;
    run.commandLine = "cd '" + models.path().string() +
                      "' && moescope-engine analyze model --prompt=x --prune-list old.json "
                      "--prune-lists-only -o run.h5";
    WindowFixture w(run, engine.paths());
    w.openWithoutFigure();
    w.showFigure("pruning");
    auto* bar = w.panel().findChild<MessageBar*>(QStringLiteral("figureMessages"));
    REQUIRE(QTest::qWaitFor([&] { return bar->isVisible(); }));
    CHECK(bar->text().contains(QStringLiteral("curves")));
    QTest::mouseClick(bar->findChild<QWidget*>(QStringLiteral("messageActionButton")),
                      Qt::LeftButton);
    REQUIRE(QTest::qWaitFor([&] { return engine.said().count(QLatin1Char('\n')) == 2; }));
    const QString asked = engine.said().section(QLatin1Char('\n'), 1, 1);
    CHECK(asked.contains(QStringLiteral("--experiments pruning ")));
    CHECK_FALSE(asked.contains(QStringLiteral("--prune-list")));
}

TEST_CASE("AnalysisStarter: the list of experts on the slider is measured as it is", "[app][gui]") {
    const TemporaryFolder models;
    std::filesystem::create_directory(models / "model");
    const Engine engine(Engine::noting());
    SyntheticRun run;
    run.commandLine = "cd '" + models.path().string() +
                      "' && moescope-engine analyze model --prompt=x --prune-list old.json -o "
                      "run.h5";
    WindowFixture w(run, engine.paths());
    w.openSession();
    const QString wanted = measureShare(w, 3);
    REQUIRE(QTest::qWaitFor([&] { return engine.said().count(QLatin1Char('\n')) == 2; }));
    const QStringList words =
        engine.said().section(QLatin1Char('\n'), 1, 1).split(QLatin1Char(' '));
    CHECK(words.count(QStringLiteral("--prune-list")) == 1);  // the session has the old one
    CHECK(words.contains(QStringLiteral("--prune-lists-only")));
    CHECK(words.value(words.indexOf(QStringLiteral("--experiments")) + 1) ==
          QStringLiteral("pruning"));
    QFile list(words.value(words.indexOf(QStringLiteral("--prune-list")) + 1));
    CHECK(QFileInfo(list).completeBaseName() == QStringLiteral("reap-18.75-of-all"));
    REQUIRE(list.open(QIODevice::ReadOnly));
    CHECK(QString::fromUtf8(list.readAll()) == wanted);
}

TEST_CASE("AnalysisStarter: a checkpoint that is not found is asked for", "[app][gui]") {
    const Engine engine(Engine::noting());
    // An early session: relative, and no word of where.
    WindowFixture w(madeBy("moescope-engine analyze nowhere/model --prompt=x -o run.h5"),
                    engine.paths());
    addParameters(w);
    auto& dialog = w.find<NewAnalysisDialog>("newAnalysisDialog");
    const MessageBar& message = dialog.section(RequestField::Checkpoint).messages();
    CHECK(message.isVisible());
    CHECK(message.text().contains(QStringLiteral("nowhere/model")));
    CHECK(dialog.request().output == SessionService::normalisedPath(w.session().path()));
    CHECK(dialog.request().experiments == QStringList{QStringLiteral("parameters")});
    CHECK(dialog.request().textKind == TextKind::Session);
    CHECK_FALSE(w.workspace().run().isRunning());
}

TEST_CASE("AnalysisStarter: the dialog that asks for the checkpoint keeps the list", "[app][gui]") {
    const TemporaryFolder models;
    std::filesystem::create_directory(models / "model");
    const Engine engine(Engine::noting());
    WindowFixture w(SyntheticRun{.commandLine = "moescope-engine analyze nowhere/model -o run.h5"},
                    engine.paths());
    w.openSession();
    measureShare(w, 3);
    auto& dialog = w.find<NewAnalysisDialog>("newAnalysisDialog");
    const AnalysisRequest request = dialog.request();
    CHECK(request.experiments == QStringList{QStringLiteral("pruning")});
    CHECK(request.pruneListsOnly);
    REQUIRE(request.pruneLists.size() == 1);
    CHECK(QFileInfo(request.pruneLists.front()).completeBaseName() ==
          QStringLiteral("reap-18.75-of-all"));
    dialog.setCheckpoint(toQString(models / "model"));
    dialog.start();
    REQUIRE(QTest::qWaitFor([&] { return engine.said().contains(request.pruneLists.front()); }));
    CHECK(engine.said().contains(QStringLiteral("--prune-lists-only")));
}

TEST_CASE("AnalysisStarter: a new analysis offers to add to the session that is open",
          "[app][gui]") {
    const TemporaryFolder models;
    std::filesystem::create_directory(models / "model");
    std::filesystem::create_directory(models / "dense");
    const Engine engine(Engine::noting());
    WindowFixture w(madeBy("cd '" + models.path().string() +
                           "' && moescope-engine analyze model --baseline dense --prompt=x "
                           "--top-k 2 --memory 3G -o run.h5"),
                    engine.paths());
    w.openWithoutFigure();
    w.actions().newAnalysis->trigger();
    auto& dialog = w.find<NewAnalysisDialog>("newAnalysisDialog");
    const AnalysisRequest offered = dialog.request();
    CHECK(offered.checkpoint == toQString(models / "model"));
    CHECK(offered.baselines == QStringList{toQString(models / "dense")});
    CHECK(offered.memory == QStringLiteral("3G"));
    CHECK(offered.device == QStringLiteral("auto"));
    CHECK(offered.textKind == TextKind::Session);
    CHECK(offered.output == SessionService::normalisedPath(w.session().path()));
    CHECK(offered.experiments.contains(QStringLiteral("norms_scores")));
    CHECK_FALSE(offered.experiments.contains(QStringLiteral("chosen_experts")));  // it is there
    CHECK(check(offered).isEmpty());

    // Another text is another session, with all experiments; and back.
    dialog.text().setKind(TextKind::Prompt);
    CHECK(dialog.request().output != offered.output);
    CHECK(dialog.request().experiments.contains(QStringLiteral("chosen_experts")));
    CHECK(dialog.request().replay.isEmpty());
    CHECK(dialog.request().baselines.isEmpty());  // which are the session's, as the rest
    CHECK(dialog.request().memory.isEmpty());
    CHECK(dialog.request().dtype.isEmpty());
    dialog.setCheckpoint(toQString(models / "dense"));
    dialog.text().setKind(TextKind::Session);
    CHECK(dialog.request() == offered);

    dialog.setExperiments({QStringLiteral("router_margin")});
    w.find<QLineEdit>("memoryEdit").setText(QStringLiteral("5G"));
    dialog.text().setKind(TextKind::Prompt);  // what was chosen stays
    CHECK(dialog.request().experiments == QStringList{QStringLiteral("router_margin")});
    CHECK(dialog.request().memory == QStringLiteral("5G"));
    dialog.text().setKind(TextKind::Session);
    CHECK(dialog.request().experiments == QStringList{QStringLiteral("router_margin")});
    dialog.start();
    REQUIRE(QTest::qWaitFor([&] {
        return engine.said().contains(QStringLiteral("router_margin")) &&
               !engine.said().contains(QStringLiteral("dry-run"));
    }));
    const QString asked = engine.said().section(QLatin1Char('\n'), 1, 1);
    CHECK(asked.contains(QStringLiteral("--top-k 2 ")));
    CHECK_FALSE(asked.contains(QStringLiteral("--prompt")));
    CHECK(asked.contains(QStringLiteral("-o ") + offered.output));
}

TEST_CASE("AnalysisStarter: the demo that ships is added to in a copy", "[app][gui]") {
    QStandardPaths::setTestModeEnabled(true);
    const Engine engine(Engine::noting());
    const tests::SyntheticSession demo(madeBy("moescope-engine analyze model --prompt=x -o x.h5"),
                                       "demo.h5");
    std::filesystem::create_directory(demo.folder() / "model");  // it lies beside its model
    InstallPaths paths = engine.paths();
    paths.demoSession = demo.path();
    WindowFixture w(madeBy(""), paths);
    w.window().openDemo();
    REQUIRE(QTest::qWaitFor([&] { return w.workspace().current() != nullptr; }));
    w.actions().runMissing->trigger();
    REQUIRE(QTest::qWaitFor([&] { return engine.said().count(QLatin1Char('\n')) == 2; }));
    const QString output = w.workspace().run().request().output;
    CHECK(output != SessionService::normalisedPath(demo.path()));
    CHECK(engine.said().contains(QStringLiteral("-o ") + output));
    CHECK(engine.said().startsWith(toQString(std::filesystem::canonical(demo.folder().path()))));
    CHECK(loadSession(output.toStdString()).source->head().corpus.tokenCount() == 60);
    CHECK(QFile::remove(output));
}

TEST_CASE("AnalysisStarter: a copy of the demo that nothing came to goes, and is made again",
          "[app][gui]") {
    QStandardPaths::setTestModeEnabled(true);
    const Engine engine("{ pwd; echo \"$@\"; } > \"$0.said\"\nexit 1\n");
    const tests::SyntheticSession demo(madeBy("moescope-engine analyze model --prompt=x -o x.h5"),
                                       "demo.h5");
    std::filesystem::create_directory(demo.folder() / "model");
    InstallPaths paths = engine.paths();
    paths.demoSession = demo.path();
    WindowFixture w(madeBy(""), paths);
    w.window().openDemo();
    REQUIRE(QTest::qWaitFor([&] { return w.workspace().current() != nullptr; }));
    w.actions().newAnalysis->trigger();
    auto& dialog = w.find<NewAnalysisDialog>("newAnalysisDialog");
    const MessageBar& message = dialog.section(RequestField::Output).messages();
    const QString output = dialog.request().output;
    for (int n = 0; n < 2; ++n) {
        dialog.start();
        CHECK(QFileInfo::exists(output));
        CHECK(w.workspace().run().isRunning());
        REQUIRE(QTest::qWaitFor([&] { return !w.workspace().run().isRunning(); }));
        CHECK(dialog.isVisible());
        CHECK_FALSE(QFileInfo::exists(output));
    }
    // A file of someone else is neither added to nor overwritten; any other name does.
    const QString other = toQString(demo.folder() / "other.h5");
    QFile file(other);
    REQUIRE(file.open(QIODevice::WriteOnly));
    file.close();
    dialog.setOutput(other);
    CHECK(check(dialog.request()).isEmpty());
    dialog.start();
    CHECK_FALSE(w.workspace().run().isRunning());
    CHECK(message.text().contains(QStringLiteral("choose another name")));
    CHECK(QFileInfo(other).size() == 0);
    REQUIRE(QFile::remove(other));
    dialog.start();
    CHECK(QFileInfo(other).size() == QFileInfo(demo.path()).size());
    REQUIRE(QTest::qWaitFor([&] { return !w.workspace().run().isRunning(); }));
}

TEST_CASE("AnalysisStarter: a session without text is added to in its own file only",
          "[app][gui]") {
    const TemporaryFolder models;
    std::filesystem::create_directory(models / "model");
    const Engine engine(Engine::noting());
    const std::string line = "cd '" + models.path().string() +
                             "' && moescope-engine analyze model --top-k 2 --memory 3G -o run.h5";
    WindowFixture w(madeBy(line), engine.paths());
    w.openWithoutFigure();
    w.actions().newAnalysis->trigger();
    auto& dialog = w.find<NewAnalysisDialog>("newAnalysisDialog");
    CHECK(dialog.text().kind() == TextKind::Session);

    SyntheticRun weights = madeBy(line);
    weights.experiments = {"parameters"};
    weights.tokens = weights.documents = 0;
    const tests::SyntheticSession withoutText(weights, "weights.h5");
    const QString path = SessionService::normalisedPath(withoutText.path());
    w.workspace().sessions().open(path);
    REQUIRE(QTest::qWaitFor([&] { return w.workspace().sessions().findPath(path) != nullptr; }));
    dialog.setSession(w.workspace().sessions().findPath(path), path);
    const auto& kinds = w.find<QComboBox>("textKind");
    CHECK(kinds.findData(static_cast<int>(TextKind::Session)) < 0);
    CHECK(dialog.text().kind() == TextKind::Prompt);
    CHECK_FALSE(dialog.request().replay.isEmpty());
    CHECK(dialog.request().memory == QStringLiteral("3G"));
    CHECK_FALSE(dialog.request().experiments.contains(QStringLiteral("parameters")));

    dialog.setOutput(toQString(models / "new.h5"));
    CHECK(dialog.request().replay.isEmpty());
    CHECK(dialog.request().memory.isEmpty());
    CHECK(dialog.request().experiments.contains(QStringLiteral("parameters")));
    dialog.setOutput(path);
    CHECK_FALSE(dialog.request().replay.isEmpty());
    CHECK(dialog.request().memory == QStringLiteral("3G"));
}

TEST_CASE("MainWindow: closing during a run waits for the engine without standing still",
          "[app][gui]") {
    const bool listens = GENERATE(true, false);
    const Engine engine(Engine::until(listens ? "sleep 0.3; exit 130" : ":"));
    WindowFixture w({}, engine.paths());
    AnalysisRequest request;
    request.checkpoint = QStringLiteral("/model");
    request.output = toQString(w.session().folder() / "new.h5");
    REQUIRE(w.workspace().run().start(request));
    REQUIRE(QTest::qWaitFor([&] { return engine.said().contains(QStringLiteral("up")); }));
    const auto answer = [&](const QString& label) {
        QTimer::singleShot(100, &w.window(), [&w, label] {
            auto* box = w.window().findChild<QMessageBox*>(QStringLiteral("closeQuestion"));
            REQUIRE(box != nullptr);
            for (QAbstractButton* button : box->buttons()) {
                if (button->text() == label) {
                    button->click();
                }
            }
        });
    };
    answer(QStringLiteral("Keep running"));
    CHECK_FALSE(w.window().close());
    CHECK(w.workspace().run().isRunning());

    answer(QStringLiteral("Stop and close"));
    CHECK_FALSE(w.window().close());
    CHECK(w.window().isVisible());
    CHECK(
        w.find<MessageBar>("messageBar").text().contains(QStringLiteral("then the window closes")));
    if (!listens) {
        QTest::qWait(200);
        CHECK(w.window().isVisible());
        w.window().close();  // not polite any more, and no question
    }
    REQUIRE(QTest::qWaitFor([&] { return !w.window().isVisible(); }));
    CHECK_FALSE(w.workspace().run().isRunning());
}

TEST_CASE("EngineProcess: going away during a run takes no time", "[app][gui]") {
    const Engine engine(Engine::until(":"));
    auto process = std::make_unique<EngineProcess>(engine.path());
    process->start({});
    REQUIRE(QTest::qWaitFor([&] { return engine.said().contains(QStringLiteral("up")); }));
    QElapsedTimer timer;
    timer.start();
    process.reset();
    CHECK(timer.elapsed() < 1000);
}
