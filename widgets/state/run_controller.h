// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "widgets/state/analysis_request.h"
#include "widgets/state/engine_process.h"
#include "widgets/state/session_service.h"

#include <QElapsedTimer>
#include <QObject>
#include <QTimer>

namespace moescope::widgets {

/// Where a run stands, for the task area and the tree.
struct RunProgress {
    QString title;  ///< "Analyzing tiny-mixtral"
    QString stage;  ///< "layer 7/32"
    double fraction = 0.0;
    std::optional<double> remainingSeconds;
    bool cancelling = false;
};

/// The one analysis that may run at a time: starts the engine, follows its events, and has the
/// session read anew while parts appear, so that figures fill in. *GUI thread only*.
class RunController : public QObject {
    Q_OBJECT
public:
    RunController(SessionService& sessions, QString engine, QObject* parent = nullptr);

    [[nodiscard]] const QString& engine() const { return m_enginePath; }
    /// From started() on, until one of finished(), cancelled() and failed().
    [[nodiscard]] bool isRunning() const { return m_running; }
    [[nodiscard]] const AnalysisRequest& request() const { return m_request; }
    [[nodiscard]] const RunProgress& progress() const { return m_progress; }

    /// False when a run is going already.
    bool start(const AnalysisRequest& request);
    void cancel();

Q_SIGNALS:
    void started(const moescope::widgets::AnalysisRequest& request);
    void progressed(const moescope::widgets::RunProgress& progress);
    /// One finished part: `layer` is -1 for the whole model.
    void partDone(const QString& experiment, int layer);
    void warned(const QString& message);
    void finished(const QString& path);
    void cancelled(const QString& path);
    void failed(const moescope::widgets::Problem& problem);

private:
    void take(const session::RunEvent& event);
    void takeEnd(EngineProcess::End end, const Problem& problem);
    void refresh();

    SessionService& m_sessions;
    QString m_enginePath;
    EngineProcess m_engine;
    AnalysisRequest m_request;
    RunProgress m_progress;
    bool m_running = false;
    QTimer m_refresh;
};

}  // namespace moescope::widgets
