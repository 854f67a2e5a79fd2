// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/canvas/notice_body.h"

#include <QPainter>

namespace moescope::widgets {

NoticeBody::NoticeBody(std::shared_ptr<const figures::Figure> figure, FigureStyle style)
    : BodyOf(std::move(figure), std::move(style)) {}

double NoticeBody::naturalHeight(double /*width*/) const {
    return style().lineHeight() * 6.0;
}

void NoticeBody::resize(const QSizeF& size) {
    m_size = size;
}

void NoticeBody::paint(QPainter& painter) const {
    painter.setFont(style().titleFont());
    painter.setPen(style().theme.secondaryText);
    painter.drawText(QRectF(QPointF(0, 0), m_size), Qt::AlignCenter | Qt::TextWordWrap,
                     QString::fromStdString(data().message));
}

figures::Hit NoticeBody::hitAt(const QPointF& /*position*/) const {
    return {};
}

}  // namespace moescope::widgets
