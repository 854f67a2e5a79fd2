// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/panels/figure_list.h"

#include "core/figures/figure_keys.h"
#include "widgets/support/theme.h"

#include <QEvent>
#include <QHeaderView>

#include <algorithm>

namespace moescope::widgets {
namespace {

constexpr int kNameColumn = 0;
constexpr int kKeyColumn = 1;
constexpr int kIndentation = 14;
constexpr int kIndexRole = Qt::UserRole;

QString text(std::string_view utf8) {
    return QString::fromUtf8(utf8.data(), static_cast<qsizetype>(utf8.size()));
}

QString nameOf(figures::FigureSubject subject) {
    switch (subject) {
        case figures::FigureSubject::Weights:
            return FigureList::tr("Weights");
        case figures::FigureSubject::Outputs:
            return FigureList::tr("Outputs");
        case figures::FigureSubject::Routing:
            return FigureList::tr("Routing");
        case figures::FigureSubject::Model:
            return FigureList::tr("Model");
    }
    return {};
}

}  // namespace

FigureList::FigureList(Workspace& workspace, QWidget* parent)
    : QTreeWidget(parent), m_workspace(workspace) {
    setObjectName(QStringLiteral("figureList"));
    setAccessibleName(tr("Figures"));
    setColumnCount(2);
    setHeaderHidden(true);
    setIndentation(kIndentation);
    setRootIsDecorated(false);
    setItemsExpandable(false);
    setUniformRowHeights(true);
    setAllColumnsShowFocus(true);
    setFrameShape(QFrame::NoFrame);
    viewport()->setAutoFillBackground(false);
    header()->setStretchLastSection(false);
    header()->setSectionResizeMode(kNameColumn, QHeaderView::Stretch);
    header()->setSectionResizeMode(kKeyColumn, QHeaderView::ResizeToContents);
    fill();
    dim();
    setCurrent(0);
    connect(this, &QTreeWidget::currentItemChanged, this, &FigureList::take);
    connect(&m_workspace, &Workspace::currentChanged, this, &FigureList::dim);
}

void FigureList::fill() {
    QTreeWidgetItem* heading = nullptr;
    std::optional<figures::FigureSubject> subject;
    for (const figures::FigureInfo& info : figures::figureCatalogue()) {
        if (subject != info.subject) {
            subject = info.subject;
            heading = new QTreeWidgetItem(this, {nameOf(info.subject)});
            heading->setFlags(Qt::ItemIsEnabled);
        }
        const int index = static_cast<int>(m_items.size());
        const int digit = figures::figureKey(info);
        const QString key = digit > 0 ? QString::number(digit) : QString();
        auto* item = new QTreeWidgetItem(
            heading, {text(info.listTitle.empty() ? info.title : info.listTitle), key});
        item->setData(kNameColumn, kIndexRole, index);
        item->setToolTip(kNameColumn, key.isEmpty() ? text(info.title)
                                                    : tr("%1 (key %2)").arg(text(info.title), key));
        m_items.append(item);
    }
    expandAll();
}

void FigureList::take(QTreeWidgetItem* item, QTreeWidgetItem* previous) {
    if (item == nullptr) {
        return;
    }
    if (item->data(kNameColumn, kIndexRole).isValid()) {
        Q_EMIT chosen(item->data(kNameColumn, kIndexRole).toInt());
        return;
    }
    // A heading is stepped over: upwards from its first figure, else to that figure.
    const bool upwards = previous != nullptr && previous->parent() == item;
    QTreeWidgetItem* next = upwards ? itemAbove(item) : item->child(0);
    if (next == nullptr) {
        next = previous;
    }
    QMetaObject::invokeMethod(
        this, [this, next] { setCurrentItem(next); }, Qt::QueuedConnection);
}

void FigureList::setCurrent(int index) {
    if (QTreeWidgetItem* item = itemOf(index)) {
        setCurrentItem(item);
        scrollToItem(item);
    }
}

int FigureList::contentHeight() const {
    const int rows = topLevelItemCount() + static_cast<int>(m_items.size());
    return rows * std::max(fontMetrics().height(), sizeHintForRow(0)) + 2 * frameWidth();
}

void FigureList::dim() {
    const Theme theme = Theme::fromPalette(palette());
    for (int i = 0; i < topLevelItemCount(); ++i) {
        topLevelItem(i)->setForeground(kNameColumn, theme.secondaryText);
    }
    const SessionSnapshot session = m_workspace.current();
    const auto catalogue = figures::figureCatalogue();
    for (int i = 0; i < m_items.size(); ++i) {
        const bool holds = session && isDrawable(*session, catalogue[static_cast<size_t>(i)]);
        m_items.at(i)->setForeground(kNameColumn, holds ? theme.text : theme.secondaryText);
        m_items.at(i)->setForeground(kKeyColumn, theme.secondaryText);
    }
}

void FigureList::changeEvent(QEvent* event) {
    QTreeWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange) {
        dim();
    }
}

}  // namespace moescope::widgets
