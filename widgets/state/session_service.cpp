// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/state/session_service.h"

#include <QDir>
#include <QFileInfo>

#include <algorithm>
#include <utility>

namespace moescope::widgets {

SessionService::SessionService(SessionLoader loader, QObject* parent)
    : QObject(parent), m_loader(std::move(loader)) {}

SessionService::~SessionService() {
    // Runners are children and would outlive the lane they refer to.
    qDeleteAll(findChildren<JobRunner*>(QString(), Qt::FindDirectChildrenOnly));
}

QString SessionService::normalisedPath(const QString& path) {
    const QString suffix = QStringLiteral(".partial");
    QString file = QDir::cleanPath(path);
    if (file.endsWith(suffix)) {
        file.chop(suffix.size());
    }
    const QFileInfo info(file);
    const QString canonical = info.canonicalFilePath();
    return canonical.isEmpty() ? info.absoluteFilePath() : canonical;
}

std::function<LoadedSession(std::stop_token)> SessionService::reader(const QString& path) const {
    return [file = std::filesystem::path(path.toStdString()),
            load = m_loader](const std::stop_token&) { return load(file); };
}

void SessionService::open(const QString& path) {
    const QString file = normalisedPath(path);
    if (m_opening.contains(file)) {
        return;
    }
    if (const SessionSnapshot existing = findPath(file)) {
        Q_EMIT opened(existing);
        reload(existing->id);
        return;
    }
    auto* runner = new JobRunner(m_lane, this);
    m_opening.insert(file, runner);
    Q_EMIT opening(file);
    runner->run<LoadedSession>(
        reader(file), [this, file](const Outcome<LoadedSession>& outcome) { take(file, outcome); });
}

void SessionService::take(const QString& path, const Outcome<LoadedSession>& outcome) {
    if (JobRunner* runner = m_opening.take(path)) {
        runner->deleteLater();
    }
    if (!outcome.ok()) {
        Q_EMIT failed(path, outcome.problem());
        return;
    }
    auto session = std::make_shared<OpenSession>();
    session->id = m_nextId++;
    session->path = path;
    session->content = outcome.value();
    session->title = titleOf(session->head(), path, titlesBut(session->id));
    m_sessions.append(session);
    Q_EMIT opened(m_sessions.constLast());
}

void SessionService::reload(int id) {
    const SessionSnapshot current = find(id);
    if (!current) {
        return;
    }
    Reload& reload = m_reloads[id];
    if (reload.runner != nullptr) {
        reload.again = true;
        return;
    }
    reload.runner = new JobRunner(m_lane, this);
    reload.runner->run<LoadedSession>(
        reader(current->path),
        [this, id](const Outcome<LoadedSession>& outcome) { takeReload(id, outcome); });
}

void SessionService::takeReload(int id, const Outcome<LoadedSession>& outcome) {
    const auto found = m_reloads.find(id);
    bool again = false;
    if (found != m_reloads.end()) {
        found->second.runner->deleteLater();
        again = found->second.again;
        m_reloads.erase(found);
    }
    const qsizetype index = indexOf(id);
    if (index < 0) {
        return;
    }
    // A reload may meet the moment in which a run replaces its files; what was read stays then, and
    // the next finished part tries again.
    if (outcome.ok()) {
        auto session = std::make_shared<OpenSession>(*m_sessions[index]);
        session->content = outcome.value();
        session->title = titleOf(session->head(), session->path, titlesBut(id));
        ++session->revision;
        SessionSnapshot before = std::exchange(m_sessions[index], session);
        Q_EMIT reloaded(m_sessions.at(index));
        release(std::move(before));
    }
    if (again) {
        reload(id);
    }
}

void SessionService::close(int id) {
    const qsizetype index = indexOf(id);
    if (index < 0) {
        return;
    }
    if (const auto found = m_reloads.find(id); found != m_reloads.end()) {
        found->second.runner->deleteLater();
        m_reloads.erase(found);
    }
    SessionSnapshot before = m_sessions.takeAt(index);
    Q_EMIT closed(id);
    release(std::move(before));
}

void SessionService::release(SessionSnapshot session) {
    m_lane.post([session = std::move(session)](const std::stop_token&) {},
                WorkLane::Priority::Background);
}

QStringList SessionService::titlesBut(int id) const {
    QStringList titles;
    for (const SessionSnapshot& session : m_sessions) {
        if (session->id != id) {
            titles << session->title;
        }
    }
    return titles;
}

qsizetype SessionService::indexOf(int id) const {
    const auto found = std::find_if(m_sessions.begin(), m_sessions.end(),
                                    [id](const SessionSnapshot& s) { return s->id == id; });
    return found == m_sessions.end() ? -1 : found - m_sessions.begin();
}

SessionSnapshot SessionService::find(int id) const {
    const qsizetype index = indexOf(id);
    return index < 0 ? nullptr : m_sessions.at(index);
}

SessionSnapshot SessionService::findPath(const QString& path) const {
    const QString file = normalisedPath(path);
    const auto found = std::find_if(m_sessions.begin(), m_sessions.end(),
                                    [&](const SessionSnapshot& s) { return s->path == file; });
    return found == m_sessions.end() ? nullptr : *found;
}

}  // namespace moescope::widgets
