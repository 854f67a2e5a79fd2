// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "widgets/support/theme.h"

#include <QWidget>

#include <cstdint>
#include <vector>

namespace moescope::widgets {

/// Tokens per expert of one layer as a small bar chart over their numbers with the even share as a
/// line; the selected expert stands out, a click chooses another one. *GUI thread only*.
class LoadBars : public QWidget {
    Q_OBJECT
public:
    explicit LoadBars(QWidget* parent = nullptr);

    void setLoad(std::vector<std::uint64_t> load, int selected);
    [[nodiscard]] QSize sizeHint() const override;
    /// The bar under a point, -1 when there is none.
    [[nodiscard]] int barAt(const QPoint& position) const;

Q_SIGNALS:
    void expertClicked(int expert);

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    bool event(QEvent* event) override;

private:
    [[nodiscard]] QRectF barRect(std::size_t expert) const;
    [[nodiscard]] double barsHeight() const;  ///< without the numbers below
    void paintNumbers(QPainter& painter, const Theme& theme) const;

    std::vector<std::uint64_t> m_load;
    int m_selected = -1;
};

}  // namespace moescope::widgets
