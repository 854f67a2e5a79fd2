// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "widgets/state/workspace.h"

#include <QLabel>

namespace moescope::widgets {

/// What is selected, in one line: "tiny-mixtral > layer 6 > expert 3 > token 17 'alternative'".
/// *GUI thread only*.
class Breadcrumb : public QLabel {
    Q_OBJECT
public:
    explicit Breadcrumb(Workspace& workspace, QWidget* parent = nullptr);

    /// The parts, outermost first; empty without a session.
    [[nodiscard]] QStringList parts() const;

private:
    void update();
    Workspace& m_workspace;
};

}  // namespace moescope::widgets
