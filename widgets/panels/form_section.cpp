// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/panels/form_section.h"

#include "widgets/panels/message_bar.h"

#include <QLabel>
#include <QVBoxLayout>

namespace moescope::widgets {

FormSection::FormSection(const QString& name, const QString& title, QWidget* parent)
    : QWidget(parent), m_column(new QVBoxLayout(this)), m_messages(new MessageBar(this)) {
    setObjectName(name);
    auto* heading = new QLabel(title, this);
    QFont strong = heading->font();
    strong.setWeight(QFont::DemiBold);
    heading->setFont(strong);
    m_column->setContentsMargins(0, 0, 0, 0);
    m_column->setSpacing(4);
    m_column->addWidget(heading);
    m_column->addWidget(m_messages);
}

void FormSection::addContent(QWidget* widget, int stretch) {
    m_column->insertWidget(m_column->count() - 1, widget, stretch);
}

}  // namespace moescope::widgets
