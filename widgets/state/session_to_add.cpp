// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/state/session_to_add.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>

namespace moescope::widgets {

std::optional<AnalysisRequest> requestToAdd(const OpenSession& session,
                                            const QStringList& experiments) {
    std::optional<AnalysisRequest> request =
        requestToAdd(lineToReplay(QString::fromStdString(session.head().run.commandLine)),
                     session.path, experiments, false);
    if (!request) {
        return std::nullopt;
    }
    if (request->folder.isEmpty() || !QFileInfo::exists(absoluteCheckpoint(*request))) {
        // Sessions of format 1.0 did not say where they began.
        AnalysisRequest beside = *request;
        beside.folder = QFileInfo(session.path).absolutePath();
        if (QFileInfo::exists(absoluteCheckpoint(beside))) {
            return beside;
        }
    }
    return request;
}

AnalysisRequest withAbsolutePaths(AnalysisRequest request) {
    if (request.folder.isEmpty()) {
        return request;
    }
    const QDir folder(request.folder);
    const auto absolute = [&](const QString& path) {
        return QDir::cleanPath(folder.absoluteFilePath(path));
    };
    request.checkpoint = absolute(request.checkpoint);
    if (request.replay.size() > 1) {
        request.replay[1] = request.checkpoint;
    }
    for (QString& baseline : request.baselines) {
        baseline = absolute(baseline);
    }
    request.folder.clear();
    return request;
}

QStringList experimentsDone(const session::Head& head) {
    QStringList ids;
    for (const session::ExperimentRecord& record : head.experiments) {
        if (record.state == session::ExperimentState::Done) {
            ids << QString::fromStdString(record.id);
        }
    }
    return ids;
}

QString copySession(const QString& from, const QString& to) {
    QFile source(from);
    if (!source.copy(to)) {
        return source.errorString();
    }
    QFile::setPermissions(to, QFile::permissions(to) | QFile::WriteOwner);
    return {};
}

}  // namespace moescope::widgets
