// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/window_actions.h"

#include "widgets/panels/icons.h"

#include <QAction>
#include <QActionGroup>
#include <QKeyEvent>
#include <QMainWindow>
#include <QMenu>
#include <QMenuBar>

namespace moescope::app {
namespace {

void collect(const QMenu& menu, const QString& group, QList<widgets::Command>& commands) {
    const QList<QAction*> actions = menu.actions();
    for (QAction* action : actions) {
        if (action->isSeparator()) {
            continue;
        }
        if (action->menu() != nullptr) {
            QString title = action->menu()->title();
            title.remove(QLatin1Char('&'));
            collect(*action->menu(), group + QStringLiteral(" \u203A ") + title, commands);
        } else {
            commands.append({group, action});
        }
    }
}

}  // namespace

WindowActions::WindowActions(QMainWindow& window) : QObject(&window), m_window(window) {
    makeFileMenu();
    makeEditMenu();
    makeViewMenu();
    makeAnalysisMenu();
    makeHelpMenu();
}

QAction* WindowActions::add(QMenu* menu, const QString& name, const QString& text,
                            const QList<QKeySequence>& keys) {
    QAction* action = menu->addAction(text);
    action->setObjectName(name);
    action->setShortcuts(keys);
    // Also reachable while the menu bar is hidden (full screen).
    m_window.addAction(action);
    return action;
}

QAction* WindowActions::addSoft(QMenu* menu, const QString& name, const QString& text,
                                const QList<QKeySequence>& keys) {
    QAction* action = add(menu, name, text, keys);
    action->setShortcutContext(Qt::WidgetShortcut);
    m_soft.append(action);
    return action;
}

void WindowActions::makeFileMenu() {
    QMenu* menu = m_window.menuBar()->addMenu(tr("&File"));
    open = add(menu, QStringLiteral("openAction"), tr("&Open session..."), {QKeySequence::Open});
    open->setIcon(widgets::icon(QStringLiteral("open")));
    recent = menu->addMenu(tr("Open &recent"));
    recent->setObjectName(QStringLiteral("recentMenu"));
    demo = add(menu, QStringLiteral("demoAction"), tr("Open the &demo"));
    menu->addSeparator();
    newAnalysis =
        add(menu, QStringLiteral("newAnalysisAction"), tr("&New analysis..."), {QKeySequence::New});
    newAnalysis->setIcon(widgets::icon(QStringLiteral("new")));
    menu->addSeparator();
    exportFigure = add(menu, QStringLiteral("exportAction"), tr("&Export figure..."),
                       {QKeySequence(Qt::CTRL | Qt::Key_E)});
    exportFigure->setIcon(widgets::icon(QStringLiteral("export")));
    menu->addSeparator();
    closeSession = add(menu, QStringLiteral("closeSessionAction"), tr("&Close session"),
                       {QKeySequence(Qt::CTRL | Qt::Key_W)});
    quit =
        add(menu, QStringLiteral("quitAction"), tr("&Quit"), {QKeySequence(Qt::CTRL | Qt::Key_Q)});
    quit->setMenuRole(QAction::QuitRole);
}

void WindowActions::makeEditMenu() {
    QMenu* menu = m_window.menuBar()->addMenu(tr("&Edit"));
    copyFigure =
        add(menu, QStringLiteral("copyFigureAction"), tr("&Copy figure"), {QKeySequence::Copy});
    copyFigure->setIcon(widgets::icon(QStringLiteral("copy")));
    menu->addSeparator();
    find = add(menu, QStringLiteral("findAction"), tr("&Find token..."), {QKeySequence::Find});
    find->setIcon(widgets::icon(QStringLiteral("search")));
    findNext =
        add(menu, QStringLiteral("findNextAction"), tr("Find &next"), {QKeySequence::FindNext});
    findPrevious = add(menu, QStringLiteral("findPreviousAction"), tr("Find &previous"),
                       {QKeySequence::FindPrevious});
    menu->addSeparator();
    nextToken = addSoft(menu, QStringLiteral("nextTokenAction"), tr("Next token"),
                        {QKeySequence(Qt::Key_Right)});
    previousToken = addSoft(menu, QStringLiteral("previousTokenAction"), tr("Previous token"),
                            {QKeySequence(Qt::Key_Left)});
    nextOfExpert = addSoft(menu, QStringLiteral("nextOfExpertAction"),
                           tr("Next token of the expert"), {QKeySequence(Qt::Key_E)});
    previousOfExpert =
        addSoft(menu, QStringLiteral("previousOfExpertAction"), tr("Previous token of the expert"),
                {QKeySequence(Qt::SHIFT | Qt::Key_E)});
    nextRise = addSoft(menu, QStringLiteral("nextRiseAction"), tr("Next &largest rise of loss"),
                       {QKeySequence(Qt::Key_R)});
    previousRise =
        addSoft(menu, QStringLiteral("previousRiseAction"), tr("Previous largest rise of loss"),
                {QKeySequence(Qt::SHIFT | Qt::Key_R)});
    selectDocument = addSoft(menu, QStringLiteral("selectDocumentAction"),
                             tr("Select the token's &document"), {QKeySequence(Qt::Key_D)});
    selectDomain = addSoft(menu, QStringLiteral("selectDomainAction"),
                           tr("Select all of its d&omain"), {QKeySequence(Qt::SHIFT | Qt::Key_D)});
    clearSelection = addSoft(menu, QStringLiteral("clearSelectionAction"), tr("Clear &selection"),
                             {QKeySequence(Qt::Key_Escape)});
}

void WindowActions::makeViewMenu() {
    QMenu* menu = m_window.menuBar()->addMenu(tr("&View"));
    figures = menu->addMenu(tr("&Figure"));
    expertCard = add(menu, QStringLiteral("expertCardAction"), tr("E&xpert card"),
                     {QKeySequence(Qt::CTRL | Qt::Key_I)});
    back = add(menu, QStringLiteral("backAction"), tr("&Back to the expert before"),
               {QKeySequence(Qt::ALT | Qt::Key_Left)});
    forward = add(menu, QStringLiteral("forwardAction"), tr("For&ward to the expert after"),
                  {QKeySequence(Qt::ALT | Qt::Key_Right)});
    menu->addSeparator();
    tiles = add(menu, QStringLiteral("tilesAction"), tr("Figures as &tiles"),
                {QKeySequence(Qt::CTRL | Qt::Key_T)});
    tiles->setCheckable(true);
    tiles->setIcon(widgets::icon(QStringLiteral("tiles")));
    menu->addSeparator();
    nextLayer = add(menu, QStringLiteral("nextLayerAction"), tr("&Next layer"),
                    {QKeySequence(Qt::Key_BracketRight)});
    previousLayer = add(menu, QStringLiteral("previousLayerAction"), tr("&Previous layer"),
                        {QKeySequence(Qt::Key_BracketLeft)});
    play = addSoft(menu, QStringLiteral("playAction"), tr("Play &layers"),
                   {QKeySequence(Qt::Key_Space)});
    menu->addSeparator();
    panels = menu->addMenu(tr("P&anels"));
    restoreLayout = add(menu, QStringLiteral("restoreLayoutAction"), tr("&Restore default layout"));
    fullScreen = add(menu, QStringLiteral("fullScreenAction"), tr("F&ull screen"),
                     {QKeySequence(Qt::Key_F11)});
    fullScreen->setCheckable(true);
    menu->addSeparator();
    makeColoursMenu(menu);
    largerText =
        add(menu, QStringLiteral("largerTextAction"), tr("Lar&ger text"),
            {QKeySequence(Qt::CTRL | Qt::Key_Plus), QKeySequence(Qt::CTRL | Qt::Key_Equal)});
    smallerText = add(menu, QStringLiteral("smallerTextAction"), tr("S&maller text"),
                      {QKeySequence(Qt::CTRL | Qt::Key_Minus)});
    normalText = add(menu, QStringLiteral("normalTextAction"), tr("N&ormal text size"),
                     {QKeySequence(Qt::CTRL | Qt::Key_0)});
}

void WindowActions::makeColoursMenu(QMenu* view) {
    QMenu* menu = view->addMenu(tr("&Colours"));
    auto* group = new QActionGroup(this);
    systemColours = add(menu, QStringLiteral("systemColoursAction"), tr("As the &system"));
    lightColours = add(menu, QStringLiteral("lightColoursAction"), tr("&Light"));
    darkColours = add(menu, QStringLiteral("darkColoursAction"), tr("&Dark"));
    for (QAction* action : {systemColours, lightColours, darkColours}) {
        action->setCheckable(true);
        group->addAction(action);
    }
}

void WindowActions::makeAnalysisMenu() {
    QMenu* menu = m_window.menuBar()->addMenu(tr("&Analysis"));
    menu->addAction(newAnalysis);
    runMissing = add(menu, QStringLiteral("runMissingAction"),
                     tr("Run all &experiments that this session lacks"));
    rerunDemo = add(menu, QStringLiteral("rerunDemoAction"), tr("Run the &demo again..."));
    menu->addSeparator();
    cancelRun = add(menu, QStringLiteral("cancelRunAction"), tr("&Cancel the running analysis"));
    cancelRun->setEnabled(false);
}

void WindowActions::makeHelpMenu() {
    QMenu* menu = m_window.menuBar()->addMenu(tr("&Help"));
    help = add(menu, QStringLiteral("helpAction"), tr("&Help on this figure"),
               {QKeySequence(Qt::Key_F1), QKeySequence(Qt::CTRL | Qt::Key_Slash)});
    palette = add(menu, QStringLiteral("paletteAction"), tr("&Command palette..."),
                  {QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_P)});
    palette->setIcon(widgets::icon(QStringLiteral("command")));
    about = add(menu, QStringLiteral("aboutAction"), tr("&About Moescope"));
    about->setMenuRole(QAction::AboutRole);
}

QAction* WindowActions::addFigure(const QString& title, int number, int digit) {
    const QList<QKeySequence> keys =
        digit > 0 ? QList<QKeySequence>{QKeySequence(Qt::Key_0 + digit)} : QList<QKeySequence>();
    return add(figures, QStringLiteral("figure%1Action").arg(number), title, keys);
}

QList<widgets::Command> WindowActions::commands() const {
    QList<widgets::Command> commands;
    const QList<QAction*> menus = m_window.menuBar()->actions();
    for (const QAction* action : menus) {
        QString title = action->text();
        title.remove(QLatin1Char('&'));
        collect(*action->menu(), title, commands);
    }
    return commands;
}

bool WindowActions::triggerSoftKey(const QKeyEvent& event) {
    const Qt::KeyboardModifiers keypad = Qt::KeypadModifier;
    const QKeySequence pressed(
        QKeyCombination(event.modifiers() & ~keypad, static_cast<Qt::Key>(event.key())));
    for (QAction* action : std::as_const(m_soft)) {
        if (action->isEnabled() && action->shortcuts().contains(pressed)) {
            action->trigger();
            return true;
        }
    }
    // Up and Down step layers as the brackets do.
    if (event.modifiers() == Qt::NoModifier || event.modifiers() == keypad) {
        if (event.key() == Qt::Key_Up && nextLayer->isEnabled()) {
            nextLayer->trigger();
            return true;
        }
        if (event.key() == Qt::Key_Down && previousLayer->isEnabled()) {
            previousLayer->trigger();
            return true;
        }
    }
    return false;
}

}  // namespace moescope::app
