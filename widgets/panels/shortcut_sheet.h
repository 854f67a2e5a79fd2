// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "widgets/models/command_model.h"

#include <QDialog>

namespace moescope::widgets {

/// The help window: how to begin, how to read each figure, all shortcuts. Not modal. *GUI thread
/// only*.
class ShortcutSheet : public QDialog {
    Q_OBJECT
public:
    ShortcutSheet(const QList<Command>& commands, QWidget* parent = nullptr);

    /// The page as HTML, for tests and for the dialog.
    [[nodiscard]] static QString html(const QList<Command>& commands);
};

}  // namespace moescope::widgets
