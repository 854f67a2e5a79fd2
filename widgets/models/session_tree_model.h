// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/session/head.h"

#include <QAbstractItemModel>
#include <QSet>
#include <QString>

#include <memory>
#include <vector>

namespace moescope::widgets {

/// What a row of the sessions tree stands for.
enum class SessionNode { Session, Model, Text, Experiments, Experiment };

/// Of an experiment row.
enum class ExperimentStatus { NotRun, Planned, Running, Done };

/// What the tree needs of one session.
struct SessionEntry {
    int id = 0;
    QString title;
    QString path;
    bool isPartial = false;
    std::shared_ptr<const session::Head> head;
};

/// The open sessions as a tree: session -> model, text, experiments with their states. Experiments
/// of the catalogue that were not asked for are listed as not run. Column 0 names, column 1 states.
/// *GUI thread only*.
class SessionTreeModel : public QAbstractItemModel {
    Q_OBJECT
public:
    enum Role {
        NodeRole = Qt::UserRole,  ///< SessionNode as int
        SessionRole,              ///< int: which session
        ExperimentRole,           ///< QString: experiment id
        StatusRole,               ///< ExperimentStatus as int
        DerivedRole               ///< bool: comes with other experiments, cannot be run alone
    };
    static constexpr int kNameColumn = 0;
    static constexpr int kStateColumn = 1;

    explicit SessionTreeModel(QObject* parent = nullptr);
    ~SessionTreeModel() override;

    /// Adds the session, or replaces the one with the same id in place.
    void setSession(const SessionEntry& entry);
    void removeSession(int id);
    /// Experiments that a run is computing now in this session.
    void setRunning(int id, const QSet<QString>& experiments);

    [[nodiscard]] QModelIndex indexOfSession(int id) const;

    [[nodiscard]] QModelIndex index(int row, int column,
                                    const QModelIndex& parent = {}) const override;
    [[nodiscard]] QModelIndex parent(const QModelIndex& child) const override;
    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation,
                                      int role) const override;
    [[nodiscard]] Qt::ItemFlags flags(const QModelIndex& index) const override;

private:
    struct Node;
    [[nodiscard]] static const Node* nodeOf(const QModelIndex& index);
    [[nodiscard]] int rowOfSession(int id) const;
    [[nodiscard]] std::unique_ptr<Node> makeTree(const SessionEntry& entry) const;

    struct Root {
        SessionEntry entry;
        QSet<QString> running;
        std::unique_ptr<Node> node;
    };
    std::vector<Root> m_roots;
};

}  // namespace moescope::widgets
