// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/analysis_starter.h"

#include "app/install_paths.h"
#include "core/experiments/catalogue.h"
#include "widgets/panels/form_section.h"
#include "widgets/panels/message_bar.h"
#include "widgets/panels/new_analysis_dialog.h"

#include <QDir>
#include <QFileInfo>
#include <QStandardPaths>

#include <algorithm>

namespace moescope::app {

using widgets::AnalysisRequest;
using widgets::MessageBar;
using widgets::NewAnalysisDialog;
using widgets::OpenSession;
using widgets::Problem;
using widgets::RequestField;
using widgets::RunController;
using widgets::SessionSnapshot;

AnalysisStarter::AnalysisStarter(widgets::Workspace& workspace, MessageBar& messages,
                                 QWidget& window)
    : QObject(&window), m_workspace(workspace), m_messages(messages), m_window(window) {
    connectRun();
    connectSessions();
}

void AnalysisStarter::connectRun() {
    RunController& run = m_workspace.run();
    connect(&run, &RunController::started, &m_messages, &MessageBar::clear);
    connect(&run, &RunController::failed, this, [this](const Problem& problem) {
        // While the dialog is open it shows the problem where it belongs.
        if (m_dialog == nullptr || !m_dialog->isVisible()) {
            m_messages.showProblem(problem);
        }
    });
    connect(&run, &RunController::cancelled, this, [this](const QString& path) {
        m_messages.showMessage(MessageBar::Kind::Info,
                               tr("The analysis was stopped. What was finished is kept in %1; "
                                  "start it again with the same file to go on.")
                                   .arg(path));
    });
    connect(&run, &RunController::warned, this, [this](const QString& message) {
        m_messages.showMessage(MessageBar::Kind::Warning, message);
    });
}

void AnalysisStarter::connectSessions() {
    widgets::SessionService& sessions = m_workspace.sessions();
    connect(&sessions, &widgets::SessionService::failed, this,
            [this](const QString& /*path*/, const Problem& problem) {
                m_messages.showProblem(problem);
            });
}

NewAnalysisDialog& AnalysisStarter::openDialog(const QString& checkpoint) {
    if (m_dialog == nullptr) {
        m_dialog = new NewAnalysisDialog(m_workspace, &m_window);
        m_dialog->setAttribute(Qt::WA_DeleteOnClose);
    }
    if (!checkpoint.isEmpty()) {
        m_dialog->setCheckpoint(checkpoint);
    }
    m_dialog->show();
    m_dialog->raise();
    m_dialog->activateWindow();
    return *m_dialog;
}

void AnalysisStarter::askForCheckpoint(const OpenSession& session, const QStringList& experiments,
                                       const QString& problem) {
    NewAnalysisDialog& dialog = openDialog();
    dialog.setOutput(session.path);
    dialog.setExperiments(experiments);
    dialog.section(RequestField::Checkpoint)
        .messages()
        .showMessage(MessageBar::Kind::Warning, problem);
}

void AnalysisStarter::addToSession(int session, const QStringList& experiments) {
    const SessionSnapshot target = m_workspace.sessions().find(session);
    if (!target || experiments.isEmpty()) {
        return;
    }
    if (m_workspace.run().isRunning()) {
        m_messages.showMessage(MessageBar::Kind::Info,
                               tr("Another analysis is running. Wait for it or cancel it first."));
        return;
    }
    const std::optional<AnalysisRequest> request = widgets::requestToAdd(
        QString::fromStdString(target->head().run.commandLine), target->path, experiments,
        QFileInfo::exists(target->path + QStringLiteral(".partial")));
    if (!request) {
        askForCheckpoint(*target, experiments,
                         tr("This session does not say which checkpoint it came from. Choose it, "
                            "and the same text."));
    } else if (!QFileInfo::exists(request->checkpoint)) {
        askForCheckpoint(*target, experiments,
                         tr("%1 does not exist any more. Choose where the checkpoint is now, and "
                            "the same text.")
                             .arg(request->checkpoint));
    } else {
        m_workspace.run().start(*request);
    }
}

QStringList AnalysisStarter::missingExperiments(const OpenSession& session) const {
    QStringList missing;
    const auto& records = session.head().experiments;
    for (const experiments::ExperimentInfo& info : experiments::catalogue()) {
        const bool done =
            std::any_of(records.begin(), records.end(), [&](const session::ExperimentRecord& r) {
                return r.id == info.id && r.state == session::ExperimentState::Done;
            });
        if (!done && info.kind != experiments::ExperimentKind::Derived) {
            missing << QString::fromUtf8(info.id.data(), static_cast<qsizetype>(info.id.size()));
        }
    }
    return missing;
}

void AnalysisStarter::addMissing() {
    const SessionSnapshot session = m_workspace.current();
    if (!session) {
        return;
    }
    const QStringList missing = missingExperiments(*session);
    if (missing.isEmpty()) {
        m_messages.showMessage(MessageBar::Kind::Info,
                               tr("%1 has every experiment.").arg(session->title));
        return;
    }
    addToSession(session->id, missing);
}

void AnalysisStarter::rerunDemo() {
    const QString folder = QStandardPaths::writableLocation(QStandardPaths::AppDataLocation);
    QDir().mkpath(folder);
    QString output;
    for (int n = 1; output.isEmpty() || QFileInfo::exists(output); ++n) {
        output = QDir(folder).filePath(QStringLiteral("demo-%1.h5").arg(n));
    }
    if (!m_workspace.run().start(demoRequest(m_workspace.paths(), output))) {
        m_messages.showMessage(MessageBar::Kind::Info,
                               tr("Another analysis is running. Wait for it or cancel it first."));
    }
}

}  // namespace moescope::app
