// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "widgets/panels/inspector_pages.h"
#include "widgets/state/workspace.h"

#include <QWidget>

class QLabel;
class QStackedWidget;

namespace moescope::widgets {

class MessageBar;

/// What is known about the thing selected last: the model, a token, an expert or a pair. Reads on
/// the I/O lane, the last request wins. *GUI thread only*.
class InspectorPanel : public QWidget {
    Q_OBJECT
public:
    explicit InspectorPanel(Workspace& workspace, QWidget* parent = nullptr);

Q_SIGNALS:
    /// All about the selected expert is wanted.
    void cardRequested();

protected:
    void showEvent(QShowEvent* event) override;

private:
    void build();
    void refresh();
    void takeSelection(SelectionChanges changes);
    void showModel(const SessionSnapshot& session);
    void requestToken(const SessionSnapshot& session);
    void requestExpert(const SessionSnapshot& session);
    void requestPair(const SessionSnapshot& session);
    void setHeading(const QString& title, const QString& subtitle);
    void fail(const Problem& problem);

    Workspace& m_workspace;
    QLabel* m_title;
    QLabel* m_subtitle;
    MessageBar* m_messages;
    QStackedWidget* m_pages;
    PropertyPage* m_modelPage;
    TokenPage* m_tokenPage;
    ExpertPage* m_expertPage;
    PairPage* m_pairPage;
    JobRunner m_runner;
    bool m_stale = true;
};

}  // namespace moescope::widgets
