// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/panels/command_palette.h"

#include <QAction>
#include <QHeaderView>
#include <QKeyEvent>
#include <QLineEdit>
#include <QPointer>
#include <QTimer>
#include <QTreeView>
#include <QVBoxLayout>

#include <algorithm>

namespace moescope::widgets {
namespace {

constexpr int kWidth = 560;
constexpr int kHeight = 380;
constexpr int kTop = 64;

}  // namespace

CommandPalette::CommandPalette(QWidget* window)
    : QFrame(window),
      m_model(new CommandModel(this)),
      m_filter(new FuzzyFilter(this)),
      m_search(new QLineEdit(this)),
      m_list(new QTreeView(this)) {
    setObjectName(QStringLiteral("commandPalette"));
    setFrameShape(QFrame::StyledPanel);
    setFrameShadow(QFrame::Raised);
    setAutoFillBackground(true);
    m_filter->setSourceModel(m_model);
    m_search->setObjectName(QStringLiteral("commandSearch"));
    m_search->setPlaceholderText(tr("Type a command"));
    m_search->setAccessibleName(tr("Command"));
    m_search->installEventFilter(this);
    m_list->setObjectName(QStringLiteral("commandList"));
    m_list->setAccessibleName(tr("Commands"));
    m_list->setModel(m_filter);
    m_list->setHeaderHidden(true);
    m_list->setRootIsDecorated(false);
    m_list->setUniformRowHeights(true);
    m_list->setFrameShape(QFrame::NoFrame);
    m_list->setFocusPolicy(Qt::NoFocus);
    m_list->header()->setStretchLastSection(false);
    m_list->header()->setSectionResizeMode(0, QHeaderView::Stretch);
    m_list->header()->setSectionResizeMode(1, QHeaderView::ResizeToContents);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(12, 12, 12, 12);
    column->setSpacing(8);
    column->addWidget(m_search);
    column->addWidget(m_list, 1);
    connect(m_search, &QLineEdit::textChanged, this, [this](const QString& text) {
        m_filter->setPattern(text);
        m_list->setCurrentIndex(m_filter->index(0, 0));
    });
    connect(m_search, &QLineEdit::returnPressed, this, &CommandPalette::runCurrent);
    connect(m_list, &QTreeView::clicked, this, &CommandPalette::runCurrent);
    hide();
}

void CommandPalette::open(const QList<Command>& commands) {
    m_model->setCommands(commands);
    m_search->clear();
    m_filter->setPattern({});
    m_list->setCurrentIndex(m_filter->index(0, 0));
    place();
    show();
    raise();
    m_search->setFocus(Qt::PopupFocusReason);
}

void CommandPalette::place() {
    const QWidget* window = parentWidget();
    const int width = std::min(kWidth, window->width() - 32);
    const int height = std::min(kHeight, window->height() - kTop - 16);
    setGeometry((window->width() - width) / 2, kTop, width, height);
}

void CommandPalette::moveCurrent(int rows) {
    const int row =
        std::clamp(m_list->currentIndex().row() + rows, 0, std::max(0, m_filter->rowCount() - 1));
    m_list->setCurrentIndex(m_filter->index(row, 0));
}

bool CommandPalette::eventFilter(QObject* watched, QEvent* event) {
    if (watched != m_search) {
        return QFrame::eventFilter(watched, event);
    }
    if (event->type() == QEvent::FocusOut && isVisible()) {
        QTimer::singleShot(0, this, [this] {
            if (!m_search->hasFocus()) {
                hide();
            }
        });
        return false;
    }
    if (event->type() != QEvent::KeyPress) {
        return false;
    }
    switch (static_cast<QKeyEvent*>(event)->key()) {
        case Qt::Key_Escape:
            hide();
            parentWidget()->setFocus();
            return true;
        case Qt::Key_Up:
            moveCurrent(-1);
            return true;
        case Qt::Key_Down:
            moveCurrent(+1);
            return true;
        case Qt::Key_PageUp:
            moveCurrent(-8);
            return true;
        case Qt::Key_PageDown:
            moveCurrent(+8);
            return true;
        default:
            return false;
    }
}

void CommandPalette::runCurrent() {
    const QPointer<QAction> action = m_model->action(m_filter->mapToSource(m_list->currentIndex()));
    hide();
    if (!action.isNull() && action->isEnabled()) {
        // After the palette has given the focus back, so that the command acts on the window.
        QTimer::singleShot(0, action, &QAction::trigger);
    }
}

}  // namespace moescope::widgets
