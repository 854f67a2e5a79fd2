// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QStyledItemDelegate>

namespace moescope::widgets {

/// Paints a chosen expert as its number on its colour and its weight as a bar beside the value.
/// *GUI thread only*.
class ExpertChipDelegate : public QStyledItemDelegate {
    Q_OBJECT
public:
    using QStyledItemDelegate::QStyledItemDelegate;

    /// How many experts share the colours.
    void setExpertCount(int count) { m_count = count; }

    void paint(QPainter* painter, const QStyleOptionViewItem& option,
               const QModelIndex& index) const override;
    [[nodiscard]] QSize sizeHint(const QStyleOptionViewItem& option,
                                 const QModelIndex& index) const override;

private:
    int m_count = 8;
};

}  // namespace moescope::widgets
