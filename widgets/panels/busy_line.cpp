// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/panels/busy_line.h"

namespace moescope::widgets {
namespace {

constexpr int kMomentMs = 200;
constexpr int kHeight = 3;

}  // namespace

BusyLine::BusyLine(const JobRunner& runner, QWidget* parent) : QProgressBar(parent) {
    setObjectName(QStringLiteral("busyLine"));
    setAccessibleName(tr("Reading and counting"));
    setRange(0, 0);
    setTextVisible(false);
    setFixedHeight(kHeight);
    QSizePolicy policy = sizePolicy();
    policy.setRetainSizeWhenHidden(true);
    setSizePolicy(policy);
    hide();
    m_moment.setSingleShot(true);
    m_moment.setInterval(kMomentMs);
    connect(&m_moment, &QTimer::timeout, this, &QWidget::show);
    connect(&runner, &JobRunner::busyChanged, this, [this](bool isBusy) {
        if (isBusy) {
            m_moment.start();
        } else {
            m_moment.stop();
            hide();
        }
    });
}

}  // namespace moescope::widgets
