// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "widgets/models/command_model.h"

#include <QKeySequence>
#include <QObject>

#include <functional>

class QAction;
class QKeyEvent;
class QMainWindow;
class QMenu;

namespace moescope::app {

/// Every command of the window in one place: menus, shortcuts, command palette and shortcut sheet
/// all come from here. The window connects what they do. *GUI thread only*.
class WindowActions : public QObject {
    Q_OBJECT
public:
    /// Creates the actions and fills the window's menu bar.
    explicit WindowActions(QMainWindow& window);

    // File
    QAction* open = nullptr;
    QAction* newAnalysis = nullptr;
    QAction* demo = nullptr;
    QAction* rerunDemo = nullptr;
    QAction* exportFigure = nullptr;
    QAction* closeSession = nullptr;
    QAction* quit = nullptr;
    QMenu* recent = nullptr;
    // Edit
    QAction* copyFigure = nullptr;
    QAction* find = nullptr;
    QAction* findNext = nullptr;
    QAction* findPrevious = nullptr;
    QAction* clearSelection = nullptr;
    QAction* nextToken = nullptr;
    QAction* previousToken = nullptr;
    QAction* nextRise = nullptr;
    QAction* previousRise = nullptr;
    QAction* nextOfExpert = nullptr;
    QAction* previousOfExpert = nullptr;
    QAction* selectDocument = nullptr;
    QAction* selectDomain = nullptr;
    // View
    QAction* back = nullptr;
    QAction* forward = nullptr;
    QAction* expertCard = nullptr;
    QAction* nextLayer = nullptr;
    QAction* previousLayer = nullptr;
    QAction* play = nullptr;
    QAction* tiles = nullptr;
    QAction* fullScreen = nullptr;
    QAction* largerText = nullptr;
    QAction* smallerText = nullptr;
    QAction* normalText = nullptr;
    QAction* systemColours = nullptr;
    QAction* lightColours = nullptr;
    QAction* darkColours = nullptr;
    QAction* restoreLayout = nullptr;
    QMenu* panels = nullptr;
    QMenu* figures = nullptr;
    // Analysis
    QAction* cancelRun = nullptr;
    QAction* runMissing = nullptr;
    // Help
    QAction* palette = nullptr;
    QAction* help = nullptr;
    QAction* about = nullptr;

    /// Adds "Figure N: title" with a digit as its shortcut; 0: none.
    QAction* addFigure(const QString& title, int number, int digit);
    /// All actions of the menus, for the palette and the sheet.
    [[nodiscard]] QList<widgets::Command> commands() const;

    /// Arrows and Space belong to whatever has the focus first; the window offers here what nobody
    /// took. True when an action ran.
    bool triggerSoftKey(const QKeyEvent& event);

private:
    QAction* add(QMenu* menu, const QString& name, const QString& text,
                 const QList<QKeySequence>& keys = {});
    QAction* addSoft(QMenu* menu, const QString& name, const QString& text,
                     const QList<QKeySequence>& keys);
    void makeFileMenu();
    void makeEditMenu();
    void makeViewMenu();
    void makeColoursMenu(QMenu* view);
    void makeAnalysisMenu();
    void makeHelpMenu();

    QMainWindow& m_window;
    QList<QAction*> m_soft;
};

}  // namespace moescope::app
