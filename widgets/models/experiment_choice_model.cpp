// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/models/experiment_choice_model.h"

#include "core/experiments/catalogue.h"

namespace moescope::widgets {
namespace {

QString text(std::string_view view) {
    return QString::fromUtf8(view.data(), static_cast<qsizetype>(view.size()));
}

}  // namespace

ExperimentChoiceModel::ExperimentChoiceModel(QObject* parent) : QAbstractListModel(parent) {
    for (const experiments::ExperimentInfo& info : experiments::catalogue()) {
        if (info.kind != experiments::ExperimentKind::Derived) {
            m_ids << text(info.id);
        }
    }
    m_chosen = lacking();
}

QStringList ExperimentChoiceModel::chosen() const {
    QStringList ids;
    for (const QString& id : m_ids) {
        if (m_chosen.contains(id)) {
            ids << id;
        }
    }
    return ids;
}

void ExperimentChoiceModel::setChosen(const QStringList& ids) {
    m_chosen = QSet<QString>(ids.begin(), ids.end());
    Q_EMIT dataChanged(index(0), index(rowCount() - 1), {Qt::CheckStateRole});
    Q_EMIT chosenChanged();
}

QSet<QString> ExperimentChoiceModel::lacking() const {
    QSet<QString> ids;
    for (const QString& id : m_ids) {
        if (!m_inSession.contains(id) && !experiments::findExperiment(id.toStdString())->isCostly) {
            ids.insert(id);
        }
    }
    return ids;
}

void ExperimentChoiceModel::setInSession(const QStringList& ids) {
    const bool isUntouched = m_chosen == lacking();
    m_inSession = QSet<QString>(ids.begin(), ids.end());
    if (isUntouched) {
        m_chosen = lacking();
    }
    Q_EMIT dataChanged(index(0), index(rowCount() - 1));
    Q_EMIT chosenChanged();
}

int ExperimentChoiceModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(m_ids.size());
}

QVariant ExperimentChoiceModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid()) {
        return {};
    }
    const QString id = m_ids.at(index.row());
    const experiments::ExperimentInfo* info = experiments::findExperiment(id.toStdString());
    switch (role) {
        case Qt::DisplayRole:
            return (m_inSession.contains(id) ? tr("%1  %2 (in the session)")
                                             : QStringLiteral("%1  %2"))
                .arg(text(info->label), text(info->title));
        case Qt::ToolTipRole:
            return QStringLiteral("<p>%1</p><p><i>%2</i></p>")
                .arg(text(info->definition).toHtmlEscaped(), text(info->source).toHtmlEscaped());
        case Qt::CheckStateRole:
            return m_chosen.contains(id) ? Qt::Checked : Qt::Unchecked;
        case IdRole:
            return id;
        case NeedsTextRole:
            return info->kind == experiments::ExperimentKind::Dynamic;
        case InSessionRole:
            return m_inSession.contains(id);
        default:
            return {};
    }
}

bool ExperimentChoiceModel::setData(const QModelIndex& index, const QVariant& value, int role) {
    if (!index.isValid() || role != Qt::CheckStateRole) {
        return false;
    }
    const QString id = m_ids.at(index.row());
    if (value.toInt() == Qt::Checked) {
        m_chosen.insert(id);
    } else {
        m_chosen.remove(id);
    }
    Q_EMIT dataChanged(index, index, {role});
    Q_EMIT chosenChanged();
    return true;
}

Qt::ItemFlags ExperimentChoiceModel::flags(const QModelIndex& index) const {
    return index.isValid() ? Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemIsUserCheckable
                           : Qt::NoItemFlags;
}

}  // namespace moescope::widgets
