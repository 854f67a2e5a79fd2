// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QLayout>
#include <QList>

namespace moescope::widgets {

/// Items side by side, going on in the next line where the width ends: rows of controls that must
/// not dictate how narrow a window may be. *GUI thread only*.
class FlowLayout : public QLayout {
    Q_OBJECT
public:
    explicit FlowLayout(QWidget* parent = nullptr);
    ~FlowLayout() override;

    void addItem(QLayoutItem* item) override;
    [[nodiscard]] int count() const override;
    [[nodiscard]] QLayoutItem* itemAt(int index) const override;
    QLayoutItem* takeAt(int index) override;
    [[nodiscard]] bool hasHeightForWidth() const override { return true; }
    [[nodiscard]] int heightForWidth(int width) const override;
    [[nodiscard]] QSize minimumSize() const override;
    [[nodiscard]] QSize sizeHint() const override;
    void setGeometry(const QRect& rect) override;
    [[nodiscard]] Qt::Orientations expandingDirections() const override { return {}; }

private:
    /// Places the items when `place`, and gives the height they take.
    [[nodiscard]] int arrange(const QRect& rect, bool place) const;

    QList<QLayoutItem*> m_items;
};

}  // namespace moescope::widgets
