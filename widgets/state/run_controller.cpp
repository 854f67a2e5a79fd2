// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/state/run_controller.h"

#include <QFileInfo>

namespace moescope::widgets {
namespace {

constexpr int kRefreshMs = 600;  ///< parts may finish faster than a session is worth re-reading

}  // namespace

RunController::RunController(SessionService& sessions, QString engine, QObject* parent)
    : QObject(parent), m_sessions(sessions), m_enginePath(engine), m_engine(std::move(engine)) {
    m_refresh.setSingleShot(true);
    m_refresh.setInterval(kRefreshMs);
    connect(&m_refresh, &QTimer::timeout, this, &RunController::refresh);
    connect(&m_engine, &EngineProcess::eventReceived, this, &RunController::take);
    connect(&m_engine, &EngineProcess::ended, this, &RunController::takeEnd);
}

bool RunController::start(const AnalysisRequest& request) {
    if (isRunning()) {
        return false;
    }
    m_running = true;
    m_request = request;
    m_progress = {};
    m_progress.title = tr("Analyzing %1").arg(QFileInfo(request.checkpoint).fileName());
    m_progress.stage = tr("starting");
    Q_EMIT started(m_request);
    Q_EMIT progressed(m_progress);
    m_engine.start(analyzeArguments(request, false), request.folder);
    return true;
}

void RunController::cancel() {
    if (!isRunning()) {
        return;
    }
    m_engine.cancel();
    m_progress.cancelling = true;
    m_progress.stage = tr("finishing the block");
    Q_EMIT progressed(m_progress);
}

void RunController::take(const session::RunEvent& event) {
    using Kind = session::RunEvent::Kind;
    switch (event.kind) {
        case Kind::Progress:
            m_progress.fraction = event.fraction;
            m_progress.remainingSeconds = event.remainingSeconds;
            if (!m_progress.cancelling) {
                m_progress.stage = QString::fromStdString(event.stage);
            }
            Q_EMIT progressed(m_progress);
            break;
        case Kind::PartDone:
            if (!m_refresh.isActive()) {
                m_refresh.start();
            }
            Q_EMIT partDone(QString::fromStdString(event.experiment), event.layer.value_or(-1));
            break;
        case Kind::Warning:
            Q_EMIT warned(QString::fromStdString(event.message));
            break;
        default:
            break;
    }
}

void RunController::refresh() {
    if (const SessionSnapshot session = m_sessions.findPath(m_request.output)) {
        m_sessions.reload(session->id);
    } else {
        m_sessions.open(m_request.output);
    }
}

void RunController::takeEnd(EngineProcess::End end, const Problem& problem) {
    m_running = false;
    m_refresh.stop();
    const bool somethingThere = QFileInfo::exists(m_request.output) ||
                                QFileInfo::exists(m_request.output + QStringLiteral(".partial"));
    switch (end) {
        case EngineProcess::End::Finished:
            refresh();
            Q_EMIT finished(m_request.output);
            break;
        case EngineProcess::End::Cancelled:
            if (somethingThere) {
                refresh();
            }
            Q_EMIT cancelled(m_request.output);
            break;
        case EngineProcess::End::Failed:
            if (m_sessions.findPath(m_request.output)) {
                refresh();
            }
            Q_EMIT failed(problem);
            break;
    }
}

}  // namespace moescope::widgets
