// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "widgets/state/workspace.h"

#include <QTimer>
#include <QWidget>

class QLabel;
class QSlider;
class QSpinBox;
class QToolButton;

namespace moescope::widgets {

/// The one layer slider of the window, with step and play buttons: it moves the selection, and
/// every figure follows. *GUI thread only*.
class LayerBar : public QWidget {
    Q_OBJECT
public:
    explicit LayerBar(Workspace& workspace, QWidget* parent = nullptr);

    [[nodiscard]] bool isPlaying() const { return m_timer.isActive(); }
    /// Plays from the current layer, from the first one when at the end.
    void setPlaying(bool playing);
    void step(int direction);

Q_SIGNALS:
    void playingChanged(bool playing);

private:
    void build();
    void takeSession();
    void takeLayer();
    void advance();

    Workspace& m_workspace;
    QSlider* m_slider;
    QSpinBox* m_number;
    QLabel* m_note;
    QToolButton* m_previous;
    QToolButton* m_play;
    QToolButton* m_next;
    QTimer m_timer;
};

}  // namespace moescope::widgets
