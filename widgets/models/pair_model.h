// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "widgets/state/inspection.h"

#include <QAbstractTableModel>

#include <memory>
#include <vector>

namespace moescope::widgets {

/// A pair of experts: one row per layer, one column per similarity. *GUI thread only*.
class PairModel : public QAbstractTableModel {
    Q_OBJECT
public:
    using Series = std::shared_ptr<const std::vector<PairSeries>>;
    enum Role { LayerRole = Qt::UserRole };

    explicit PairModel(QObject* parent = nullptr);

    void setSeries(Series series);
    [[nodiscard]] int rowOfLayer(LayerId layer) const;

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation,
                                      int role) const override;

private:
    Series m_series;
    std::vector<LayerId> m_layers;  ///< ascending, of all series
};

/// "gate", "gate, mean neuron", "outputs": what a similarity quantity is called in a table.
[[nodiscard]] QString pairColumnName(const PairSeries& series);

}  // namespace moescope::widgets
