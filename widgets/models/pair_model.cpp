// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/models/pair_model.h"

#include "core/experiments/catalogue.h"
#include "widgets/models/summary_text.h"

#include <algorithm>
#include <set>

namespace moescope::widgets {

QString pairColumnName(const PairSeries& series) {
    QString name = QString::fromStdString(series.quantity);
    const bool relative = name.endsWith(QLatin1String("_relative"));
    if (relative) {
        name.chop(9);
    }
    if (series.experiment == "output_similarity") {
        name = PairModel::tr("outputs");
    } else if (series.experiment == "mean_neuron_similarity") {
        name = PairModel::tr("%1, mean").arg(name);
    }
    return relative ? PairModel::tr("%1, rel.").arg(name) : name;
}

PairModel::PairModel(QObject* parent) : QAbstractTableModel(parent) {}

void PairModel::setSeries(Series series) {
    beginResetModel();
    m_series = std::move(series);
    std::set<LayerId> layers;
    if (m_series) {
        for (const PairSeries& one : *m_series) {
            layers.insert(one.layers.begin(), one.layers.end());
        }
    }
    m_layers.assign(layers.begin(), layers.end());
    endResetModel();
}

int PairModel::rowOfLayer(LayerId layer) const {
    const auto found = std::lower_bound(m_layers.begin(), m_layers.end(), layer);
    return found == m_layers.end() || *found != layer ? -1
                                                      : static_cast<int>(found - m_layers.begin());
}

int PairModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(m_layers.size());
}

int PairModel::columnCount(const QModelIndex& parent) const {
    return parent.isValid() || !m_series ? 0 : 1 + static_cast<int>(m_series->size());
}

QVariant PairModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid()) {
        return {};
    }
    const LayerId layer = m_layers[static_cast<std::size_t>(index.row())];
    if (role == LayerRole) {
        return layer.value;
    }
    if (role == Qt::TextAlignmentRole) {
        return QVariant::fromValue(Qt::Alignment(Qt::AlignVCenter | Qt::AlignRight));
    }
    if (role != Qt::DisplayRole) {
        return {};
    }
    if (index.column() == 0) {
        return layer.value;
    }
    const PairSeries& series = (*m_series)[static_cast<std::size_t>(index.column() - 1)];
    const auto found = std::find(series.layers.begin(), series.layers.end(), layer);
    const auto at = static_cast<std::size_t>(found - series.layers.begin());
    return at < series.values.size() ? QVariant(fixedText(series.values[at], 4)) : QVariant();
}

QVariant PairModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || !m_series) {
        return {};
    }
    if (section == 0) {
        return role == Qt::DisplayRole ? QVariant(tr("Layer")) : QVariant();
    }
    const PairSeries& series = (*m_series)[static_cast<std::size_t>(section - 1)];
    if (role == Qt::DisplayRole) {
        return pairColumnName(series);
    }
    const auto* info = experiments::findExperiment(series.experiment);
    if (role != Qt::ToolTipRole || info == nullptr) {
        return {};
    }
    return QString::fromUtf8(info->definition.data(),
                             static_cast<qsizetype>(info->definition.size()));
}

}  // namespace moescope::widgets
