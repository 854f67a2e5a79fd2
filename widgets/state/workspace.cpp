// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/state/workspace.h"

namespace moescope::widgets {

Workspace::Workspace(InstallPaths paths, Settings& settings, SessionLoader loader, QObject* parent)
    : QObject(parent),
      m_paths(std::move(paths)),
      m_settings(settings),
      m_sessions(std::move(loader)),
      m_run(m_sessions, m_paths.engine) {
    connect(&m_sessions, &SessionService::opened, this, &Workspace::adopt);
    connect(&m_sessions, &SessionService::reloaded, this, &Workspace::replace);
    connect(&m_sessions, &SessionService::closed, this, &Workspace::forget);
}

void Workspace::setCurrent(int session) {
    const SessionSnapshot found = m_sessions.find(session);
    if (found && found != m_current) {
        show(found);
    }
}

void Workspace::adopt(const SessionSnapshot& session) {
    m_settings.addRecentFile(session->path);
    show(session);
}

void Workspace::replace(const SessionSnapshot& session) {
    m_figures.forgetSession(session->id);
    if (m_current && m_current->id == session->id) {
        show(session);
    }
}

void Workspace::forget(int session) {
    m_figures.forgetSession(session);
    if (m_current && m_current->id == session) {
        const QList<SessionSnapshot>& left = m_sessions.sessions();
        show(left.isEmpty() ? nullptr : left.constLast());
    }
}

void Workspace::show(const SessionSnapshot& session) {
    const bool same = session && m_current && session->id == m_current->id;
    m_current = session;
    m_selection.setSession(session ? session->id : 0,
                           session ? boundsOf(session->head()) : SelectionBounds{});
    Q_EMIT currentChanged(m_current, same);
}

}  // namespace moescope::widgets
