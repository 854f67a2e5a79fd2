// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "widgets/state/workspace.h"

#include <QObject>
#include <QPointer>

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

    /// The dialog, filled with a checkpoint when one is given; one at a time.
    widgets::NewAnalysisDialog& openDialog(const QString& checkpoint = {});
    /// Computes experiments a session does not have yet, with the text and options it was made
    /// with; asks by the dialog for what has moved.
    void addToSession(int session, const QStringList& experiments);
    /// Everything of the catalogue that the current session lacks.
    void addMissing();
    void rerunDemo();

private:
    void connectRun();
    void connectSessions();
    [[nodiscard]] QStringList missingExperiments(const widgets::OpenSession& session) const;
    void askForCheckpoint(const widgets::OpenSession& session, const QStringList& experiments,
                          const QString& problem);

    widgets::Workspace& m_workspace;
    widgets::MessageBar& m_messages;
    QWidget& m_window;
    QPointer<widgets::NewAnalysisDialog> m_dialog;
};

}  // namespace moescope::app
