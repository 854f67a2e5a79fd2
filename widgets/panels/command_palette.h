// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "widgets/models/command_model.h"

#include <QFrame>

class QLineEdit;
class QTreeView;

namespace moescope::widgets {

/// Every command of the window by a few letters of its name (Ctrl+Shift+P). A frame over the
/// window, not a dialog: Escape or a click elsewhere closes it. *GUI thread only*.
class CommandPalette : public QFrame {
    Q_OBJECT
public:
    explicit CommandPalette(QWidget* window);

    void open(const QList<Command>& commands);

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void runCurrent();
    void moveCurrent(int rows);
    void place();

    CommandModel* m_model;
    FuzzyFilter* m_filter;
    QLineEdit* m_search;
    QTreeView* m_list;
};

}  // namespace moescope::widgets
