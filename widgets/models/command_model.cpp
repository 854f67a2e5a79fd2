// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/models/command_model.h"

#include <QAction>
#include <QKeySequence>

namespace moescope::widgets {
namespace {

QString plainText(const QAction& action) {
    QString text = action.text();
    text.remove(QLatin1Char('&'));
    if (text.endsWith(QLatin1String("..."))) {
        text.chop(3);
    }
    return text;
}

}  // namespace

CommandModel::CommandModel(QObject* parent) : QAbstractTableModel(parent) {}

void CommandModel::setCommands(const QList<Command>& commands) {
    beginResetModel();
    m_commands = commands;
    endResetModel();
}

QAction* CommandModel::action(const QModelIndex& index) const {
    return index.isValid() ? m_commands.at(index.row()).action.data() : nullptr;
}

int CommandModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(m_commands.size());
}

int CommandModel::columnCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : 2;
}

QVariant CommandModel::data(const QModelIndex& index, int role) const {
    const QAction* const command = action(index);
    if (command == nullptr) {
        return {};
    }
    const QString name =
        m_commands.at(index.row()).group + QStringLiteral(": ") + plainText(*command);
    switch (role) {
        case Qt::DisplayRole:
            return index.column() == 0
                       ? name
                       : QKeySequence::listToString(command->shortcuts(), QKeySequence::NativeText);
        case SearchRole:
            return name;
        case EnabledRole:
            return command->isEnabled();
        case Qt::TextAlignmentRole:
            return index.column() == 0
                       ? QVariant()
                       : QVariant::fromValue(Qt::Alignment(Qt::AlignRight | Qt::AlignVCenter));
        default:
            return {};
    }
}

Qt::ItemFlags CommandModel::flags(const QModelIndex& index) const {
    const QAction* const command = action(index);
    return command != nullptr && command->isEnabled() ? Qt::ItemIsEnabled | Qt::ItemIsSelectable
                                                      : Qt::NoItemFlags;
}

int fuzzyScore(const QString& pattern, const QString& text) {
    int score = 1;
    int run = 0;
    qsizetype at = 0;
    for (const QChar wanted : pattern) {
        if (wanted.isSpace()) {
            run = 0;
            continue;
        }
        const qsizetype found = text.indexOf(wanted, at, Qt::CaseInsensitive);
        if (found < 0) {
            return 0;
        }
        const bool wordStart = found == 0 || !text.at(found - 1).isLetterOrNumber();
        run = found == at && at > 0 ? run + 1 : 0;
        score += 1 + 3 * run + (wordStart ? 4 : 0);
        at = found + 1;
    }
    return score;
}

FuzzyFilter::FuzzyFilter(QObject* parent) : QSortFilterProxyModel(parent) {
    sort(0, Qt::DescendingOrder);
}

void FuzzyFilter::setPattern(const QString& pattern) {
    m_pattern = pattern;
    invalidate();
}

int FuzzyFilter::scoreOf(const QModelIndex& index) const {
    return fuzzyScore(m_pattern, index.data(CommandModel::SearchRole).toString());
}

bool FuzzyFilter::filterAcceptsRow(int row, const QModelIndex& parent) const {
    return scoreOf(sourceModel()->index(row, 0, parent)) > 0;
}

bool FuzzyFilter::lessThan(const QModelIndex& a, const QModelIndex& b) const {
    const int left = scoreOf(a);
    const int right = scoreOf(b);
    // Descending: equal scores keep the order of the menus.
    return left != right ? left < right : a.row() > b.row();
}

}  // namespace moescope::widgets
