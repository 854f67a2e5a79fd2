// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/panels/task_area.h"

#include "widgets/support/format.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QProgressBar>
#include <QPushButton>

namespace moescope::widgets {
namespace {

constexpr int kSteps = 1000;
constexpr int kBarWidth = 160;

}  // namespace

TaskArea::TaskArea(RunController& run, QWidget* parent)
    : QWidget(parent),
      m_run(run),
      m_what(new QLabel(this)),
      m_bar(new QProgressBar(this)),
      m_remaining(new QLabel(this)),
      m_cancel(new QPushButton(tr("Cancel"), this)) {
    setObjectName(QStringLiteral("taskArea"));
    m_what->setObjectName(QStringLiteral("taskWhat"));
    m_bar->setObjectName(QStringLiteral("taskProgress"));
    m_bar->setAccessibleName(tr("Progress of the analysis"));
    m_bar->setRange(0, kSteps);
    m_bar->setTextVisible(false);
    m_bar->setFixedWidth(kBarWidth);
    m_remaining->setObjectName(QStringLiteral("taskRemaining"));
    m_cancel->setObjectName(QStringLiteral("taskCancelButton"));
    m_cancel->setToolTip(
        tr("Finish the current block, keep what is done and stop; the analysis can be resumed"));
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(8, 0, 8, 0);
    row->setSpacing(8);
    row->addWidget(m_what);
    row->addWidget(m_bar);
    row->addWidget(m_remaining);
    row->addWidget(m_cancel);
    connect(m_cancel, &QPushButton::clicked, &m_run, &RunController::cancel);
    connect(&m_run, &RunController::progressed, this, &TaskArea::show);
    connect(&m_run, &RunController::finished, this, &QWidget::hide);
    connect(&m_run, &RunController::cancelled, this, &QWidget::hide);
    connect(&m_run, &RunController::failed, this, &QWidget::hide);
    hide();
}

void TaskArea::show(const RunProgress& progress) {
    m_what->setText(progress.stage.isEmpty() ? progress.title
                                             : tr("%1: %2").arg(progress.title, progress.stage));
    m_bar->setValue(static_cast<int>(progress.fraction * kSteps));
    m_remaining->setText(progress.remainingSeconds
                             ? tr("%1 left").arg(formatDuration(*progress.remainingSeconds))
                             : QString());
    m_cancel->setText(progress.cancelling ? tr("Stop now") : tr("Cancel"));
    setVisible(true);
}

}  // namespace moescope::widgets
