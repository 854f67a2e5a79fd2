// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "widgets/state/job_runner.h"

#include <QProgressBar>
#include <QTimer>

namespace moescope::widgets {

/// A thin moving line that says that something is being read or counted, when it takes longer than
/// a moment. Keeps its place while hidden. *GUI thread only*.
class BusyLine : public QProgressBar {
    Q_OBJECT
public:
    explicit BusyLine(const JobRunner& runner, QWidget* parent = nullptr);

private:
    QTimer m_moment;
};

}  // namespace moescope::widgets
