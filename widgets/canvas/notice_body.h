// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "widgets/canvas/body_of.h"

namespace moescope::widgets {

/// What stands in place of a figure: "Layer 0 is dense: no router".
class NoticeBody final : public BodyOf<figures::NoticeFigure> {
public:
    NoticeBody(std::shared_ptr<const figures::Figure> figure, FigureStyle style);
    [[nodiscard]] double naturalHeight(double width) const override;
    void resize(const QSizeF& size) override;
    void paint(QPainter& painter) const override;
    [[nodiscard]] figures::Hit hitAt(const QPointF& position) const override;

private:
    QSizeF m_size;
};

}  // namespace moescope::widgets
