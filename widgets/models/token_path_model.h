// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "widgets/state/inspection.h"

#include <QAbstractTableModel>

namespace moescope::widgets {

/// A token's chosen experts, one row per routed layer: layer, first choice, ..., k-th choice and,
/// where the session keeps it, the router's margin. *GUI thread only*.
class TokenPathModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Role {
        ExpertRole = Qt::UserRole,  ///< int; absent in columns that are no choice
        WeightRole,                 ///< float
        LayerRole                   ///< int
    };

    explicit TokenPathModel(QObject* parent = nullptr);

    void setPath(std::shared_ptr<const TokenPath> path);
    [[nodiscard]] int rowOfLayer(LayerId layer) const;  ///< -1: dense

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation,
                                      int role) const override;

private:
    [[nodiscard]] static QVariant choiceData(const Choice& choice, int role);

    std::shared_ptr<const TokenPath> m_path;
    int m_choices = 0;
    bool m_hasMargin = false;
};

}  // namespace moescope::widgets
