// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/install_paths.h"

#include "core/experiments/catalogue.h"

#include <QDir>
#include <QFileInfo>

namespace moescope::app {
namespace {

QString demoFolder(const QString& programFolder) {
    const QDir program(programFolder);
    for (const QString& candidate : {program.filePath(QStringLiteral("../share/moescope/demo")),
                                     program.filePath(QStringLiteral("../../../resources/demo"))}) {
        if (QFileInfo(candidate).isDir()) {
            return QDir::cleanPath(QFileInfo(candidate).absoluteFilePath());
        }
    }
    return {};
}

QString existing(const QDir& folder, const QString& name) {
    const QString path = folder.filePath(name);
    return QFileInfo::exists(path) ? path : QString();
}

/// demo.h5, or the only session there is.
QString demoSession(const QDir& folder) {
    QString named = existing(folder, QStringLiteral("demo.h5"));
    if (!named.isEmpty()) {
        return named;
    }
    const QStringList sessions =
        folder.entryList({QStringLiteral("*.h5")}, QDir::Files, QDir::Name);
    return sessions.isEmpty() ? QString() : folder.filePath(sessions.first());
}

}  // namespace

widgets::InstallPaths findInstallPaths(const QString& programFolder) {
    widgets::InstallPaths paths;
    paths.engine = widgets::findEngine(programFolder);
    const QString folder = demoFolder(programFolder);
    if (!folder.isEmpty()) {
        const QDir demo(folder);
        paths.demoSession = demoSession(demo);
        paths.demoModel = existing(demo, QStringLiteral("tiny-mixtral"));
        paths.demoBaseline = existing(demo, QStringLiteral("tiny-mistral"));
        paths.demoText = existing(demo, QStringLiteral("text/corpus.jsonl"));
    }
    return paths;
}

widgets::AnalysisRequest demoRequest(const widgets::InstallPaths& paths, const QString& output) {
    widgets::AnalysisRequest request;
    request.checkpoint = paths.demoModel;
    if (!paths.demoBaseline.isEmpty()) {
        request.baselines << paths.demoBaseline;
    }
    request.textKind = widgets::TextKind::Jsonl;
    request.files << paths.demoText;
    request.column = QStringLiteral("text");
    request.domainColumn = QStringLiteral("domain");
    for (const experiments::ExperimentInfo& info : experiments::catalogue()) {
        if (info.kind != experiments::ExperimentKind::Derived) {
            request.experiments << QString::fromUtf8(info.id.data(),
                                                     static_cast<qsizetype>(info.id.size()));
        }
    }
    request.output = output;
    request.resume = QFileInfo::exists(output + QStringLiteral(".partial"));
    return request;
}

}  // namespace moescope::app
