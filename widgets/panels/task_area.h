// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "widgets/state/run_controller.h"

#include <QWidget>

class QLabel;
class QProgressBar;
class QPushButton;

namespace moescope::widgets {

/// The one place in the status bar that tells what is being computed: what, layer 7/32, remaining
/// time, cancel. Hidden while nothing runs. *GUI thread only*.
class TaskArea : public QWidget {
    Q_OBJECT
public:
    explicit TaskArea(RunController& run, QWidget* parent = nullptr);

private:
    void show(const RunProgress& progress);

    RunController& m_run;
    QLabel* m_what;
    QProgressBar* m_bar;
    QLabel* m_remaining;
    QPushButton* m_cancel;
};

}  // namespace moescope::widgets
