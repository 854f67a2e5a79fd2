// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/panels/expert_chip_delegate.h"

#include "widgets/models/summary_text.h"
#include "widgets/models/token_path_model.h"
#include "widgets/support/theme.h"

#include <QApplication>
#include <QPainter>

#include <algorithm>

namespace moescope::widgets {
namespace {

constexpr int kPadding = 4;
constexpr int kRadius = 3;
constexpr int kBarHeight = 2;

int chipWidth(const QFontMetrics& metrics) {
    return metrics.horizontalAdvance(QStringLiteral("000")) + 2 * kPadding;
}

}  // namespace

void ExpertChipDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option,
                               const QModelIndex& index) const {
    const QVariant expert = index.data(TokenPathModel::ExpertRole);
    if (!expert.isValid()) {
        QStyledItemDelegate::paint(painter, option, index);
        return;
    }
    QStyleOptionViewItem background = option;
    initStyleOption(&background, index);
    background.text.clear();
    const QStyle* style =
        background.widget != nullptr ? background.widget->style() : QApplication::style();
    style->drawControl(QStyle::CE_ItemViewItem, &background, painter, background.widget);

    const Theme theme = Theme::fromPalette(option.palette);
    const QFontMetrics metrics(option.font);
    const double weight = index.data(TokenPathModel::WeightRole).toDouble();
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    const int height = std::min(option.rect.height() - 4, metrics.height() + 2);
    QRect chip(option.rect.left() + kPadding, 0, chipWidth(metrics), height);
    chip.moveTop(option.rect.center().y() - height / 2);
    painter->setPen(Qt::NoPen);
    painter->setBrush(theme.expertBackground(expert.toInt(), m_count));
    painter->drawRoundedRect(chip, kRadius, kRadius);
    const bool selected = option.state.testFlag(QStyle::State_Selected);
    painter->setPen(theme.text);
    painter->drawText(chip, Qt::AlignCenter, expert.toString());
    const QRect rest = option.rect.adjusted(chip.width() + 3 * kPadding, 0, -kPadding, 0);
    painter->setPen(selected ? option.palette.color(QPalette::HighlightedText) : theme.text);
    painter->drawText(rest, Qt::AlignVCenter | Qt::AlignLeft, fixedText(weight, 2));
    const QRectF bar(rest.left(), option.rect.bottom() - kBarHeight,
                     std::clamp(weight, 0.0, 1.0) * rest.width(), kBarHeight);
    painter->fillRect(bar, theme.expertColour(expert.toInt(), m_count));
    painter->restore();
}

QSize ExpertChipDelegate::sizeHint(const QStyleOptionViewItem& option,
                                   const QModelIndex& index) const {
    QSize size = QStyledItemDelegate::sizeHint(option, index);
    if (index.data(TokenPathModel::ExpertRole).isValid()) {
        const QFontMetrics metrics(option.font);
        size.setWidth(chipWidth(metrics) + metrics.horizontalAdvance(QStringLiteral("0.00")) +
                      5 * kPadding);
    }
    size.setHeight(std::max(size.height(), option.fontMetrics.height() + 8));
    return size;
}

}  // namespace moescope::widgets
