// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/panels/tick_menu.h"

#include <QKeyEvent>
#include <QMouseEvent>

#include <utility>

namespace moescope::widgets {

bool TickMenu::tick(QAction* action) {
    if (action == nullptr || !action->isEnabled() || !action->isCheckable()) {
        return false;
    }
    action->trigger();
    return true;
}

void TickMenu::mousePressEvent(QMouseEvent* event) {
    m_isPressed = event->button() == Qt::LeftButton && rect().contains(event->position().toPoint());
    QMenu::mousePressEvent(event);
}

// The release of the press that opened the menu ticks nothing; QMenu lets any button choose.
void TickMenu::mouseReleaseEvent(QMouseEvent* event) {
    const bool isClick = std::exchange(m_isPressed, false) && event->button() == Qt::LeftButton;
    QAction* action = actionAt(event->position().toPoint());
    if (!isClick && action != nullptr && action->isCheckable()) {
        event->accept();
        return;
    }
    if (!isClick || !tick(action)) {
        QMenu::mouseReleaseEvent(event);
    }
}

void TickMenu::keyPressEvent(QKeyEvent* event) {
    const int key = event->key();
    const bool isPress = key == Qt::Key_Space || key == Qt::Key_Return || key == Qt::Key_Enter;
    if (!isPress || !tick(activeAction())) {
        QMenu::keyPressEvent(event);
    }
}

}  // namespace moescope::widgets
