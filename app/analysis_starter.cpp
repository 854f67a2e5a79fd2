// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/analysis_starter.h"

#include "app/install_paths.h"
#include "core/experiments/catalogue.h"
#include "core/figures/figure.h"
#include "widgets/panels/form_section.h"
#include "widgets/panels/message_bar.h"
#include "widgets/panels/new_analysis_dialog.h"
#include "widgets/panels/text_source_editor.h"
#include "widgets/state/session_to_add.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QStandardPaths>

namespace moescope::app {

using widgets::AnalysisRequest;
using widgets::MessageBar;
using widgets::NewAnalysisDialog;
using widgets::OpenSession;
using widgets::Problem;
using widgets::RequestField;
using widgets::RunController;
using widgets::SessionSnapshot;

namespace {

/// A file name of the user's own that is not taken.
QString newDemoFile() {
    const QString folder = QStandardPaths::writableLocation(QStandardPaths::AppDataLocation);
    QDir().mkpath(folder);
    QString file;
    for (int n = 1; file.isEmpty() || QFileInfo::exists(file); ++n) {
        file = QDir(folder).filePath(QStringLiteral("demo-%1.h5").arg(n));
    }
    return file;
}

/// "reap-25-of-each", "load-10-of-layer-3": what a measured list is called in figures.
QString nameOf(const figures::PruneList& list) {
    const QString scope = list.choice.acrossLayers ? QStringLiteral("all")
                          : list.layers.size() == 1
                              ? QStringLiteral("layer-%1").arg(list.layers.front().layer.value)
                              : QStringLiteral("each");
    return QStringLiteral("%1-%2-of-%3")
        .arg(QString::fromUtf8(list.criterion->id.data(),
                               static_cast<qsizetype>(list.criterion->id.size())))
        .arg(100.0 * list.choice.share, 0, 'g', 4)
        .arg(scope);
}

}  // namespace

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
            offerToGoOn();
        }
    });
    connect(&run, &RunController::cancelled, this, [this](const QString& path) {
        m_messages.showMessage(
            MessageBar::Kind::Info,
            tr("The analysis was stopped. What was finished is kept in %1.").arg(path));
        offerToGoOn();
    });
    connect(&m_messages, &MessageBar::actionTriggered, this, &AnalysisStarter::goOn);
    connect(&run, &RunController::warned, this, [this](const QString& message) {
        m_messages.showMessage(MessageBar::Kind::Warning, message);
    });
}

void AnalysisStarter::offerToGoOn() {
    const QString partial = m_workspace.run().request().output + QStringLiteral(".partial");
    if (QFileInfo::exists(partial)) {
        m_messages.setAction(tr("Go on"));
    }
}

void AnalysisStarter::goOn() {
    if (m_workspace.run().isRunning()) {
        sayBusy();
        return;
    }
    AnalysisRequest request = m_workspace.run().request();
    request.resume = true;
    m_workspace.run().start(request);
}

void AnalysisStarter::connectSessions() {
    widgets::SessionService& sessions = m_workspace.sessions();
    connect(&sessions, &widgets::SessionService::failed, this,
            [this](const QString& /*path*/, const Problem& problem) {
                m_messages.addProblem(problem);
            });
}

NewAnalysisDialog& AnalysisStarter::openDialog(const QString& checkpoint) {
    const bool isNew = m_dialog == nullptr;
    if (isNew) {
        m_dialog = new NewAnalysisDialog(m_workspace, &m_window);
        m_dialog->setAttribute(Qt::WA_DeleteOnClose);
    }
    if (!checkpoint.isEmpty()) {
        m_dialog->setCheckpoint(checkpoint);
    } else if (const SessionSnapshot session = m_workspace.current(); isNew && session) {
        m_dialog->setSession(session, outputFor(*session));
    }
    m_dialog->show();
    m_dialog->raise();
    m_dialog->activateWindow();
    return *m_dialog;
}

void AnalysisStarter::askFor(RequestField field, const SessionSnapshot& session,
                             const AnalysisRequest& known, const QString& problem) {
    NewAnalysisDialog& dialog = openDialog();
    dialog.setSession(session, outputFor(*session));
    dialog.setExperiments(known.experiments);
    dialog.setPruneLists(known.pruneLists, known.pruneListsOnly);
    dialog.section(field).messages().showMessage(MessageBar::Kind::Warning, problem);
}

void AnalysisStarter::addToSession(int session, const QStringList& experiments) {
    add(session, {.experiments = experiments});
}

void AnalysisStarter::add(int session, const Addition& addition) {
    const SessionSnapshot target = m_workspace.sessions().find(session);
    if (!target || addition.experiments.isEmpty()) {
        return;
    }
    if (m_workspace.run().isRunning()) {
        sayBusy();
        return;
    }
    std::optional<AnalysisRequest> request = requestFor(target, addition);
    if (!request) {
        return;
    }
    request->output = writablePath(*target);
    request->resume = QFileInfo::exists(request->output + QStringLiteral(".partial"));
    if (!request->output.isEmpty()) {
        m_workspace.run().start(*request);
    }
}

void AnalysisStarter::measureList(int session, const figures::Figure& figure) {
    if (m_workspace.run().isRunning()) {
        sayBusy();
        return;
    }
    const QString path =
        m_lists.filePath(nameOf(*figure.prunes).replace(QLatin1Char('_'), QLatin1Char('-')) +
                         QStringLiteral(".json"));
    QFile file(path);
    const QByteArray json = QByteArray::fromStdString(figures::toJson(figure));
    if (!file.open(QIODevice::WriteOnly) || file.write(json) != json.size() || !file.flush()) {
        m_messages.showMessage(MessageBar::Kind::Error,
                               tr("The list cannot be written to %1: %2. Export it as JSON and "
                                  "give it as a prune list of a new analysis.")
                                   .arg(path, file.errorString()));
        return;
    }
    file.close();
    add(session, {.experiments = {QStringLiteral("pruning")}, .pruneLists = {path}});
}

std::optional<AnalysisRequest> AnalysisStarter::requestFor(const SessionSnapshot& session,
                                                           const Addition& addition) {
    AnalysisRequest known;
    known.experiments = addition.experiments;
    known.pruneLists = addition.pruneLists;
    known.pruneListsOnly = !addition.pruneLists.isEmpty();
    std::optional<AnalysisRequest> request = requestToAdd(*session, addition.experiments);
    if (!request) {
        askFor(RequestField::Checkpoint, session, known,
               tr("This session does not say which checkpoint it came from: choose it. The "
                  "session brings its text."));
        return std::nullopt;
    }
    const QString checkpoint = widgets::absoluteCheckpoint(*request);
    if (!QFileInfo::exists(checkpoint)) {
        askFor(RequestField::Checkpoint, session, known,
               tr("There is no checkpoint at %1: choose where it is now. The session brings its "
                  "text.")
                   .arg(checkpoint));
        return std::nullopt;
    }
    if (session->head().corpus.tokenCount() == 0 && !widgets::needsNoText(*request)) {
        askFor(RequestField::Text, session, known,
               tr("This session has no text, and what you asked for needs one."));
        return std::nullopt;
    }
    request->pruneLists = known.pruneLists;
    request->pruneListsOnly = known.pruneListsOnly;
    return request;
}

bool AnalysisStarter::isShippedDemo(const OpenSession& session) const {
    const QString& demo = m_workspace.paths().demoSession;
    return !demo.isEmpty() && session.path == widgets::SessionService::normalisedPath(demo);
}

QString AnalysisStarter::outputFor(const OpenSession& session) const {
    return isShippedDemo(session) ? newDemoFile() : session.path;
}

QString AnalysisStarter::writablePath(const OpenSession& session) {
    if (!isShippedDemo(session)) {
        return session.path;
    }
    QString copy = newDemoFile();
    if (const QString why = widgets::copySession(session.path, copy); !why.isEmpty()) {
        m_messages.showMessage(MessageBar::Kind::Error,
                               tr("The demo is added to in a copy, and %1 cannot be written: %2. "
                                  "Make its folder writable.")
                                   .arg(copy, why));
        return {};
    }
    return copy;
}

QStringList AnalysisStarter::missingExperiments(const OpenSession& session) {
    const QStringList done = widgets::experimentsDone(session.head());
    QStringList missing;
    for (const experiments::ExperimentInfo& info : experiments::catalogue()) {
        const QString id =
            QString::fromUtf8(info.id.data(), static_cast<qsizetype>(info.id.size()));
        if (!done.contains(id) && !info.isCostly &&
            info.kind != experiments::ExperimentKind::Derived) {
            missing << id;
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
        m_messages.showMessage(
            MessageBar::Kind::Info,
            tr("%1 has every experiment but the costly ones: tick those in a new analysis.")
                .arg(session->title));
        return;
    }
    addToSession(session->id, missing);
}

void AnalysisStarter::rerunDemo() {
    if (!m_workspace.run().start(demoRequest(m_workspace.paths(), newDemoFile()))) {
        sayBusy();
    }
}

void AnalysisStarter::sayBusy() {
    m_messages.showMessage(MessageBar::Kind::Info,
                           tr("Another analysis is running. Wait for it or cancel it first."));
}

}  // namespace moescope::app
