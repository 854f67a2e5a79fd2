// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/models/token_path_model.h"

#include "widgets/models/summary_text.h"
#include "widgets/support/format.h"

#include <algorithm>

namespace moescope::widgets {

TokenPathModel::TokenPathModel(QObject* parent) : QAbstractTableModel(parent) {}

void TokenPathModel::setPath(std::shared_ptr<const TokenPath> path) {
    beginResetModel();
    m_path = std::move(path);
    m_choices = 0;
    m_hasMargin = false;
    if (m_path) {
        for (const TokenStep& step : m_path->steps) {
            m_choices = std::max(m_choices, static_cast<int>(step.choices.size()));
            m_hasMargin = m_hasMargin || step.margin.has_value();
        }
    }
    endResetModel();
}

int TokenPathModel::rowOfLayer(LayerId layer) const {
    if (!m_path) {
        return -1;
    }
    const auto& steps = m_path->steps;
    const auto found = std::find_if(steps.begin(), steps.end(),
                                    [layer](const TokenStep& s) { return s.layer == layer; });
    return found == steps.end() ? -1 : static_cast<int>(found - steps.begin());
}

int TokenPathModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() || !m_path ? 0 : static_cast<int>(m_path->steps.size());
}

int TokenPathModel::columnCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : 1 + m_choices + (m_hasMargin ? 1 : 0);
}

QVariant TokenPathModel::choiceData(const Choice& choice, int role) {
    switch (role) {
        case Qt::DisplayRole:
            return QStringLiteral("%1  %2").arg(QString::number(choice.expert),
                                                fixedText(static_cast<double>(choice.weight), 2));
        case Qt::ToolTipRole:
            return tr("Expert %1 with weight %2")
                .arg(QString::number(choice.expert),
                     formatValue(static_cast<double>(choice.weight)));
        case ExpertRole:
            return choice.expert;
        case WeightRole:
            return choice.weight;
        default:
            return {};
    }
}

QVariant TokenPathModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid()) {
        return {};
    }
    const TokenStep& step = m_path->steps[static_cast<std::size_t>(index.row())];
    if (role == LayerRole) {
        return step.layer.value;
    }
    if (role == Qt::TextAlignmentRole) {
        return QVariant::fromValue(Qt::Alignment(Qt::AlignVCenter | Qt::AlignRight));
    }
    if (index.column() == 0) {
        return role == Qt::DisplayRole ? QVariant(step.layer.value) : QVariant();
    }
    const int choice = index.column() - 1;
    if (choice < m_choices) {
        return choice < static_cast<int>(step.choices.size())
                   ? choiceData(step.choices[static_cast<std::size_t>(choice)], role)
                   : QVariant();
    }
    if (role == Qt::DisplayRole && step.margin) {
        return fixedText(static_cast<double>(*step.margin), 3);
    }
    return {};
}

QVariant TokenPathModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal) {
        return {};
    }
    const bool isMargin = section == 1 + m_choices;
    if (role == Qt::ToolTipRole) {
        return section == 0 ? tr("Layer")
               : isMargin
                   ? tr("k-th minus (k+1)-th router score: how far the choice is from another one")
                   : tr("Expert and weight of choice %1").arg(section);
    }
    if (role != Qt::DisplayRole) {
        return {};
    }
    return section == 0 ? tr("Layer") : isMargin ? tr("Margin") : QString::number(section);
}

}  // namespace moescope::widgets
