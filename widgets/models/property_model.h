// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "widgets/models/summary_text.h"

#include <QAbstractTableModel>

namespace moescope::widgets {

/// Names and values in two columns: model cards, facts about an expert. *GUI thread only*.
class PropertyModel : public QAbstractTableModel {
    Q_OBJECT
public:
    explicit PropertyModel(QObject* parent = nullptr);

    void setProperties(const Properties& properties);
    [[nodiscard]] const Properties& properties() const { return m_properties; }

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation,
                                      int role) const override;

private:
    Properties m_properties;
};

}  // namespace moescope::widgets
