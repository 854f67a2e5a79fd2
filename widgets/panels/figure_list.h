// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "widgets/state/workspace.h"

#include <QTreeWidget>

namespace moescope::widgets {

/// The figures by subject, with their keys; those that the session holds nothing for are dim (and
/// offer to compute it when they are chosen). *GUI thread only*.
class FigureList : public QTreeWidget {
    Q_OBJECT
public:
    explicit FigureList(Workspace& workspace, QWidget* parent = nullptr);

    /// Marks a figure by its place in figureCatalogue().
    void setCurrent(int index);
    /// What all rows together need, in pixels.
    [[nodiscard]] int contentHeight() const;
    [[nodiscard]] QTreeWidgetItem* itemOf(int index) const { return m_items.value(index); }

Q_SIGNALS:
    void chosen(int index);

protected:
    void changeEvent(QEvent* event) override;

private:
    void fill();
    void take(QTreeWidgetItem* item, QTreeWidgetItem* previous);
    void dim();

    Workspace& m_workspace;
    QList<QTreeWidgetItem*> m_items;  ///< in the order of the catalogue
};

}  // namespace moescope::widgets
