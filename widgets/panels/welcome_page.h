// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "widgets/state/workspace.h"

#include <QWidget>

class QLabel;
class QPushButton;
class QVBoxLayout;

namespace moescope::widgets {

/// What the window shows while no session is open: what to do, each with its button, and the recent
/// files. *GUI thread only*.
class WelcomePage : public QWidget {
    Q_OBJECT
public:
    explicit WelcomePage(Workspace& workspace, QWidget* parent = nullptr);

Q_SIGNALS:
    void demoRequested();
    void openRequested();
    void analysisRequested();
    void recentChosen(const QString& path);

private:
    void build();
    void fillRecent();
    QPushButton* addButton(const QString& name, const QString& iconName, const QString& label);

    Workspace& m_workspace;
    QVBoxLayout* m_recent = nullptr;
    QLabel* m_recentTitle = nullptr;
};

}  // namespace moescope::widgets
