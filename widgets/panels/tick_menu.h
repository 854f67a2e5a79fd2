// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QMenu>

namespace moescope::widgets {

/// A menu that stays open while its entries are ticked, by mouse, space or Enter, so that several
/// can be chosen at once. *GUI thread only*.
class TickMenu : public QMenu {
    Q_OBJECT
public:
    using QMenu::QMenu;

protected:
    void mousePressEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    /// Whether there was something to tick.
    static bool tick(QAction* action);

    bool m_isPressed = false;  ///< the left button went down inside
};

}  // namespace moescope::widgets
