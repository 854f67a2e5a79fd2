// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/main_window.h"

#include "core/experiments/catalogue.h"
#include "core/figures/figure_keys.h"
#include "tests/app/window_fixture.h"
#include "tests/support/catch.h"
#include "widgets/panels/drop_overlay.h"
#include "widgets/panels/figure_list.h"
#include "widgets/panels/figures_area.h"
#include "widgets/panels/help_window.h"
#include "widgets/panels/layer_bar.h"
#include "widgets/panels/message_bar.h"
#include "widgets/panels/new_analysis_dialog.h"
#include "widgets/panels/resources.h"
#include "widgets/panels/welcome_page.h"

#include <QAbstractItemModel>
#include <QComboBox>
#include <QDir>
#include <QDockWidget>
#include <QDragEnterEvent>
#include <QFile>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QMenu>
#include <QMimeData>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSlider>
#include <QStackedWidget>
#include <QTableView>
#include <QTemporaryDir>
#include <QTextBrowser>
#include <QToolButton>
#include <QTreeView>
#include <QUrl>

using namespace moescope;
using namespace moescope::widgets;
using moescope::tests::SyntheticRun;
using moescope::tests::WindowFixture;

TEST_CASE("MainWindow: without a session it says what to do", "[app][gui]") {
    WindowFixture w;
    CHECK(w.find<QStackedWidget>("centrePages").currentIndex() == 0);
    CHECK(w.find<WelcomePage>("welcomePage").isVisible());
    CHECK(w.find<QPushButton>("welcomeOpenButton").isEnabled());
    CHECK_FALSE(w.find<QPushButton>("welcomeDemoButton").isEnabled());
    CHECK_FALSE(w.actions().exportFigure->isEnabled());
    // No blank grey: every dock says what will be in it.
    for (const char* hint : {"sessionsEmpty", "textEmpty", "inspectorSubtitle"}) {
        CHECK(w.find<QLabel>(hint).isVisible());
    }
    CHECK_FALSE(w.find<QLineEdit>("tokenSearch").isEnabled());
    w.openSession();
    for (const char* hint : {"sessionsEmpty", "textEmpty"}) {
        CHECK_FALSE(w.find<QLabel>(hint).isVisible());
    }
}

TEST_CASE("MainWindow: the demo button opens the precomputed session", "[app][gui]") {
    const tests::SyntheticSession demo;
    InstallPaths paths;
    paths.demoSession = demo.path();
    WindowFixture w({}, paths);
    QTest::mouseClick(&w.find<QPushButton>("welcomeDemoButton"), Qt::LeftButton);
    REQUIRE(QTest::qWaitFor([&] { return w.workspace().current() != nullptr; }));
    CHECK(w.workspace().current()->path == SessionService::normalisedPath(demo.path()));
}

TEST_CASE("MainWindow: a session fills tree, figures, text and inspector", "[app][gui]") {
    WindowFixture w;
    w.openSession();
    CHECK(w.find<QStackedWidget>("centrePages").currentIndex() == 1);
    CHECK(w.find<QTreeView>("sessionsTree").model()->rowCount() == 1);
    REQUIRE(
        QTest::qWaitFor([&] { return w.find<FigureView>("textStripView").figure() != nullptr; }));
    CHECK(w.find<QTableView>("modelCardTable").model()->rowCount() > 5);
    // The first routed layer: layer 0 of the made-up model is dense.
    CHECK(w.selection().state().layer == LayerId{1});
    CHECK(w.settings().recentFiles().size() == 1);
}

TEST_CASE("MainWindow: every figure of the session draws", "[app][gui]") {
    WindowFixture w;
    w.openSession();
    auto& list = w.find<FigureList>("figureList");
    for (int i = 0; i < w.window().figures().panels().size(); ++i) {
        QTreeWidgetItem* item = list.itemOf(i);
        REQUIRE(item != nullptr);
        list.scrollToItem(item);
        QTest::mouseClick(list.viewport(), Qt::LeftButton, {}, list.visualItemRect(item).center());
        INFO(item->text(0).toStdString());
        if (w.window().figures().panels().at(i)->info().needsOther) {
            const auto* messages =
                w.panel().findChild<MessageBar*>(QStringLiteral("figureMessages"));
            REQUIRE(QTest::qWaitFor([&] { return messages->isVisible(); }));
            CHECK(messages->text().contains(QStringLiteral("Two sessions are compared")));
            continue;
        }
        w.waitFigure();
        CHECK(list.currentItem() == item);
        CHECK(std::string(w.panel().info().name) == w.figure()->name);
        CHECK_FALSE(w.panel().findChild<MessageBar*>()->isVisible());
    }
}

TEST_CASE("MainWindow: figures follow selected tokens, and one click takes it back", "[app][gui]") {
    WindowFixture w;
    w.openSession();
    w.showFigure("rank-counts");
    const FigurePointer all = w.figure();
    auto* bar = w.panel().findChild<MessageBar*>(QStringLiteral("selectedTokens"));
    REQUIRE(bar != nullptr);
    CHECK_FALSE(bar->isVisible());
    const auto waitFor = [&](const char* selection) {
        return QTest::qWaitFor([&] { return w.figure()->provenance.selection == selection; });
    };
    w.selection().selectToken(12);  // one token is no selection
    QTest::qWait(50);
    CHECK(w.figure() == all);
    w.selection().setTokens({{10, 12}});
    REQUIRE(waitFor("tokens 10 to 21"));
    CHECK(bar->isVisible());
    CHECK(bar->text().contains(QStringLiteral("12 of 60")));
    // A token among them is looked at without losing the others.
    w.selection().selectToken(15);
    CHECK(w.selection().currentToken() == 15U);
    QTest::qWait(50);
    CHECK(w.figure()->provenance.selection == "tokens 10 to 21");
    for (const char* name : {"chosen-experts", "norms-scores"}) {
        INFO(name);
        w.showFigure(name);
        if (w.panel().info().hasMean) {
            w.panel().findChild<QComboBox*>(QStringLiteral("tokensCombo"))->setCurrentIndex(1);
        }
        REQUIRE(waitFor("tokens 10 to 21"));
    }
    w.showFigure("rank-counts");
    REQUIRE(waitFor("tokens 10 to 21"));
    auto* back = bar->findChild<QPushButton*>();
    REQUIRE(back != nullptr);
    QTest::mouseClick(back, Qt::LeftButton);
    REQUIRE(waitFor(""));
    CHECK_FALSE(bar->isVisible());
    CHECK(w.selection().state().tokens.empty());
    w.selection().setTokens({{0, 60}});  // all tokens are no selection either
    QTest::qWait(50);
    CHECK(w.figure()->provenance.selection.empty());
}

TEST_CASE("MainWindow: a slider shows which experts would go", "[app][gui]") {
    SyntheticRun run;
    run.experiments = {"chosen_experts", "importance"};
    WindowFixture w(run);
    w.openWithoutFigure();
    w.showFigure("importance");
    auto* share = w.panel().findChild<QSlider*>(QStringLiteral("pruneShare"));
    auto* scope = w.panel().findChild<QComboBox*>(QStringLiteral("scopeCombo"));
    auto* bar = w.panel().findChild<MessageBar*>(QStringLiteral("figureMessages"));
    REQUIRE((share != nullptr && scope != nullptr && bar != nullptr));
    CHECK(w.figure()->prunes == nullptr);  // at 0 none goes
    share->setValue(4);                    // a quarter
    REQUIRE(QTest::qWaitFor([&] { return w.figure()->prunes != nullptr; }));
    CHECK(w.figure()->prunes->choice.share == 0.25);
    CHECK(bar->isVisible());  // the curves are of all layers, but any list can be measured
    CHECK(w.figure()->prunes->measurement == figures::PruneList::Measurement::List);
    scope->setCurrentIndex(1);
    REQUIRE(QTest::qWaitFor([&] { return w.figure()->prunes->layers.size() > 1; }));
    CHECK(w.figure()->prunes->removedCount() == 3 * 2);  // of 8 experts in 3 layers
    CHECK(bar->isVisible());
    CHECK(bar->text().contains(QStringLiteral("has not been measured")));
    CHECK(w.figure()->prunes->measurement == figures::PruneList::Measurement::Curves);
    auto* measure = w.panel().findChild<QComboBox*>(QStringLiteral("criterionCombo"));
    measure->setCurrentIndex(measure->findData(QStringLiteral("largest_output")));
    REQUIRE(QTest::qWaitFor([&] { return w.figure()->prunes->criterion->id == "largest_output"; }));
    CHECK(bar->isVisible());  // no curve is by this measure
    CHECK(w.figure()->prunes->measurement == figures::PruneList::Measurement::List);
    measure->setCurrentIndex(measure->findData(QStringLiteral("removal")));
    CHECK(QTest::qWaitFor(  // what is missing
        [&] { return bar->text().contains(QStringLiteral("expert_removal")); }));
}

TEST_CASE("MainWindow: a document is selected as a whole", "[app][gui]") {
    WindowFixture w;
    w.openSession();
    auto& button = w.find<QToolButton>("selectDocument");
    CHECK_FALSE(button.isEnabled());
    w.selection().selectToken(25);
    REQUIRE(QTest::qWaitFor([&] { return button.isEnabled(); }));
    QTest::mouseClick(&button, Qt::LeftButton);
    CHECK(w.selection().state().tokens == std::vector<TokenRange>{{20, 20}});
}

TEST_CASE("MainWindow: two sessions are compared", "[app][gui]") {
    const tests::SyntheticSession other({}, "instruct.h5");
    const tests::SyntheticSession deeper({.layers = 5}, "deeper.h5");
    WindowFixture w;
    w.window().openPaths({deeper.path()});
    REQUIRE(QTest::qWaitFor([&] { return w.workspace().sessions().sessions().size() == 1; }));
    w.window().openPaths({other.path()});
    REQUIRE(QTest::qWaitFor([&] { return w.workspace().sessions().sessions().size() == 2; }));
    w.openSession();
    REQUIRE(QTest::qWaitFor([&] { return w.workspace().sessions().sessions().size() == 3; }));
    w.showFigure("routing-comparison");
    auto* others = w.panel().findChild<QComboBox*>(QStringLiteral("otherCombo"));
    REQUIRE(others != nullptr);
    REQUIRE(others->count() == 2);
    // The one that fits stands first.
    CHECK(others->currentText().contains(QStringLiteral("instruct")));
    CHECK(std::get<figures::RoutingMapFigure>(w.figure()->body).beside != nullptr);
    w.selection().setLayer(LayerId{2});
    REQUIRE(QTest::qWaitFor([&] { return w.figure()->provenance.layer == LayerId{2}; }));
    others->setCurrentIndex(1);
    auto* messages = w.panel().findChild<MessageBar*>(QStringLiteral("figureMessages"));
    REQUIRE(QTest::qWaitFor([&] { return messages->isVisible(); }));
    CHECK(messages->text().contains(QStringLiteral("4 layers here and 5 there")));
    others->setCurrentIndex(0);
    w.waitFigure();
    CHECK_FALSE(messages->isVisible());
    w.workspace().sessions().close(w.workspace().sessions().findPath(other.path())->id);
    REQUIRE(QTest::qWaitFor([&] { return others->count() == 1; }));
    w.workspace().sessions().close(w.workspace().sessions().findPath(deeper.path())->id);
    REQUIRE(QTest::qWaitFor([&] { return w.figure() == nullptr && messages->isVisible(); }));
    CHECK(messages->text().contains(QStringLiteral("Two sessions are compared")));
}

TEST_CASE("MainWindow: a series of checkpoints in the order of the sessions", "[app][gui]") {
    const tests::SyntheticSession middle({}, "middle.h5");
    const tests::SyntheticSession last({}, "last.h5");
    const tests::SyntheticSession deeper({.layers = 5}, "deeper.h5");
    WindowFixture w;
    w.openSession();
    for (const auto* session : {&deeper, &middle, &last}) {
        const auto count = w.workspace().sessions().sessions().size();
        w.window().openPaths({session->path()});
        REQUIRE(QTest::qWaitFor(
            [&] { return w.workspace().sessions().sessions().size() == count + 1; }));
    }
    w.showFigure("router-saturation");
    const auto names = [&] {
        const FigurePointer figure = w.figure();
        const auto* chart = figure ? std::get_if<figures::LineChartFigure>(&figure->body) : nullptr;
        return chart == nullptr ? std::size_t{99} : chart->positionNames.size();
    };
    REQUIRE(QTest::qWaitFor([&] { return names() == 0; }));  // one other: lines over layers
    auto* series = w.panel().findChild<QToolButton*>(QStringLiteral("seriesButton"));
    REQUIRE(series != nullptr);
    const QList<QAction*> actions = series->menu()->actions();
    REQUIRE(actions.size() == 3);
    CHECK(actions[0]->isChecked());
    // What cannot be compared says why and cannot be chosen.
    CHECK_FALSE(actions[2]->isEnabled());
    CHECK(actions[2]->toolTip().contains(QStringLiteral("layers")));
    // The menu stays open for more.
    series->menu()->popup(QPoint(0, 0));
    QTest::mouseClick(series->menu(), Qt::LeftButton, {},
                      series->menu()->actionGeometry(actions[1]).center());
    CHECK(actions[1]->isChecked());
    CHECK(series->menu()->isVisible());
    series->menu()->close();
    REQUIRE(QTest::qWaitFor([&] { return names() == 2; }));
    CHECK(series->text().contains(QLatin1Char('2')));
    // Whichever session of the series is the current one.
    QList<int> order;
    for (const SessionSnapshot& session : w.panel().sessions()) {
        order.append(session->id);
    }
    CHECK(std::is_sorted(order.begin(), order.end()));
    actions[0]->setChecked(false);
    actions[1]->setChecked(false);
    auto* messages = w.panel().findChild<MessageBar*>(QStringLiteral("figureMessages"));
    REQUIRE(QTest::qWaitFor([&] { return messages->isVisible(); }));
}

TEST_CASE("MainWindow: headings of the figure list are stepped over", "[app][gui]") {
    WindowFixture w;
    w.openSession();
    auto& list = w.find<FigureList>("figureList");
    const int first = WindowFixture::indexOf("output-similarity");
    QTreeWidgetItem* heading = list.itemOf(first)->parent();
    list.scrollToItem(heading);
    QTest::mouseClick(list.viewport(), Qt::LeftButton, {}, list.visualItemRect(heading).center());
    REQUIRE(QTest::qWaitFor([&] { return list.currentItem() == list.itemOf(first); }));
    CHECK(w.window().figures().currentIndex() == first);
    QTest::keyClick(&list, Qt::Key_Up);
    REQUIRE(QTest::qWaitFor([&] { return list.currentItem() == list.itemOf(first - 1); }));
    QTest::keyClick(&list, Qt::Key_Down);
    REQUIRE(QTest::qWaitFor([&] { return list.currentItem() == list.itemOf(first); }));
}

TEST_CASE("MainWindow: one slider drives all figures, dense layers say so", "[app][gui]") {
    WindowFixture w;
    w.openSession();
    auto& slider = w.find<QSlider>("layerSlider");
    const auto layerOfFigure = [&] { return w.figure()->provenance.layer; };
    slider.setValue(3);
    REQUIRE(QTest::qWaitFor([&] { return layerOfFigure() == LayerId{3}; }));
    const auto& strip = w.find<FigureView>("textStripView");
    REQUIRE(QTest::qWaitFor([&] { return strip.figure()->provenance.layer == LayerId{3}; }));
    slider.setValue(0);
    CHECK(w.find<QLabel>("layerNote").text().contains(QStringLiteral("dense")));
    REQUIRE(QTest::qWaitFor(
        [&] { return std::holds_alternative<figures::NoticeFigure>(w.figure()->body); }));
    w.key(Qt::Key_BracketRight);
    CHECK(w.selection().state().layer == LayerId{1});
    w.key(Qt::Key_BracketLeft);
    CHECK(w.selection().state().layer == LayerId{1});
}

TEST_CASE("MainWindow: keys step layers, tokens and figures", "[app][gui]") {
    WindowFixture w;
    w.openSession();
    w.window().setFocus();
    w.key(Qt::Key_Up);
    CHECK(w.selection().state().layer == LayerId{2});
    w.key(Qt::Key_Down);
    CHECK(w.selection().state().layer == LayerId{1});
    w.key(Qt::Key_Right);
    CHECK(w.selection().currentToken() == 0U);
    w.key(Qt::Key_Right);
    CHECK(w.selection().currentToken() == 1U);
    w.key(Qt::Key_Escape);
    CHECK_FALSE(w.selection().currentToken().has_value());
    const int rankCounts = WindowFixture::indexOf("rank-counts");
    w.key(
        static_cast<Qt::Key>(Qt::Key_0 + figures::figureKey(*figures::findFigure("rank-counts"))));
    CHECK(std::string(w.panel().info().name) == "rank-counts");
    const auto& list = w.find<FigureList>("figureList");
    CHECK(list.currentItem() == list.itemOf(rankCounts));
    w.key(Qt::Key_Space);
    CHECK(w.find<LayerBar>("layerBar").isPlaying());
    REQUIRE(QTest::qWaitFor([&] { return !w.find<LayerBar>("layerBar").isPlaying(); }, 5000));
    CHECK(w.selection().state().layer == LayerId{3});
}

TEST_CASE("MainWindow: digits typed into the search field are text", "[app][gui]") {
    WindowFixture w;
    w.openSession();
    const int before = w.window().figures().currentIndex();
    w.actions().find->trigger();
    auto& search = w.find<QLineEdit>("tokenSearch");
    REQUIRE(search.hasFocus());
    QTest::keyClicks(&search, QStringLiteral("6 ["));
    CHECK(search.text() == QStringLiteral("6 ["));
    CHECK(w.window().figures().currentIndex() == before);
}

TEST_CASE("MainWindow: search finds tokens and selects them everywhere", "[app][gui]") {
    WindowFixture w;
    w.openSession();
    w.actions().find->trigger();
    auto& search = w.find<QLineEdit>("tokenSearch");
    QTest::keyClicks(&search, QStringLiteral("router"));
    REQUIRE(QTest::qWaitFor([&] { return w.selection().currentToken().has_value(); }));
    const std::uint64_t first = *w.selection().currentToken();
    CHECK(w.workspace().current()->head().corpus.tokenBytes[first] == " router");
    CHECK(w.find<QLabel>("breadcrumb").text().contains(QStringLiteral("router")));
    QTest::keyClick(&search, Qt::Key_Return);
    REQUIRE(QTest::qWaitFor([&] { return w.selection().currentToken() != first; }));
    QTest::keyClick(&search, Qt::Key_Return, Qt::ShiftModifier);
    REQUIRE(QTest::qWaitFor([&] { return w.selection().currentToken() == first; }));
    search.clear();
    QTest::keyClicks(&search, QStringLiteral("nowhere to be found"));
    REQUIRE(QTest::qWaitFor([&] { return !w.find<QLabel>("searchResult").text().isEmpty(); }));
}

TEST_CASE("MainWindow: the inspector follows what was selected last", "[app][gui]") {
    WindowFixture w;
    w.openSession();
    auto& title = w.find<QLabel>("inspectorTitle");
    w.selection().selectToken(5);
    auto& path = w.find<QTableView>("tokenPathTable");
    REQUIRE(QTest::qWaitFor([&] { return path.isVisible() && path.model()->rowCount() == 3; }));
    CHECK(title.text().startsWith(QStringLiteral("Token 5")));
    // A click on a choice goes to its layer and expert.
    const QModelIndex choice = path.model()->index(2, 1);
    QTest::mouseClick(path.viewport(), Qt::LeftButton, {}, path.visualRect(choice).center());
    CHECK(w.selection().state().layer == LayerId{3});
    REQUIRE(w.selection().state().experts.size() == 1);
    CHECK(title.text() == QStringLiteral("Expert %1").arg(w.selection().state().experts.front()));
    auto& tokens = w.find<QTableView>("expertTokensTable");
    REQUIRE(QTest::qWaitFor([&] { return tokens.isVisible() && tokens.model()->rowCount() > 0; }));
    w.selection().setPair(PairSelection{QStringLiteral("2"), QStringLiteral("F")});
    auto& pair = w.find<QTableView>("pairTable");
    REQUIRE(QTest::qWaitFor([&] { return pair.isVisible() && pair.model()->rowCount() == 3; }));
    CHECK(w.find<QLabel>("breadcrumb").text().contains(QStringLiteral("pair 2 / F")));
}

TEST_CASE("MainWindow: a click into a heat map selects the pair", "[app][gui]") {
    WindowFixture w;
    w.openSession();
    w.showFigure("weight-similarity");
    FigureView& view = w.panel().view();
    const QSize size = view.viewport()->size();
    for (int y = 0; y < size.height() && !w.selection().state().pair; y += 7) {
        for (int x = 0; x < size.width() && !w.selection().state().pair; x += 7) {
            if (view.hitAt(QPointF(x, y)).row) {
                QTest::mouseClick(view.viewport(), Qt::LeftButton, {}, QPoint(x, y));
            }
        }
    }
    REQUIRE(w.selection().state().pair.has_value());
    CHECK(w.selection().state().focus == Focus::Pair);
}

TEST_CASE("MainWindow: layout comes back, the default can be restored", "[app][gui]") {
    WindowFixture w;
    w.openSession();
    w.find<QDockWidget>("inspectorDock").hide();
    w.window().addDockWidget(Qt::RightDockWidgetArea, &w.find<QDockWidget>("textDock"));
    w.restart();
    CHECK_FALSE(w.find<QDockWidget>("inspectorDock").isVisible());
    CHECK(w.window().dockWidgetArea(&w.find<QDockWidget>("textDock")) == Qt::RightDockWidgetArea);
    w.actions().restoreLayout->trigger();
    CHECK(w.find<QDockWidget>("inspectorDock").isVisible());
    CHECK(w.window().dockWidgetArea(&w.find<QDockWidget>("textDock")) == Qt::BottomDockWidgetArea);
}

TEST_CASE("MainWindow: a dropped session opens, other files are refused", "[app][gui]") {
    WindowFixture w;
    QMimeData mime;
    const auto drag = [&](const QString& path) {
        mime.setUrls({QUrl::fromLocalFile(path)});
        QDragEnterEvent enter(QPoint(50, 50), Qt::CopyAction, &mime, Qt::LeftButton, {});
        QApplication::sendEvent(&w.window(), &enter);
        return enter.isAccepted();
    };
    CHECK_FALSE(drag(QStringLiteral("/etc/hostname")));
    CHECK_FALSE(w.find<QWidget>("dropOverlay").isVisible());
    REQUIRE(drag(w.session().path()));
    CHECK(w.find<QWidget>("dropOverlay").isVisible());
    QDropEvent drop(QPointF(50, 50), Qt::CopyAction, &mime, Qt::LeftButton, {});
    QApplication::sendEvent(&w.window(), &drop);
    CHECK_FALSE(w.find<QWidget>("dropOverlay").isVisible());
    REQUIRE(QTest::qWaitFor([&] { return w.workspace().current() != nullptr; }));
}

TEST_CASE("MainWindow: a bad session gives a message inside the window", "[app][gui]") {
    WindowFixture w;
    const QString bad = QString::fromStdString((w.session().folder() / "bad.h5").string());
    QFile file(bad);
    REQUIRE(file.open(QIODevice::WriteOnly));
    file.write("not a session");
    file.close();
    w.window().openPaths({bad});
    auto& bar = w.find<MessageBar>("messageBar");
    REQUIRE(QTest::qWaitFor([&] { return bar.isVisible(); }));
    CHECK(bar.kind() == MessageBar::Kind::Error);
    CHECK(bar.text().contains(QStringLiteral("bad.h5")));
    CHECK(QApplication::activeModalWidget() == nullptr);
    QTest::mouseClick(bar.findChild<QWidget*>(QStringLiteral("messageCloseButton")),
                      Qt::LeftButton);
    CHECK_FALSE(bar.isVisible());
}

TEST_CASE("MainWindow: every file that does not open is named", "[app][gui]") {
    WindowFixture w;
    const auto bad = [&](const char* name) {
        const QString path = QString::fromStdString((w.session().folder() / name).string());
        QFile file(path);
        REQUIRE(file.open(QIODevice::WriteOnly));
        file.write("not a session");
        return path;
    };
    auto& bar = w.find<MessageBar>("messageBar");
    const auto mentions = [&](const char* name) {
        return bar.text().contains(QLatin1String(name));
    };
    w.window().openPaths({bad("one.h5"), w.session().path(), bad("two.h5")});
    REQUIRE(QTest::qWaitFor([&] { return mentions("one.h5") && mentions("two.h5"); }));
    REQUIRE(QTest::qWaitFor([&] { return w.workspace().current() != nullptr; }));
    CHECK(bar.isVisible());
    // What was said before does not stand beside what is opened next.
    w.window().openPaths({bad("a.h5"), bad("b.h5"), bad("c.h5"), bad("d.h5"), bad("e.h5")});
    auto& details = *bar.findChild<QPlainTextEdit*>(QStringLiteral("messageDetails"));
    REQUIRE(
        QTest::qWaitFor([&] { return details.toPlainText().contains(QStringLiteral("e.h5")); }));
    CHECK_FALSE(mentions("one.h5"));
    CHECK(mentions("a.h5"));
    CHECK(bar.text().contains(QStringLiteral("2 more")));
}

TEST_CASE("MainWindow: two sessions of one model are told apart everywhere", "[app][gui]") {
    WindowFixture w;
    w.openSession();
    const tests::SyntheticSession other({}, "later.h5");
    w.window().openPaths({other.path()});
    REQUIRE(QTest::qWaitFor([&] { return w.workspace().sessions().sessions().size() == 2; }));
    const QAbstractItemModel* tree = w.find<QTreeView>("sessionsTree").model();
    CHECK(tree->index(0, 0).data().toString() == QStringLiteral("synthetic-moe \u00B7 run"));
    CHECK(tree->index(1, 0).data().toString() == QStringLiteral("synthetic-moe \u00B7 later"));
    CHECK(w.window().windowTitle().contains(QStringLiteral("later")));
    CHECK(w.find<QLabel>("breadcrumb").text().contains(QStringLiteral("later")));
}

TEST_CASE("MainWindow: a dropped checkpoint folder begins a new analysis", "[app][gui]") {
    WindowFixture w;
    const auto folder = w.session().folder() / "model";
    std::filesystem::create_directory(folder);
    QFile config(QString::fromStdString((folder / "config.json").string()));
    REQUIRE(config.open(QIODevice::WriteOnly));
    config.write("{}");
    config.close();
    QMimeData mime;
    mime.setUrls({QUrl::fromLocalFile(QString::fromStdString(folder.string()))});
    QDragEnterEvent enter(QPoint(50, 50), Qt::CopyAction, &mime, Qt::LeftButton, {});
    QApplication::sendEvent(&w.window(), &enter);
    REQUIRE(enter.isAccepted());
    QDropEvent drop(QPointF(50, 50), Qt::CopyAction, &mime, Qt::LeftButton, {});
    QApplication::sendEvent(&w.window(), &drop);
    const auto& dialog = w.find<NewAnalysisDialog>("newAnalysisDialog");
    CHECK(dialog.isVisible());
    CHECK(dialog.request().checkpoint == QString::fromStdString(folder.string()));
}

TEST_CASE("MainWindow: what the program can open is known by its name", "[app][gui]") {
    const QTemporaryDir root;
    const QDir folder(root.path());
    for (const char* name : {"hub", "gguf", "models", "models/one", "empty"}) {
        REQUIRE(folder.mkpath(QString::fromUtf8(name)));
    }
    for (const char* name : {"hub/config.json", "gguf/a-00001-of-00002.gguf", "models/one/b.gguf",
                             "c.gguf", "run.h5", "notes.txt"}) {
        REQUIRE(QFile(folder.filePath(QString::fromUtf8(name))).open(QIODevice::WriteOnly));
    }
    const auto kind = [&](const char* name) {
        return kindOfPath(folder.filePath(QString::fromUtf8(name)));
    };
    for (const char* name : {"hub", "gguf", "models", "c.gguf"}) {
        CAPTURE(name);
        CHECK(kind(name) == DropKind::Checkpoint);
    }
    CHECK(kind("run.h5") == DropKind::Session);
    for (const char* name : {"empty", "notes.txt", "absent.gguf"}) {
        CAPTURE(name);
        CHECK(kind(name) == DropKind::Nothing);
    }
}

TEST_CASE("MainWindow: recent files open again and the list can be cleared", "[app][gui]") {
    WindowFixture w;
    w.openSession();
    w.actions().closeSession->trigger();
    REQUIRE(w.workspace().current() == nullptr);
    const QList<QAction*> entries = w.actions().recent->actions();
    REQUIRE(entries.size() >= 3);  // the file, a separator, "Clear the list"
    CHECK(entries.first()->text().contains(QStringLiteral("run.h5")));
    entries.first()->trigger();
    REQUIRE(QTest::qWaitFor([&] { return w.workspace().current() != nullptr; }));
    w.find<QAction>("clearRecentAction").trigger();
    CHECK(w.settings().recentFiles().isEmpty());
}

TEST_CASE("MainWindow: a click in the routing map or the text selects token and expert",
          "[app][gui]") {
    WindowFixture w;
    w.openSession();
    const auto clickFirst = [&](FigureView& view, auto wanted) {
        const QSize size = view.viewport()->size();
        for (int y = 2; y < size.height(); y += 5) {
            for (int x = 2; x < size.width(); x += 5) {
                const figures::Hit hit = view.hitAt(QPointF(x, y));
                if (wanted(hit)) {
                    QTest::mouseMove(view.viewport(), QPoint(x, y));
                    QTest::mouseClick(view.viewport(), Qt::LeftButton, {}, QPoint(x, y));
                    return hit;
                }
            }
        }
        FAIL("nothing to click");
        return figures::Hit{};
    };
    w.showFigure("chosen-experts");
    REQUIRE(w.figure()->name == "chosen-experts");
    const figures::Hit cell = clickFirst(
        w.panel().view(), [](const figures::Hit& hit) { return hit.token == 9U && hit.expert; });
    CHECK(w.selection().currentToken() == 9U);
    CHECK(w.selection().state().experts == std::vector<int>{*cell.expert});
    auto& readOut = *w.panel().findChild<QLabel*>(QStringLiteral("readOut"));
    CHECK(readOut.text().contains(QStringLiteral("token 9")));
    // The strip below shows the same text: a click there selects the token in every view.
    auto& strip = w.find<FigureView>("textStripView");
    REQUIRE(QTest::qWaitFor([&] { return strip.figure() != nullptr; }));
    clickFirst(strip, [](const figures::Hit& hit) { return hit.token == 4U; });
    CHECK(w.selection().currentToken() == 4U);
    clickFirst(strip, [](const figures::Hit& hit) { return !hit.token && hit.expert == 5; });
    CHECK(w.selection().state().experts == std::vector<int>{5});
    CHECK(w.find<QLabel>("inspectorTitle").text() == QStringLiteral("Expert 5"));
}

TEST_CASE("MainWindow: what is not in the session is offered to be run", "[app][gui]") {
    SyntheticRun run;
    run.experiments = {"chosen_experts"};
    WindowFixture w(run);
    w.openWithoutFigure();
    w.window().figures().setCurrent(0);
    auto* bar = w.panel().findChild<MessageBar*>();
    REQUIRE(QTest::qWaitFor([&] { return bar->isVisible(); }));
    CHECK(bar->text().contains(QStringLiteral("Not in this session")));
    // The made-up session names no command line: the dialog asks for what is missing.
    QTest::mouseClick(bar->findChild<QWidget*>(QStringLiteral("messageActionButton")),
                      Qt::LeftButton);
    CHECK(w.window().findChild<QWidget*>(QStringLiteral("newAnalysisDialog")) != nullptr);
}

TEST_CASE("MainWindow: the palette runs any command", "[app][gui]") {
    WindowFixture w;
    w.openSession();
    w.actions().palette->trigger();
    auto& search = w.find<QLineEdit>("commandSearch");
    QTest::keyClicks(&search, QStringLiteral("tiles"));
    QTest::keyClick(&search, Qt::Key_Return);
    REQUIRE(QTest::qWaitFor([&] { return w.window().figures().isTiled(); }));
    CHECK_FALSE(w.find<QWidget>("commandPalette").isVisible());
}

TEST_CASE("MainWindow: every control can be found by a screen reader", "[app][gui]") {
    WindowFixture w;
    w.openSession();
    const QList<QWidget*> widgets = w.window().findChildren<QWidget*>();
    for (const QWidget* widget : widgets) {
        const bool isButton = qobject_cast<const QAbstractButton*>(widget) != nullptr;
        const bool own = !widget->objectName().startsWith(QLatin1String("qt_"));
        if (isButton && own && widget->isVisible()) {
            const auto* button = qobject_cast<const QAbstractButton*>(widget);
            INFO(widget->objectName().toStdString() << " " << widget->metaObject()->className());
            CHECK_FALSE((button->text().isEmpty() && button->accessibleName().isEmpty() &&
                         button->toolTip().isEmpty()));
        }
    }
}

TEST_CASE("MainWindow: F1 opens the help at the figure shown", "[app][gui]") {
    WindowFixture w;
    w.actions().help->trigger();
    auto& page = w.find<QTextBrowser>("helpPage");
    CHECK(page.toPlainText().contains(QStringLiteral("Making a session")));
    w.openSession();
    w.showFigure("rank-counts");
    w.actions().help->trigger();
    CHECK(page.toPlainText().startsWith(QStringLiteral("B3 Rank counts")));
    CHECK(page.toHtml().contains(QStringLiteral("https://arxiv.org/abs/2406.18219")));
    auto& topics = w.find<QListWidget>("helpTopics");
    QTest::mouseClick(topics.viewport(), Qt::LeftButton, {},
                      topics.visualItemRect(topics.item(1)).center());
    CHECK(page.toPlainText().startsWith(QStringLiteral("A1 Weight similarity")));
}

TEST_CASE("Help: every experiment has its formula, every figure its topic", "[app][gui]") {
    const QList<HelpTopic> topics = helpTopics({});
    const auto has = [&](const QString& id) {
        return std::any_of(topics.begin(), topics.end(),
                           [&](const HelpTopic& topic) { return topic.id == id; });
    };
    for (const experiments::ExperimentInfo& info : experiments::catalogue()) {
        INFO(info.id);
        CHECK_FALSE(info.source.empty());
        CHECK_FALSE(
            resourceText(
                QStringLiteral(":/help/%1.html").arg(QString::fromStdString(std::string(info.id))))
                .isEmpty());
    }
    for (const figures::FigureInfo& figure : figures::figureCatalogue()) {
        INFO(figure.name);
        CHECK(has(helpTopicOf(figure)));
    }
    CHECK(helpTopicOf(*figures::findFigure("reproduction")) == QStringLiteral("reproduction"));
}
