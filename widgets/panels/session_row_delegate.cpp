// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/panels/session_row_delegate.h"

#include "widgets/models/session_tree_model.h"
#include "widgets/support/theme.h"

namespace moescope::widgets {

void SessionRowDelegate::initStyleOption(QStyleOptionViewItem* option,
                                         const QModelIndex& index) const {
    QStyledItemDelegate::initStyleOption(option, index);
    const auto node = static_cast<SessionNode>(index.data(SessionTreeModel::NodeRole).toInt());
    const auto status =
        static_cast<ExperimentStatus>(index.data(SessionTreeModel::StatusRole).toInt());
    const Theme theme = Theme::fromPalette(option->palette);
    if (node == SessionNode::Session && index.column() == SessionTreeModel::kNameColumn) {
        option->font.setWeight(QFont::DemiBold);
    }
    QColor colour;
    if (node == SessionNode::Experiment) {
        if (status == ExperimentStatus::NotRun || status == ExperimentStatus::Planned) {
            colour = theme.secondaryText;
        } else if (index.column() == SessionTreeModel::kStateColumn) {
            colour = status == ExperimentStatus::Done ? theme.secondaryText : theme.accent;
        }
    } else if (node != SessionNode::Session) {
        colour = theme.secondaryText;
    }
    if (colour.isValid()) {
        option->palette.setColor(QPalette::Text, colour);
    }
}

}  // namespace moescope::widgets
