// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "widgets/state/workspace.h"

#include <QMainWindow>

class QDockWidget;
class QStackedWidget;

namespace moescope::widgets {
class CommandPalette;
class FigureList;
class FiguresArea;
class HelpWindow;
class LayerBar;
class MessageBar;
class SelectionHistory;
class TextStripPanel;
class WelcomePage;
}  // namespace moescope::widgets

namespace moescope::app {

class AnalysisStarter;
class WindowActions;

/// The window: docks around the figures, menus, wiring. What things do lies in the panels and in
/// the workspace. *GUI thread only*.
class MainWindow : public QMainWindow {
    Q_OBJECT
public:
    explicit MainWindow(widgets::Workspace& workspace);
    ~MainWindow() override;

    [[nodiscard]] WindowActions& actions() { return *m_actions; }
    [[nodiscard]] widgets::FiguresArea& figures() { return *m_figures; }

    void openPaths(const QStringList& paths);
    /// The precomputed demo at once; without one, the demo is run.
    void openDemo();

protected:
    void closeEvent(QCloseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void showEvent(QShowEvent* event) override;

private:
    void buildCentre();
    void buildToolBar();
    void buildDocks();
    QDockWidget* addDock(const QString& name, const QString& title, QWidget* content,
                         Qt::DockWidgetArea area);
    void connectFile();
    void connectEdit();
    void connectView();
    void connectLook();
    void connectAnalysis();
    void connectHelp();
    void takeCurrent();
    void restoreDefaultLayout();
    void applyDefaultSizes();
    void restoreSavedLayout();
    void askOpen();
    void showExport();
    void showCard();
    void showFigureOf(const QString& experiment);
    void showAbout();
    /// Asks whether a running analysis may be stopped.
    [[nodiscard]] bool mayStop();
    /// Stops the run and closes the window when it has ended.
    void closeAfterRun();

    widgets::Workspace& m_workspace;
    WindowActions* m_actions;
    widgets::SelectionHistory* m_history;
    widgets::MessageBar* m_messages = nullptr;
    QStackedWidget* m_pages = nullptr;
    widgets::WelcomePage* m_welcome = nullptr;
    widgets::LayerBar* m_layers = nullptr;
    widgets::FiguresArea* m_figures = nullptr;
    widgets::TextStripPanel* m_text = nullptr;
    widgets::CommandPalette* m_palette = nullptr;
    AnalysisStarter* m_analysis = nullptr;
    widgets::FigureList* m_figureList = nullptr;
    widgets::HelpWindow* m_help = nullptr;  ///< made when first asked for
    QDockWidget* m_sessionsDock = nullptr;
    QDockWidget* m_figuresDock = nullptr;
    QDockWidget* m_inspectorDock = nullptr;
    QDockWidget* m_textDock = nullptr;
    bool m_closing = false;       ///< as soon as the run that is being stopped has ended
    bool m_sizesPending = false;  ///< docks take sizes only once the window has its own
};

}  // namespace moescope::app
