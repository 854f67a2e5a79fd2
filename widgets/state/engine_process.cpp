// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/state/engine_process.h"

#include "core/base/error.h"
#include "widgets/state/window_words.h"

#include <QDir>
#include <QFileInfo>
#include <QStandardPaths>

namespace moescope::widgets {
namespace {

constexpr int kPatienceMs = 10000;
constexpr int kKillMs = 1000;  ///< a killed child goes at once, unless the kernel is busy for it
constexpr qsizetype kKeptBytes = qsizetype{64} * 1024;  ///< of the child's messages, from the end
constexpr int kCancelledCode = 130;

QString codeWord(ErrorCode code) {
    const std::string_view word = name(code);
    return QString::fromLatin1(word.data(), static_cast<qsizetype>(word.size()));
}

}  // namespace

QString findEngine(const QString& programFolder) {
    const QString engine = QStringLiteral("moescope-engine");
    const QDir folder(programFolder);
    const QStringList candidates{qEnvironmentVariable("MOESCOPE_ENGINE"), folder.filePath(engine),
                                 folder.filePath(QStringLiteral("../libexec/moescope/") + engine),
                                 folder.filePath(QStringLiteral("../libexec/") + engine)};
    for (const QString& candidate : candidates) {
        const QFileInfo info(candidate);
        if (!candidate.isEmpty() && info.isFile() && info.isExecutable()) {
            return QDir::cleanPath(info.absoluteFilePath());
        }
    }
    return QStandardPaths::findExecutable(engine);
}

EngineProcess::EngineProcess(QString program, QObject* parent)
    : QObject(parent), m_program(std::move(program)) {
    m_patience.setSingleShot(true);
    m_patience.setInterval(kPatienceMs);
    connect(&m_patience, &QTimer::timeout, &m_process, &QProcess::kill);
    connect(&m_process, &QProcess::readyReadStandardOutput, this, &EngineProcess::readLines);
    connect(&m_process, &QProcess::readyReadStandardError, this, [this] { keepMessages(); });
    connect(&m_process, &QProcess::finished, this, &EngineProcess::finish);
    connect(&m_process, &QProcess::errorOccurred, this, &EngineProcess::fail);
}

EngineProcess::~EngineProcess() {
    m_process.disconnect(this);
    if (isRunning()) {
        m_process.kill();
        m_process.waitForFinished(kKillMs);
    }
}

void EngineProcess::start(const QStringList& arguments, const QString& folder) {
    if (isRunning()) {
        return;
    }
    m_plain.clear();
    m_messages.clear();
    m_failure.reset();
    m_cancelling = false;
    m_sawCancelled = false;
    m_process.setWorkingDirectory(folder);
    m_process.start(m_program, arguments, QIODevice::ReadOnly);
}

void EngineProcess::cancel() {
    if (!isRunning()) {
        return;
    }
    if (m_cancelling) {
        m_process.kill();
        return;
    }
    m_cancelling = true;
    m_process.terminate();
    m_patience.start();
}

void EngineProcess::keepMessages() {
    m_messages.append(m_process.readAllStandardError());
    m_messages = m_messages.right(kKeptBytes);
}

void EngineProcess::readLines() {
    while (m_process.canReadLine()) {
        takeLine(m_process.readLine());
    }
}

void EngineProcess::takeLine(const QByteArray& line) {
    const QByteArray text = line.trimmed();
    if (text.isEmpty()) {
        return;
    }
    std::optional<session::RunEvent> parsed =
        session::parseJsonLine({text.constData(), static_cast<std::size_t>(text.size())});
    if (!parsed) {
        m_plain.append(line);
        return;
    }
    parsed->message = inWindowWords(QString::fromStdString(parsed->message)).toStdString();
    if (parsed->kind == session::RunEvent::Kind::Failed) {
        m_failure = parsed;
    }
    m_sawCancelled = m_sawCancelled || parsed->kind == session::RunEvent::Kind::Cancelled;
    Q_EMIT eventReceived(*parsed);
}

void EngineProcess::finish(int exitCode, QProcess::ExitStatus status) {
    m_patience.stop();
    readLines();
    takeLine(m_process.readAllStandardOutput());
    keepMessages();
    const bool clean = status == QProcess::NormalExit && exitCode == 0;
    if (clean) {
        Q_EMIT ended(End::Finished, {});
    } else if (m_cancelling || m_sawCancelled || exitCode == kCancelledCode) {
        Q_EMIT ended(End::Cancelled, {});
    } else {
        Q_EMIT ended(End::Failed, problemOf(exitCode, status));
    }
}

void EngineProcess::fail(QProcess::ProcessError error) {
    // Everything else also ends the process and is told by finish().
    if (error != QProcess::FailedToStart) {
        return;
    }
    const QString what =
        m_program.isEmpty()
            ? tr("moescope-engine was not found beside the program or in PATH. Install or build "
                 "it, or set MOESCOPE_ENGINE to its path.")
            : tr("%1 could not be started: %2.").arg(m_program, m_process.errorString());
    Q_EMIT ended(End::Failed, {codeWord(ErrorCode::FileNotFound), what, {}});
}

Problem EngineProcess::problemOf(int exitCode, QProcess::ExitStatus status) const {
    const QString messages = QString::fromUtf8(m_messages).trimmed();
    if (m_failure) {
        return {QString::fromStdString(m_failure->errorCode),
                QString::fromStdString(m_failure->message), messages};
    }
    if (status == QProcess::CrashExit) {
        return {codeWord(ErrorCode::Internal),
                tr("The engine stopped unexpectedly, perhaps because memory ran out. What was "
                   "finished is kept: go on, with a smaller memory budget if needed."),
                messages};
    }
    QString last = messages.section(QLatin1Char('\n'), -1);
    // On a terminal a message says whose it is.
    const QString own = QFileInfo(m_program).fileName() + QStringLiteral(": ");
    if (last.startsWith(own)) {
        last.remove(0, own.size());
    }
    return {codeWord(ErrorCode::Internal),
            last.isEmpty() ? tr("The engine ended with exit code %1.").arg(exitCode)
                           : inWindowWords(last),
            messages};
}

}  // namespace moescope::widgets
