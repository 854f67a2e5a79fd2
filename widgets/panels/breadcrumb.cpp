// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/panels/breadcrumb.h"

#include "widgets/support/format.h"

namespace moescope::widgets {

Breadcrumb::Breadcrumb(Workspace& workspace, QWidget* parent)
    : QLabel(parent), m_workspace(workspace) {
    setObjectName(QStringLiteral("breadcrumb"));
    setAccessibleName(tr("Selection"));
    setTextFormat(Qt::PlainText);
    setTextInteractionFlags(Qt::TextSelectableByMouse);
    setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    connect(&m_workspace, &Workspace::currentChanged, this, &Breadcrumb::update);
    connect(&m_workspace.selection(), &Selection::changed, this, &Breadcrumb::update);
    update();
}

QStringList Breadcrumb::parts() const {
    const SessionSnapshot session = m_workspace.current();
    if (!session) {
        return {};
    }
    const SelectionState& state = m_workspace.selection().state();
    QStringList parts{session->title, tr("layer %1").arg(state.layer.value)};
    if (!m_workspace.selection().layerIsRouted()) {
        parts.last() += tr(" (dense)");
    }
    if (!state.experts.empty()) {
        QStringList numbers;
        for (const int expert : state.experts) {
            numbers << QString::number(expert);
        }
        parts << (numbers.size() == 1 ? tr("expert %1") : tr("experts %1"))
                     .arg(numbers.join(QStringLiteral(", ")));
    }
    if (state.pair) {
        parts << tr("pair %1 / %2").arg(state.pair->row, state.pair->column);
    }
    if (const auto token = m_workspace.selection().currentToken()) {
        const figures::TokenSelection tokens(state.tokens);
        parts << (tokens.count() == 1
                      ? tr("token %1 \"%2\"").arg(*token).arg(tokenText(session->head(), *token))
                      : QString::fromStdString(figures::describe(tokens)));
    }
    return parts;
}

void Breadcrumb::update() {
    setText(parts().join(QStringLiteral(" \u203A ")));
    setToolTip(text());
}

}  // namespace moescope::widgets
