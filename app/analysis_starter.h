// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "widgets/state/workspace.h"

#include <QObject>
#include <QPointer>
#include <QTemporaryDir>

#include <optional>

class QWidget;

namespace moescope::widgets {
class MessageBar;
class NewAnalysisDialog;
}  // namespace moescope::widgets

namespace moescope::app {

/// Everything that begins an analysis from the window: the dialog, "run now", the demo; and what
/// the window says when one ends. *GUI thread only*.
class AnalysisStarter : public QObject {
    Q_OBJECT
public:
    AnalysisStarter(widgets::Workspace& workspace, widgets::MessageBar& messages, QWidget& window);

    /// The dialog, filled with the checkpoint when one is given, else with what adds to the session
    /// that is shown; one at a time.
    widgets::NewAnalysisDialog& openDialog(const QString& checkpoint = {});
    /// Computes experiments a session does not have yet, with the text and options it was made
    /// with; asks by the dialog for what has moved.
    void addToSession(int session, const QStringList& experiments);
    /// Measures the loss without the experts of a figure's list.
    void measureList(int session, const figures::Figure& figure);
    /// Everything of the catalogue that the current session lacks.
    void addMissing();
    void rerunDemo();

private:
    void connectRun();
    void connectSessions();
    [[nodiscard]] static QStringList missingExperiments(const widgets::OpenSession& session);
    /// What is added to a session.
    struct Addition {
        QStringList experiments;
        QStringList pruneLists{};  ///< measured alone
    };
    void add(int session, const Addition& addition);
    /// Opens the dialog on the session's file with what must be given again, and why.
    void askFor(widgets::RequestField field, const widgets::SessionSnapshot& session,
                const widgets::AnalysisRequest& known, const QString& problem);
    /// What adds to the session; nullopt after asking for what cannot be told.
    [[nodiscard]] std::optional<widgets::AnalysisRequest> requestFor(
        const widgets::SessionSnapshot& session, const Addition& addition);
    [[nodiscard]] bool isShippedDemo(const widgets::OpenSession& session) const;
    /// Where what is added to a session goes: itself, or a new file for a copy of the demo that
    /// ships with the program.
    [[nodiscard]] QString outputFor(const widgets::OpenSession& session) const;
    /// The same, with the copy made. Empty after saying why there is none.
    [[nodiscard]] QString writablePath(const widgets::OpenSession& session);
    /// The message that a run has ended gets a button where parts of it lie on the disk.
    void offerToGoOn();
    /// The last run once more, with what it has finished.
    void goOn();
    void sayBusy();

    widgets::Workspace& m_workspace;
    widgets::MessageBar& m_messages;
    QWidget& m_window;
    QPointer<widgets::NewAnalysisDialog> m_dialog;
    QTemporaryDir m_lists;  ///< files of lists to measure: the engine reads them as it begins
};

}  // namespace moescope::app
