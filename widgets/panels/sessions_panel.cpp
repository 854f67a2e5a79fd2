// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/panels/sessions_panel.h"

#include "widgets/panels/session_row_delegate.h"

#include <QClipboard>
#include <QDesktopServices>
#include <QFileInfo>
#include <QGuiApplication>
#include <QHeaderView>
#include <QLabel>
#include <QMenu>
#include <QTreeView>
#include <QUrl>
#include <QVBoxLayout>

namespace moescope::widgets {
namespace {

constexpr int kIndentation = 14;

SessionEntry entryOf(const OpenSession& session) {
    SessionEntry entry;
    entry.id = session.id;
    entry.title = session.title;
    entry.path = session.path;
    entry.isPartial = session.content.isPartial;
    // The head lives as long as the snapshot's source: share that one's lifetime.
    entry.head = std::shared_ptr<const session::Head>(session.content.source, &session.head());
    return entry;
}

}  // namespace

SessionsPanel::SessionsPanel(Workspace& workspace, QWidget* parent)
    : QWidget(parent),
      m_workspace(workspace),
      m_model(new SessionTreeModel(this)),
      m_tree(new QTreeView(this)),
      m_empty(new QLabel(tr("Open sessions are listed here: the model, its text and the "
                            "experiments with their state."),
                         this)) {
    setObjectName(QStringLiteral("sessionsPanel"));
    build();
    SessionService& sessions = m_workspace.sessions();
    connect(&sessions, &SessionService::opened, this, &SessionsPanel::takeSession);
    connect(&sessions, &SessionService::reloaded, this, &SessionsPanel::takeSession);
    connect(&sessions, &SessionService::closed, m_model, &SessionTreeModel::removeSession);
    connect(&m_workspace, &Workspace::currentChanged, this, &SessionsPanel::takeCurrent);
    RunController& run = m_workspace.run();
    connect(&run, &RunController::started, this, &SessionsPanel::updateRunning);
    connect(&run, &RunController::finished, this, &SessionsPanel::updateRunning);
    connect(&run, &RunController::cancelled, this, &SessionsPanel::updateRunning);
    connect(&run, &RunController::failed, this, &SessionsPanel::updateRunning);
}

void SessionsPanel::build() {
    m_tree->setObjectName(QStringLiteral("sessionsTree"));
    m_tree->setAccessibleName(tr("Open sessions"));
    m_tree->setModel(m_model);
    m_tree->setItemDelegate(new SessionRowDelegate(m_tree));
    m_tree->setHeaderHidden(true);
    m_tree->setUniformRowHeights(true);
    m_tree->setIndentation(kIndentation);
    m_tree->setFrameShape(QFrame::NoFrame);
    m_tree->viewport()->setAutoFillBackground(false);
    m_tree->setContextMenuPolicy(Qt::CustomContextMenu);
    m_tree->setTextElideMode(Qt::ElideRight);
    m_tree->header()->setStretchLastSection(false);
    m_tree->header()->setSectionResizeMode(SessionTreeModel::kNameColumn, QHeaderView::Stretch);
    m_tree->header()->setSectionResizeMode(SessionTreeModel::kStateColumn,
                                           QHeaderView::ResizeToContents);
    m_empty->setObjectName(QStringLiteral("sessionsEmpty"));
    m_empty->setWordWrap(true);
    m_empty->setForegroundRole(QPalette::PlaceholderText);
    m_empty->setContentsMargins(12, 8, 12, 8);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->addWidget(m_empty, 0, Qt::AlignTop);
    column->addWidget(m_tree, 1);
    connect(m_model, &QAbstractItemModel::rowsInserted, this, &SessionsPanel::updateEmpty);
    connect(m_model, &QAbstractItemModel::rowsRemoved, this, &SessionsPanel::updateEmpty);
    updateEmpty();
    connect(m_tree->selectionModel(), &QItemSelectionModel::currentChanged, this,
            [this](const QModelIndex& index) {
                m_workspace.setCurrent(index.data(SessionTreeModel::SessionRole).toInt());
            });
    connect(m_tree, &QTreeView::activated, this, &SessionsPanel::activate);
    connect(m_tree, &QTreeView::clicked, this, [this](const QModelIndex& index) {
        if (index.data(SessionTreeModel::StatusRole).toInt() ==
            static_cast<int>(ExperimentStatus::Done)) {
            activate(index);
        }
    });
    connect(m_tree, &QWidget::customContextMenuRequested, this, &SessionsPanel::showMenu);
}

void SessionsPanel::updateEmpty() {
    const bool isEmpty = m_model->rowCount() == 0;
    m_empty->setVisible(isEmpty);
    m_tree->setVisible(!isEmpty);
}

void SessionsPanel::takeSession(const SessionSnapshot& session) {
    const bool isNew = !m_model->indexOfSession(session->id).isValid();
    m_model->setSession(entryOf(*session));
    updateRunning();
    if (isNew) {
        m_tree->expandRecursively(m_model->indexOfSession(session->id));
    }
    takeCurrent();
}

void SessionsPanel::takeCurrent() {
    const SessionSnapshot current = m_workspace.current();
    const int shown = m_tree->currentIndex().data(SessionTreeModel::SessionRole).toInt();
    if (current && shown != current->id) {
        m_tree->setCurrentIndex(m_model->indexOfSession(current->id));
    }
}

void SessionsPanel::updateRunning() {
    RunController& run = m_workspace.run();
    for (const SessionSnapshot& session : m_workspace.sessions().sessions()) {
        const bool isTarget = run.isRunning() &&
                              SessionService::normalisedPath(run.request().output) == session->path;
        const QStringList asked = isTarget ? run.request().experiments : QStringList();
        m_model->setRunning(session->id, QSet<QString>(asked.begin(), asked.end()));
    }
}

void SessionsPanel::activate(const QModelIndex& index) {
    const QString experiment = index.data(SessionTreeModel::ExperimentRole).toString();
    if (experiment.isEmpty()) {
        return;
    }
    const auto status =
        static_cast<ExperimentStatus>(index.data(SessionTreeModel::StatusRole).toInt());
    const bool derived = index.data(SessionTreeModel::DerivedRole).toBool();
    if (status == ExperimentStatus::Done || status == ExperimentStatus::Running) {
        Q_EMIT figureRequested(experiment);
    } else if (!derived) {
        Q_EMIT runRequested(index.data(SessionTreeModel::SessionRole).toInt(), {experiment});
    }
}

void SessionsPanel::showMenu(const QPoint& position) {
    const QModelIndex index = m_tree->indexAt(position);
    const int id = index.data(SessionTreeModel::SessionRole).toInt();
    const SessionSnapshot session = m_workspace.sessions().find(id);
    if (!session) {
        return;
    }
    auto* menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    const QString experiment = index.data(SessionTreeModel::ExperimentRole).toString();
    const auto status =
        static_cast<ExperimentStatus>(index.data(SessionTreeModel::StatusRole).toInt());
    if (!experiment.isEmpty() && !index.data(SessionTreeModel::DerivedRole).toBool()) {
        QAction* now = menu->addAction(
            tr("Run now"), this, [this, id, experiment] { Q_EMIT runRequested(id, {experiment}); });
        now->setEnabled(status == ExperimentStatus::NotRun || status == ExperimentStatus::Planned);
        menu->addSeparator();
    }
    menu->addAction(tr("Copy path"), this,
                    [path = session->path] { QGuiApplication::clipboard()->setText(path); });
    menu->addAction(tr("Show in folder"), this, [path = session->path] {
        QDesktopServices::openUrl(QUrl::fromLocalFile(QFileInfo(path).absolutePath()));
    });
    menu->addAction(tr("Close session"), this, [this, id] { m_workspace.sessions().close(id); });
    menu->popup(m_tree->viewport()->mapToGlobal(position));
}

}  // namespace moescope::widgets
