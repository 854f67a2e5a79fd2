// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QStringList>
#include <QWidget>

class QMimeData;

namespace moescope::widgets {

/// What a dropped file is to the program.
enum class DropKind { Nothing, Session, Checkpoint };

/// A GGUF file and a folder with one or with config.json are checkpoints; *.h5, *.hdf5, *.nxs and
/// RUN.h5.partial are sessions.
[[nodiscard]] DropKind kindOfPath(const QString& path);

/// The local files of a drag, those the program can open.
[[nodiscard]] QStringList droppablePaths(const QMimeData& data);

/// Covers the window while something is dragged over it and says what dropping will do. Takes drags
/// of the whole window it is laid over. *GUI thread only*.
class DropOverlay : public QWidget {
    Q_OBJECT
public:
    /// Installs itself on `window`.
    explicit DropOverlay(QWidget& window);

Q_SIGNALS:
    void sessionsDropped(const QStringList& paths);
    void checkpointDropped(const QString& path);

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;
    void paintEvent(QPaintEvent* event) override;

private:
    void announce(const QStringList& paths);
    void deliver(const QStringList& paths);

    QWidget& m_window;
    QString m_text;
};

}  // namespace moescope::widgets
