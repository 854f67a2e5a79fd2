// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "widgets/models/session_tree_model.h"
#include "widgets/state/workspace.h"

#include <QWidget>

class QLabel;
class QTreeView;

namespace moescope::widgets {

/// The open sessions as a tree. Choosing a row makes its session the current one; experiments that
/// are not there yet can be asked for. *GUI thread only*.
class SessionsPanel : public QWidget {
    Q_OBJECT
public:
    explicit SessionsPanel(Workspace& workspace, QWidget* parent = nullptr);

    [[nodiscard]] QTreeView& tree() { return *m_tree; }
    [[nodiscard]] SessionTreeModel& model() { return *m_model; }

Q_SIGNALS:
    void runRequested(int session, const QStringList& experiments);
    /// An experiment that is there was chosen: show its figure.
    void figureRequested(const QString& experiment);

private:
    void build();
    void takeSession(const SessionSnapshot& session);
    void takeCurrent();
    void activate(const QModelIndex& index);
    void showMenu(const QPoint& position);
    void updateRunning();
    void updateEmpty();

    Workspace& m_workspace;
    SessionTreeModel* m_model;
    QTreeView* m_tree;
    QLabel* m_empty;  ///< in place of the tree while no session is open
};

}  // namespace moescope::widgets
