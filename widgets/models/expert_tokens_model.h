// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/token_table.h"
#include "widgets/state/inspection.h"

#include <QAbstractTableModel>

#include <memory>

namespace moescope::widgets {

/// The tokens an expert is chosen for most: token, times, share of its occurrences, an example with
/// its neighbours. *GUI thread only*.
class ExpertTokensModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Role {
        TokenRole = Qt::UserRole,  ///< quint64: token index of the example
        SortRole                   ///< a number or string to sort by
    };
    enum class Column { Token, Times, Share, Context };

    explicit ExpertTokensModel(QObject* parent = nullptr);

    void setFacts(std::shared_ptr<const ExpertFacts> facts,
                  std::shared_ptr<const figures::TokenTable> tokens);

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation,
                                      int role) const override;

private:
    [[nodiscard]] QString textOf(std::uint64_t token) const;
    [[nodiscard]] QString contextOf(std::uint64_t token) const;
    [[nodiscard]] QVariant display(const ExpertToken& entry, Column column) const;
    [[nodiscard]] static QVariant sortKey(const ExpertToken& entry, Column column);

    std::shared_ptr<const ExpertFacts> m_facts;
    std::shared_ptr<const figures::TokenTable> m_tokens;
};

}  // namespace moescope::widgets
