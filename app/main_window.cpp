// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/main_window.h"

#include "app/analysis_starter.h"
#include "app/recent_menu.h"
#include "app/window_actions.h"
#include "core/base/version.h"
#include "core/figures/figure_keys.h"
#include "widgets/figures/figure_view.h"
#include "widgets/panels/breadcrumb.h"
#include "widgets/panels/command_palette.h"
#include "widgets/panels/drop_overlay.h"
#include "widgets/panels/export_dialog.h"
#include "widgets/panels/figure_list.h"
#include "widgets/panels/figure_panel.h"
#include "widgets/panels/figures_area.h"
#include "widgets/panels/help_window.h"
#include "widgets/panels/icons.h"
#include "widgets/panels/inspector_panel.h"
#include "widgets/panels/layer_bar.h"
#include "widgets/panels/message_bar.h"
#include "widgets/panels/sessions_panel.h"
#include "widgets/panels/task_area.h"
#include "widgets/panels/text_strip_panel.h"
#include "widgets/panels/welcome_page.h"
#include "widgets/state/selection_history.h"

#include <QAction>
#include <QCloseEvent>
#include <QDockWidget>
#include <QFileDialog>
#include <QFileInfo>
#include <QKeyEvent>
#include <QMenu>
#include <QMessageBox>
#include <QScreen>
#include <QStackedWidget>
#include <QStatusBar>
#include <QTimer>
#include <QToolBar>
#include <QVBoxLayout>

#include <algorithm>

namespace moescope::app {

using widgets::ColourScheme;
using widgets::FigurePanel;
using widgets::RunController;
using widgets::Settings;

namespace {

constexpr int kFontStep = 10;
constexpr int kSessionsWidth = 280;
constexpr int kInspectorWidth = 320;
constexpr int kTextHeight = 180;
constexpr int kDockTitle = 28;
const QSize kFirstSize(1360, 860);
const QSize kFrameRoom(16, 48);  // what the window manager's frame takes
const QSize kMinimumDock(180, 96);

}  // namespace

MainWindow::MainWindow(widgets::Workspace& workspace)
    : m_workspace(workspace),
      m_actions(new WindowActions(*this)),
      m_history(new widgets::SelectionHistory(workspace.selection(), this)) {
    setObjectName(QStringLiteral("mainWindow"));
    setWindowIcon(widgets::programIcon());
    setDockOptions(QMainWindow::AnimatedDocks | QMainWindow::AllowTabbedDocks |
                   QMainWindow::AllowNestedDocks);
    setFocusPolicy(Qt::ClickFocus);
    setCorner(Qt::BottomLeftCorner, Qt::LeftDockWidgetArea);
    buildCentre();
    buildToolBar();
    buildDocks();
    m_palette = new widgets::CommandPalette(this);
    m_analysis = new AnalysisStarter(m_workspace, *m_messages, *this);
    statusBar()->addPermanentWidget(new widgets::TaskArea(m_workspace.run(), this));
    connectFile();
    connectEdit();
    connectView();
    connectLook();
    connectAnalysis();
    connectHelp();
    connect(&m_workspace, &widgets::Workspace::currentChanged, this, &MainWindow::takeCurrent);
    takeCurrent();
    restoreSavedLayout();
}

MainWindow::~MainWindow() = default;

void MainWindow::buildCentre() {
    auto* centre = new QWidget(this);
    m_messages = new widgets::MessageBar(centre);
    m_pages = new QStackedWidget(centre);
    m_pages->setObjectName(QStringLiteral("centrePages"));
    m_welcome = new widgets::WelcomePage(m_workspace, m_pages);
    auto* work = new QWidget(m_pages);
    m_layers = new widgets::LayerBar(m_workspace, work);
    m_figures = new widgets::FiguresArea(m_workspace, work);
    auto* workColumn = new QVBoxLayout(work);
    workColumn->setContentsMargins(0, 0, 0, 0);
    workColumn->setSpacing(0);
    workColumn->addWidget(m_layers);
    workColumn->addWidget(m_figures, 1);
    m_pages->addWidget(m_welcome);
    m_pages->addWidget(work);
    auto* column = new QVBoxLayout(centre);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(m_messages);
    column->addWidget(m_pages, 1);
    setCentralWidget(centre);
}

void MainWindow::buildToolBar() {
    QToolBar* bar = addToolBar(tr("Tools"));
    bar->setObjectName(QStringLiteral("toolBar"));
    bar->setMovable(false);
    bar->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    bar->setIconSize(QSize(18, 18));
    m_actions->open->setIconText(tr("Open"));
    m_actions->newAnalysis->setIconText(tr("New analysis"));
    m_actions->exportFigure->setIconText(tr("Export"));
    m_actions->copyFigure->setIconText(tr("Copy"));
    m_actions->tiles->setIconText(tr("Tiles"));
    bar->addActions({m_actions->open, m_actions->newAnalysis});
    bar->addSeparator();
    bar->addActions({m_actions->exportFigure, m_actions->copyFigure, m_actions->tiles});
    bar->addSeparator();
    m_actions->back->setIconText(QStringLiteral("\u2190"));
    m_actions->forward->setIconText(QStringLiteral("\u2192"));
    bar->addActions({m_actions->back, m_actions->forward});
    auto* breadcrumb = new widgets::Breadcrumb(m_workspace, bar);
    breadcrumb->setContentsMargins(8, 0, 8, 0);
    breadcrumb->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
    bar->addWidget(breadcrumb);
}

QDockWidget* MainWindow::addDock(const QString& name, const QString& title, QWidget* content,
                                 Qt::DockWidgetArea area) {
    auto* dock = new QDockWidget(title, this);
    dock->setObjectName(name);
    dock->setWidget(content);
    dock->setAllowedAreas(Qt::AllDockWidgetAreas);
    content->setMinimumSize(kMinimumDock);
    addDockWidget(area, dock);
    m_actions->panels->addAction(dock->toggleViewAction());
    return dock;
}

void MainWindow::buildDocks() {
    auto* sessions = new widgets::SessionsPanel(m_workspace, this);
    m_figureList = new widgets::FigureList(m_workspace, this);
    m_text = new widgets::TextStripPanel(m_workspace, this);
    auto* inspector = new widgets::InspectorPanel(m_workspace, this);
    m_sessionsDock =
        addDock(QStringLiteral("sessionsDock"), tr("Sessions"), sessions, Qt::LeftDockWidgetArea);
    m_figuresDock =
        addDock(QStringLiteral("figuresDock"), tr("Figures"), m_figureList, Qt::LeftDockWidgetArea);
    m_inspectorDock = addDock(QStringLiteral("inspectorDock"), tr("Inspector"), inspector,
                              Qt::RightDockWidgetArea);
    m_textDock = addDock(QStringLiteral("textDock"), tr("Text"), m_text, Qt::BottomDockWidgetArea);
    connect(m_figureList, &widgets::FigureList::chosen, m_figures,
            &widgets::FiguresArea::setCurrent);
    connect(m_figures, &widgets::FiguresArea::currentChanged, m_figureList,
            &widgets::FigureList::setCurrent);
    connect(inspector, &widgets::InspectorPanel::cardRequested, this, &MainWindow::showCard);
    connect(sessions, &widgets::SessionsPanel::figureRequested, this, &MainWindow::showFigureOf);
    connect(sessions, &widgets::SessionsPanel::runRequested, this,
            [this](int session, const QStringList& experiments) {
                m_analysis->addToSession(session, experiments);
            });
}

void MainWindow::connectFile() {
    auto* recent = new RecentMenu(*m_actions->recent, m_workspace.settings(), this);
    connect(recent, &RecentMenu::chosen, this, [this](const QString& path) { openPaths({path}); });
    connect(m_actions->open, &QAction::triggered, this, &MainWindow::askOpen);
    connect(m_actions->demo, &QAction::triggered, this, &MainWindow::openDemo);
    connect(m_actions->exportFigure, &QAction::triggered, this, &MainWindow::showExport);
    connect(m_actions->closeSession, &QAction::triggered, this, [this] {
        if (const auto session = m_workspace.current()) {
            m_workspace.sessions().close(session->id);
        }
    });
    connect(m_actions->quit, &QAction::triggered, this, &QWidget::close);
    connect(m_welcome, &widgets::WelcomePage::demoRequested, this, &MainWindow::openDemo);
    connect(m_welcome, &widgets::WelcomePage::openRequested, this, &MainWindow::askOpen);
    connect(m_welcome, &widgets::WelcomePage::recentChosen, this,
            [this](const QString& path) { openPaths({path}); });
    auto* drop = new widgets::DropOverlay(*this);
    connect(drop, &widgets::DropOverlay::sessionsDropped, this, &MainWindow::openPaths);
    connect(drop, &widgets::DropOverlay::checkpointDropped, this,
            [this](const QString& path) { m_analysis->openDialog(path); });
}

void MainWindow::connectEdit() {
    connect(m_actions->copyFigure, &QAction::triggered, this, [this] {
        if (FigurePanel* panel = m_figures->current(); panel != nullptr && panel->figure()) {
            panel->view().copyToClipboard();
            statusBar()->showMessage(tr("Figure copied: PNG, SVG and CSV"), 4000);
        }
    });
    connect(m_actions->find, &QAction::triggered, this, [this] {
        m_textDock->show();
        m_textDock->raise();
        m_text->startSearch();
    });
    connect(m_actions->findNext, &QAction::triggered, m_text, [this] { m_text->findNext(+1); });
    connect(m_actions->findPrevious, &QAction::triggered, m_text, [this] { m_text->findNext(-1); });
    widgets::Selection& selection = m_workspace.selection();
    connect(m_actions->nextToken, &QAction::triggered, &selection,
            [&selection] { selection.stepToken(+1); });
    connect(m_actions->previousToken, &QAction::triggered, &selection,
            [&selection] { selection.stepToken(-1); });
    const auto stepRise = [this](int direction) {
        if (FigurePanel* panel = m_figures->current()) {
            panel->stepRise(direction);
        }
    };
    connect(m_actions->nextRise, &QAction::triggered, this, [stepRise] { stepRise(+1); });
    connect(m_actions->previousRise, &QAction::triggered, this, [stepRise] { stepRise(-1); });
    connect(m_actions->nextOfExpert, &QAction::triggered, m_text,
            [this] { m_text->findNextOfExpert(+1); });
    connect(m_actions->previousOfExpert, &QAction::triggered, m_text,
            [this] { m_text->findNextOfExpert(-1); });
    connect(m_actions->selectDocument, &QAction::triggered, m_text,
            &widgets::TextStripPanel::selectDocument);
    connect(m_actions->selectDomain, &QAction::triggered, m_text,
            &widgets::TextStripPanel::selectDomain);
    connect(m_actions->clearSelection, &QAction::triggered, &selection, &widgets::Selection::clear);
}

void MainWindow::connectView() {
    int number = 0;
    for (FigurePanel* panel : m_figures->panels()) {
        const std::string_view title = panel->info().title;
        QAction* action = m_actions->addFigure(
            QString::fromUtf8(title.data(), static_cast<qsizetype>(title.size())), ++number,
            figures::figureKey(panel->info()));
        connect(action, &QAction::triggered, m_figures,
                [this, number] { m_figures->setCurrent(number - 1); });
    }
    connect(m_actions->expertCard, &QAction::triggered, this, &MainWindow::showCard);
    connect(m_figures, &widgets::FiguresArea::cardRequested, this, &MainWindow::showCard);
    connect(m_text, &widgets::TextStripPanel::cardRequested, this, &MainWindow::showCard);
    connect(m_actions->back, &QAction::triggered, m_history, &widgets::SelectionHistory::back);
    connect(m_actions->forward, &QAction::triggered, m_history,
            &widgets::SelectionHistory::forward);
    const auto follow = [this] {
        m_actions->back->setEnabled(m_history->canGoBack());
        m_actions->forward->setEnabled(m_history->canGoForward());
    };
    connect(m_history, &widgets::SelectionHistory::changed, this, follow);
    follow();
    connect(m_actions->tiles, &QAction::toggled, m_figures, &widgets::FiguresArea::setTiled);
    connect(m_actions->nextLayer, &QAction::triggered, m_layers, [this] { m_layers->step(+1); });
    connect(m_actions->previousLayer, &QAction::triggered, m_layers,
            [this] { m_layers->step(-1); });
    connect(m_actions->play, &QAction::triggered, m_layers,
            [this] { m_layers->setPlaying(!m_layers->isPlaying()); });
    connect(m_actions->restoreLayout, &QAction::triggered, this, &MainWindow::restoreDefaultLayout);
    connect(m_actions->fullScreen, &QAction::toggled, this,
            [this](bool on) { on ? showFullScreen() : showNormal(); });
}

void MainWindow::connectLook() {
    Settings& settings = m_workspace.settings();
    const auto choose = [&settings](QAction* action, ColourScheme scheme) {
        action->setChecked(settings.colourScheme() == scheme);
        connect(action, &QAction::triggered, &settings,
                [&settings, scheme] { settings.setColourScheme(scheme); });
    };
    choose(m_actions->systemColours, ColourScheme::System);
    choose(m_actions->lightColours, ColourScheme::Light);
    choose(m_actions->darkColours, ColourScheme::Dark);
    connect(m_actions->largerText, &QAction::triggered, &settings,
            [&settings] { settings.setFontScale(settings.fontScale() + kFontStep); });
    connect(m_actions->smallerText, &QAction::triggered, &settings,
            [&settings] { settings.setFontScale(settings.fontScale() - kFontStep); });
    connect(m_actions->normalText, &QAction::triggered, &settings,
            [&settings] { settings.setFontScale(100); });
}

void MainWindow::connectAnalysis() {
    RunController& run = m_workspace.run();
    connect(m_actions->newAnalysis, &QAction::triggered, this,
            [this] { m_analysis->openDialog(); });
    connect(m_welcome, &widgets::WelcomePage::analysisRequested, m_actions->newAnalysis,
            &QAction::trigger);
    connect(m_actions->runMissing, &QAction::triggered, m_analysis, &AnalysisStarter::addMissing);
    connect(m_actions->rerunDemo, &QAction::triggered, m_analysis, &AnalysisStarter::rerunDemo);
    m_actions->rerunDemo->setEnabled(!m_workspace.paths().demoModel.isEmpty());
    m_actions->demo->setEnabled(!m_workspace.paths().demoSession.isEmpty() ||
                                !m_workspace.paths().demoModel.isEmpty());
    connect(m_actions->cancelRun, &QAction::triggered, &run, &RunController::cancel);
    const auto follow = [this, &run] {
        m_actions->cancelRun->setEnabled(run.isRunning());
        if (m_closing && !run.isRunning()) {
            QTimer::singleShot(0, this, &QWidget::close);
        }
    };
    connect(&run, &RunController::progressed, this, follow);
    connect(&run, &RunController::finished, this, follow);
    connect(&run, &RunController::cancelled, this, follow);
    connect(&run, &RunController::failed, this, follow);
    connect(m_figures, &widgets::FiguresArea::openRequested, this, &MainWindow::askOpen);
    connect(m_figures, &widgets::FiguresArea::runRequested, this,
            [this](const QString& experiment) {
                if (const auto session = m_workspace.current()) {
                    m_analysis->addToSession(session->id, {experiment});
                }
            });
    connect(m_figures, &widgets::FiguresArea::listRequested, this,
            [this](const widgets::FigurePointer& figure) {
                if (const auto session = m_workspace.current()) {
                    m_analysis->measureList(session->id, *figure);
                }
            });
}

void MainWindow::connectHelp() {
    connect(m_actions->palette, &QAction::triggered, this,
            [this] { m_palette->open(m_actions->commands()); });
    connect(m_actions->help, &QAction::triggered, this, [this] {
        if (m_help == nullptr) {
            m_help = new widgets::HelpWindow(m_actions->commands(), this);
        }
        const FigurePanel* panel = m_workspace.current() ? m_figures->current() : nullptr;
        m_help->showTopic(panel != nullptr ? widgets::helpTopicOf(panel->info()) : QString());
        m_help->show();
        m_help->raise();
    });
    connect(m_actions->about, &QAction::triggered, this, &MainWindow::showAbout);
}

void MainWindow::takeCurrent() {
    const widgets::SessionSnapshot session = m_workspace.current();
    m_pages->setCurrentIndex(session ? 1 : 0);
    setWindowTitle(session ? tr("%1 - Moescope").arg(session->title) : tr("Moescope"));
    setWindowFilePath(session ? session->path : QString());
    for (QAction* action : {m_actions->exportFigure, m_actions->copyFigure,
                            m_actions->closeSession, m_actions->find,
                            m_actions->findNext,     m_actions->findPrevious,
                            m_actions->nextLayer,    m_actions->previousLayer,
                            m_actions->play,         m_actions->tiles,
                            m_actions->nextToken,    m_actions->previousToken,
                            m_actions->nextRise,     m_actions->previousRise,
                            m_actions->nextOfExpert, m_actions->previousOfExpert,
                            m_actions->expertCard,   m_actions->selectDocument,
                            m_actions->selectDomain, m_actions->clearSelection,
                            m_actions->runMissing}) {
        action->setEnabled(session != nullptr);
    }
    const QList<QAction*> figures = m_actions->figures->actions();
    for (QAction* action : figures) {
        action->setEnabled(session != nullptr);
    }
}

void MainWindow::restoreDefaultLayout() {
    for (QDockWidget* dock : {m_sessionsDock, m_figuresDock, m_inspectorDock, m_textDock}) {
        dock->setFloating(false);
        dock->show();
    }
    addDockWidget(Qt::LeftDockWidgetArea, m_sessionsDock);
    splitDockWidget(m_sessionsDock, m_figuresDock, Qt::Vertical);
    addDockWidget(Qt::RightDockWidgetArea, m_inspectorDock);
    addDockWidget(Qt::BottomDockWidgetArea, m_textDock);
    m_sizesPending = !isVisible();
    applyDefaultSizes();
}

void MainWindow::applyDefaultSizes() {
    resizeDocks({m_sessionsDock, m_inspectorDock}, {kSessionsWidth, kInspectorWidth},
                Qt::Horizontal);
    resizeDocks({m_textDock}, {kTextHeight}, Qt::Vertical);
    // The list of figures is as long as it is; sessions take what the column has left.
    const int column = m_sessionsDock->height() + m_figuresDock->height();
    const int list = std::min(m_figureList->contentHeight() + kDockTitle, column * 2 / 3);
    resizeDocks({m_sessionsDock, m_figuresDock}, {column - list, list}, Qt::Vertical);
}

void MainWindow::showEvent(QShowEvent* event) {
    QMainWindow::showEvent(event);
    if (m_sizesPending) {
        m_sizesPending = false;
        QTimer::singleShot(0, this, &MainWindow::applyDefaultSizes);
    }
}

void MainWindow::restoreSavedLayout() {
    const Settings& settings = m_workspace.settings();
    if (!restoreGeometry(settings.geometry())) {
        resize(kFirstSize.boundedTo(screen()->availableSize() - kFrameRoom));
    }
    if (settings.layout().isEmpty() || !restoreState(settings.layout(), Settings::kLayoutVersion)) {
        restoreDefaultLayout();
    }
}

void MainWindow::openPaths(const QStringList& paths) {
    m_messages->clear();
    for (const QString& path : paths) {
        if (widgets::kindOfPath(path) == widgets::DropKind::Checkpoint) {
            m_analysis->openDialog(path);
        } else {
            m_workspace.sessions().open(path);
        }
    }
}

void MainWindow::openDemo() {
    const widgets::InstallPaths& paths = m_workspace.paths();
    if (!paths.demoSession.isEmpty()) {
        openPaths({paths.demoSession});
    } else if (!paths.demoModel.isEmpty()) {
        m_analysis->rerunDemo();
    } else {
        m_messages->showMessage(widgets::MessageBar::Kind::Warning,
                                tr("The demo is not installed. It belongs into share/moescope/demo "
                                   "beside the program."));
    }
}

void MainWindow::askOpen() {
    auto* dialog = new QFileDialog(this, tr("Open session"),
                                   m_workspace.settings().value(QStringLiteral("open/folder")),
                                   tr("Sessions (*.h5 *.hdf5 *.nxs);;All files (*)"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::ExistingFiles);
    connect(dialog, &QFileDialog::filesSelected, this, [this](const QStringList& files) {
        m_workspace.settings().setValue(QStringLiteral("open/folder"),
                                        QFileInfo(files.first()).absolutePath());
        openPaths(files);
    });
    dialog->open();
}

void MainWindow::showExport() {
    const FigurePanel* panel = m_figures->current();
    if (panel == nullptr || !m_workspace.current()) {
        return;
    }
    auto* dialog = new widgets::ExportDialog(m_workspace, *panel, this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->open();
}

void MainWindow::showCard() {
    const QList<FigurePanel*>& panels = m_figures->panels();
    const auto card = std::find_if(panels.begin(), panels.end(), [](const FigurePanel* panel) {
        return panel->info().needsExpert;
    });
    m_figures->setCurrent(static_cast<int>(card - panels.begin()));
}

void MainWindow::showFigureOf(const QString& experiment) {
    const QList<FigurePanel*>& panels = m_figures->panels();
    // What is derived from another experiment's results has a figure of its own name.
    const std::string wanted = experiment.toStdString();
    const figures::FigureInfo* own = figures::findFigure(wanted);
    for (int i = 0; i < panels.size(); ++i) {
        const figures::FigureInfo& info = panels.at(i)->info();
        if (own != nullptr ? &info == own : info.experiment == wanted) {
            m_figures->setCurrent(i);
            return;
        }
    }
    m_messages->showMessage(
        widgets::MessageBar::Kind::Info,
        tr("The numbers of %1 are in the session, but this version has no figure of them. Any HDF5 "
           "tool shows them.")
            .arg(experiment));
}

void MainWindow::showAbout() {
    auto* box = new QMessageBox(this);
    box->setAttribute(Qt::WA_DeleteOnClose);
    box->setWindowTitle(tr("About Moescope"));
    box->setIconPixmap(widgets::programIcon().pixmap(QSize(64, 64), devicePixelRatioF()));
    const std::string_view version = kVersion;
    box->setText(
        tr("<b>Moescope %1</b><br>A microscope for mixture-of-experts language models")
            .arg(QString::fromUtf8(version.data(), static_cast<qsizetype>(version.size()))));
    box->setInformativeText(
        tr("Free software under the GNU General Public License, version 3 or "
           "later. Copyright 2026 The Moescope authors."));
    box->open();
}

bool MainWindow::mayStop() {
    QMessageBox box(QMessageBox::Question, tr("An analysis is running"),
                    tr("Close the window and stop the analysis? What is finished is kept and can "
                       "be resumed."),
                    QMessageBox::NoButton, this);
    box.setObjectName(QStringLiteral("closeQuestion"));
    const QPushButton* stop = box.addButton(tr("Stop and close"), QMessageBox::AcceptRole);
    box.addButton(tr("Keep running"), QMessageBox::RejectRole);
    box.exec();
    return static_cast<const QAbstractButton*>(box.clickedButton()) ==
           static_cast<const void*>(stop);
}

void MainWindow::closeAfterRun() {
    m_closing = true;
    m_messages->showMessage(widgets::MessageBar::Kind::Info,
                            tr("The analysis is finishing its block; then the window closes. "
                               "Close it again to stop at once."));
    m_workspace.run().cancel();
}

void MainWindow::closeEvent(QCloseEvent* event) {
    RunController& run = m_workspace.run();
    if (run.isRunning()) {
        event->ignore();
        if (m_closing) {
            run.cancel();  // the second time it is not polite any more
        } else if (mayStop() && run.isRunning()) {
            closeAfterRun();
        }
        if (run.isRunning()) {
            return;
        }
    }
    m_workspace.settings().setLayout(saveGeometry(), saveState(Settings::kLayoutVersion));
    event->accept();
}

void MainWindow::keyPressEvent(QKeyEvent* event) {
    if (!m_actions->triggerSoftKey(*event)) {
        QMainWindow::keyPressEvent(event);
    }
}

}  // namespace moescope::app
