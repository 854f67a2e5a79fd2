// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "widgets/state/job_runner.h"
#include "widgets/state/open_session.h"

#include <QHash>
#include <QList>
#include <QObject>

#include <map>
#include <memory>

namespace moescope::widgets {

/// Opens, reloads and closes sessions off the GUI thread and keeps the open ones. Everything that
/// reads a session's arrays runs on lane(). *GUI thread only*.
class SessionService : public QObject {
    Q_OBJECT
public:
    explicit SessionService(SessionLoader loader = loadSession, QObject* parent = nullptr);
    ~SessionService() override;

    /// The one I/O lane of the window.
    [[nodiscard]] WorkLane& lane() { return m_lane; }

    /// Opens a session, or announces the one that is open under this path already (after reloading
    /// it). Answers with opened() or failed().
    void open(const QString& path);
    /// Reads a session anew, since a run has finished further parts. Answers with reloaded(); while
    /// a reload is under way another one is remembered, not queued twice.
    void reload(int id);
    void close(int id);

    [[nodiscard]] const QList<SessionSnapshot>& sessions() const { return m_sessions; }
    [[nodiscard]] SessionSnapshot find(int id) const;
    [[nodiscard]] SessionSnapshot findPath(const QString& path) const;
    [[nodiscard]] bool isOpening() const { return !m_opening.isEmpty(); }

    /// Two spellings of one file are one session; RUN.h5.partial is RUN.h5.
    [[nodiscard]] static QString normalisedPath(const QString& path);

Q_SIGNALS:
    void opening(const QString& path);
    void opened(const moescope::widgets::SessionSnapshot& session);
    void reloaded(const moescope::widgets::SessionSnapshot& session);
    void failed(const QString& path, const moescope::widgets::Problem& problem);
    void closed(int id);

private:
    void take(const QString& path, const Outcome<LoadedSession>& outcome);
    void takeReload(int id, const Outcome<LoadedSession>& outcome);
    /// Lets go of a session on the lane: closing its files waits for whatever HDF5 is doing.
    void release(SessionSnapshot session);
    [[nodiscard]] qsizetype indexOf(int id) const;
    /// Titles of the open sessions but one.
    [[nodiscard]] QStringList titlesBut(int id) const;
    [[nodiscard]] std::function<LoadedSession(std::stop_token)> reader(const QString& path) const;

    SessionLoader m_loader;
    QList<SessionSnapshot> m_sessions;
    QHash<QString, JobRunner*> m_opening;
    struct Reload {
        JobRunner* runner = nullptr;
        bool again = false;
    };
    std::map<int, Reload> m_reloads;
    int m_nextId = 1;
    WorkLane m_lane;  ///< last: its jobs end before the rest goes
};

}  // namespace moescope::widgets
