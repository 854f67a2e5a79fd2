// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/session/run_events.h"
#include "widgets/state/outcome.h"

#include <QObject>
#include <QProcess>
#include <QString>
#include <QStringList>
#include <QTimer>

#include <optional>

namespace moescope::widgets {

/// Where moescope-engine is: MOESCOPE_ENGINE, beside the program, in libexec, in PATH. Empty when
/// it is nowhere.
[[nodiscard]] QString findEngine(const QString& programFolder);

/// moescope-engine as a child: its JSON lines become events, their messages in the window's words;
/// its other output is kept for the details of an error. Never blocks; a child that dies takes
/// nothing with it. *GUI thread only*.
class EngineProcess : public QObject {
    Q_OBJECT
public:
    enum class End { Finished, Cancelled, Failed };

    explicit EngineProcess(QString program, QObject* parent = nullptr);
    /// Kills a child that still runs: nothing finished is lost, and nobody waits. Who has the time
    /// cancels first.
    ~EngineProcess() override;

    /// One run at a time; a start while one is going is ignored. `folder`: where relative paths
    /// stand, empty: this process's own.
    void start(const QStringList& arguments, const QString& folder = {});
    [[nodiscard]] bool isRunning() const { return m_process.state() != QProcess::NotRunning; }
    [[nodiscard]] bool isCancelling() const { return m_cancelling; }

    /// Asks politely (SIGTERM): the engine finishes its block and keeps what is done. A second
    /// call, or ten seconds, is not polite any more; a killed run resumes just as well.
    void cancel();

    /// What the child printed on stdout that is no event ("info --json" prints one JSON document).
    [[nodiscard]] const QByteArray& plainOutput() const { return m_plain; }

Q_SIGNALS:
    void eventReceived(const moescope::session::RunEvent& event);
    void ended(moescope::widgets::EngineProcess::End end,
               const moescope::widgets::Problem& problem);

private:
    void readLines();
    void keepMessages();
    void takeLine(const QByteArray& line);
    void finish(int exitCode, QProcess::ExitStatus status);
    void fail(QProcess::ProcessError error);
    [[nodiscard]] Problem problemOf(int exitCode, QProcess::ExitStatus status) const;

    QString m_program;
    QProcess m_process;
    QTimer m_patience;
    QByteArray m_plain;
    QByteArray m_messages;
    std::optional<session::RunEvent> m_failure;
    bool m_cancelling = false;
    bool m_sawCancelled = false;
};

}  // namespace moescope::widgets
