// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QAbstractListModel>
#include <QSet>
#include <QStringList>

namespace moescope::widgets {

/// The experiments of the catalogue that can be asked for, with check boxes. *GUI thread only*.
class ExperimentChoiceModel : public QAbstractListModel {
    Q_OBJECT
public:
    enum Role {
        IdRole = Qt::UserRole,
        NeedsTextRole,  ///< bool
        InSessionRole   ///< bool: the session that is added to has it
    };

    explicit ExperimentChoiceModel(QObject* parent = nullptr);

    /// Checked ids, in catalogue order.
    [[nodiscard]] QStringList chosen() const;
    void setChosen(const QStringList& ids);
    /// Marks what a session has, which is not computed again, and checks what it lacks of the
    /// default set, unless something else was chosen.
    void setInSession(const QStringList& ids);

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    bool setData(const QModelIndex& index, const QVariant& value, int role) override;
    [[nodiscard]] Qt::ItemFlags flags(const QModelIndex& index) const override;

Q_SIGNALS:
    void chosenChanged();

private:
    /// The default set without what the session has.
    [[nodiscard]] QSet<QString> lacking() const;

    QStringList m_ids;  ///< of the rows
    QSet<QString> m_chosen;
    QSet<QString> m_inSession;
};

}  // namespace moescope::widgets
