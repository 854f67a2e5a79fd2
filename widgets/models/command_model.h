// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QAbstractTableModel>
#include <QList>
#include <QPointer>
#include <QSortFilterProxyModel>

class QAction;

namespace moescope::widgets {

/// One command of the window: an action and the menu it stands in.
struct Command {
    QString group;  ///< "View", "File > Open recent"
    QPointer<QAction> action;
};

/// All commands with their shortcuts: the command palette and the shortcut sheet. *GUI thread
/// only*.
class CommandModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Role {
        SearchRole = Qt::UserRole,  ///< "View: Next layer"
        EnabledRole
    };

    explicit CommandModel(QObject* parent = nullptr);

    void setCommands(const QList<Command>& commands);
    [[nodiscard]] QAction* action(const QModelIndex& index) const;

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] Qt::ItemFlags flags(const QModelIndex& index) const override;

private:
    QList<Command> m_commands;
};

/// How well `text` answers the typed `pattern`: its letters must appear in order; 0 = not at all,
/// more = better (word starts and runs count more). An empty pattern fits everything equally.
[[nodiscard]] int fuzzyScore(const QString& pattern, const QString& text);

/// Best match first.
class FuzzyFilter : public QSortFilterProxyModel {
    Q_OBJECT
public:
    explicit FuzzyFilter(QObject* parent = nullptr);
    void setPattern(const QString& pattern);

protected:
    [[nodiscard]] bool filterAcceptsRow(int row, const QModelIndex& parent) const override;
    [[nodiscard]] bool lessThan(const QModelIndex& a, const QModelIndex& b) const override;

private:
    [[nodiscard]] int scoreOf(const QModelIndex& index) const;
    QString m_pattern;
};

}  // namespace moescope::widgets
