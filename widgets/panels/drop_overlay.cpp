// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/panels/drop_overlay.h"

#include "widgets/support/theme.h"

#include <QDir>
#include <QDragEnterEvent>
#include <QFileInfo>
#include <QMimeData>
#include <QPainter>
#include <QUrl>

#include <algorithm>

namespace moescope::widgets {
namespace {

constexpr int kMargin = 16;
constexpr int kRadius = 8;
constexpr int kFillAlpha = 235;

/// config.json of the hub's checkpoints, or a GGUF file.
bool holdsModel(const QDir& folder) {
    return QFileInfo::exists(folder.filePath(QStringLiteral("config.json"))) ||
           !folder.entryList({QStringLiteral("*.gguf")}, QDir::Files).isEmpty();
}

bool isFolderOfCheckpoints(const QString& path) {
    // The hub's cache: models--org--name/snapshots/HASH, or a folder that holds such folders.
    const QDir folder(path);
    if (QFileInfo(folder.filePath(QStringLiteral("snapshots"))).isDir()) {
        return true;
    }
    const QStringList inner = folder.entryList(QDir::Dirs | QDir::NoDotAndDotDot);
    return std::any_of(inner.begin(), inner.end(), [&](const QString& name) {
        return holdsModel(QDir(folder.filePath(name)));
    });
}

}  // namespace

DropKind kindOfPath(const QString& path) {
    const QFileInfo info(path);
    if (path.endsWith(QLatin1String(".h5.partial")) && info.isDir()) {
        return DropKind::Session;
    }
    if (info.isDir()) {
        const bool checkpoint = holdsModel(QDir(path)) || isFolderOfCheckpoints(path);
        return checkpoint ? DropKind::Checkpoint : DropKind::Nothing;
    }
    const QString suffix = info.suffix().toLower();
    if (info.isFile() && suffix == QLatin1String("gguf")) {
        return DropKind::Checkpoint;
    }
    const bool session = suffix == QLatin1String("h5") || suffix == QLatin1String("hdf5") ||
                         suffix == QLatin1String("nxs");
    return info.isFile() && session ? DropKind::Session : DropKind::Nothing;
}

QStringList droppablePaths(const QMimeData& data) {
    QStringList paths;
    const QList<QUrl> urls = data.urls();
    for (const QUrl& url : urls) {
        const QString path = url.toLocalFile();
        if (!path.isEmpty() && kindOfPath(path) != DropKind::Nothing) {
            paths << path;
        }
    }
    return paths;
}

DropOverlay::DropOverlay(QWidget& window) : QWidget(&window), m_window(window) {
    setObjectName(QStringLiteral("dropOverlay"));
    setAttribute(Qt::WA_TransparentForMouseEvents);
    hide();
    window.setAcceptDrops(true);
    window.installEventFilter(this);
}

void DropOverlay::announce(const QStringList& paths) {
    const QString name = QFileInfo(paths.first()).fileName();
    const bool checkpoint = kindOfPath(paths.first()) == DropKind::Checkpoint;
    m_text = checkpoint          ? tr("Drop to analyze the checkpoint %1").arg(name)
             : paths.size() == 1 ? tr("Drop to open the session %1").arg(name)
                                 : tr("Drop to open %1 sessions").arg(paths.size());
    setGeometry(m_window.rect());
    raise();
    show();
    update();
}

void DropOverlay::deliver(const QStringList& paths) {
    QStringList sessions;
    QString checkpoint;
    for (const QString& path : paths) {
        if (kindOfPath(path) == DropKind::Session) {
            sessions << path;
        } else if (checkpoint.isEmpty()) {
            checkpoint = path;
        }
    }
    if (!sessions.isEmpty()) {
        Q_EMIT sessionsDropped(sessions);
    }
    if (!checkpoint.isEmpty()) {
        Q_EMIT checkpointDropped(checkpoint);
    }
}

bool DropOverlay::eventFilter(QObject* watched, QEvent* event) {
    switch (event->type()) {
        case QEvent::DragEnter: {
            auto* drag = static_cast<QDragEnterEvent*>(event);
            const QStringList paths = droppablePaths(*drag->mimeData());
            if (paths.isEmpty()) {
                return false;
            }
            announce(paths);
            drag->acceptProposedAction();
            return true;
        }
        case QEvent::DragMove:
            static_cast<QDragMoveEvent*>(event)->acceptProposedAction();
            return isVisible();
        case QEvent::DragLeave:
            hide();
            return true;
        case QEvent::Drop: {
            hide();
            auto* drop = static_cast<QDropEvent*>(event);
            const QStringList paths = droppablePaths(*drop->mimeData());
            if (!paths.isEmpty()) {
                drop->acceptProposedAction();
                deliver(paths);
            }
            return true;
        }
        case QEvent::Resize:
            setGeometry(m_window.rect());
            return false;
        default:
            return QWidget::eventFilter(watched, event);
    }
}

void DropOverlay::paintEvent(QPaintEvent* /*event*/) {
    const Theme theme = Theme::fromPalette(palette());
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    QColor veil = palette().color(QPalette::Window);
    veil.setAlpha(kFillAlpha);
    painter.fillRect(rect(), veil);
    painter.setPen(QPen(theme.accent, 2.0, Qt::DashLine));
    painter.setBrush(Qt::NoBrush);
    painter.drawRoundedRect(rect().adjusted(kMargin, kMargin, -kMargin, -kMargin), kRadius,
                            kRadius);
    QFont large = font();
    large.setPointSizeF(large.pointSizeF() * 1.5);
    painter.setFont(large);
    painter.setPen(theme.text);
    painter.drawText(rect().adjusted(3 * kMargin, 0, -3 * kMargin, 0),
                     Qt::AlignCenter | Qt::TextWordWrap, m_text);
}

}  // namespace moescope::widgets
