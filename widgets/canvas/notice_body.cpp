// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/canvas/notice_body.h"

#include <QPainter>

namespace moescope::widgets {

NoticeBody::NoticeBody(std::shared_ptr<const figures::Figure> figure, FigureStyle style)
    : m_figure(std::move(figure)), m_style(std::move(style)) {}

double NoticeBody::naturalHeight(double /*width*/) const {
    return m_style.lineHeight() * 6.0;
}

void NoticeBody::resize(const QSizeF& size) {
    m_size = size;
}

void NoticeBody::paint(QPainter& painter) const {
    painter.setFont(m_style.titleFont());
    painter.setPen(m_style.theme.secondaryText);
    painter.drawText(
        QRectF(QPointF(0, 0), m_size), Qt::AlignCenter | Qt::TextWordWrap,
        QString::fromStdString(std::get<figures::NoticeFigure>(m_figure->body).message));
}

figures::Hit NoticeBody::hitAt(const QPointF& /*position*/) const {
    return {};
}

}  // namespace moescope::widgets
