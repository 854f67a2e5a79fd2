// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/panels/welcome_page.h"

#include "widgets/panels/icons.h"

#include <QFileInfo>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QVBoxLayout>

namespace moescope::widgets {
namespace {

constexpr int kMaxWidth = 640;
constexpr int kRecentShown = 5;
constexpr int kIconSize = 64;

}  // namespace

WelcomePage::WelcomePage(Workspace& workspace, QWidget* parent)
    : QWidget(parent), m_workspace(workspace) {
    setObjectName(QStringLiteral("welcomePage"));
    build();
    fillRecent();
    connect(&m_workspace.settings(), &Settings::recentFilesChanged, this, &WelcomePage::fillRecent);
}

QPushButton* WelcomePage::addButton(const QString& name, const QString& iconName,
                                    const QString& label) {
    auto* button = new QPushButton(icon(iconName), label, this);
    button->setObjectName(name);
    button->setMinimumHeight(fontMetrics().height() * 2);
    return button;
}

void WelcomePage::build() {
    auto* mark = new QLabel(this);
    mark->setFixedSize(kIconSize, kIconSize);
    mark->setPixmap(programIcon().pixmap(QSize(kIconSize, kIconSize), devicePixelRatioF()));
    auto* title = new QLabel(tr("No session open"), this);
    QFont large = title->font();
    large.setPointSizeF(large.pointSizeF() * 1.6);
    title->setFont(large);
    auto* hint = new QLabel(tr("Drop a checkpoint folder or a session here, or open the demo: a "
                               "small mixture-of-experts "
                               "model trained for this program, with everything computed."),
                            this);
    hint->setWordWrap(true);

    QPushButton* demo =
        addButton(QStringLiteral("welcomeDemoButton"), QStringLiteral("play"), tr("Open the demo"));
    demo->setDefault(true);
    demo->setEnabled(!m_workspace.paths().demoSession.isEmpty() ||
                     !m_workspace.paths().demoModel.isEmpty());
    QPushButton* open = addButton(QStringLiteral("welcomeOpenButton"), QStringLiteral("open"),
                                  tr("Open session..."));
    QPushButton* analysis = addButton(QStringLiteral("welcomeAnalysisButton"),
                                      QStringLiteral("new"), tr("New analysis..."));
    connect(demo, &QPushButton::clicked, this, &WelcomePage::demoRequested);
    connect(open, &QPushButton::clicked, this, &WelcomePage::openRequested);
    connect(analysis, &QPushButton::clicked, this, &WelcomePage::analysisRequested);

    auto* buttons = new QHBoxLayout;
    buttons->setSpacing(8);
    for (QPushButton* button : {demo, open, analysis}) {
        buttons->addWidget(button);
    }
    buttons->addStretch(1);
    m_recentTitle = new QLabel(tr("Recent"), this);
    m_recentTitle->setForegroundRole(QPalette::PlaceholderText);
    m_recent = new QVBoxLayout;
    m_recent->setSpacing(4);

    auto* block = new QWidget(this);
    block->setMaximumWidth(kMaxWidth);
    auto* column = new QVBoxLayout(block);
    column->setSpacing(12);
    column->addWidget(mark);
    column->addWidget(title);
    column->addWidget(hint);
    column->addLayout(buttons);
    column->addSpacing(12);
    column->addWidget(m_recentTitle);
    column->addLayout(m_recent);
    auto* middle = new QHBoxLayout;
    middle->addStretch(1);
    middle->addWidget(block, 100);
    middle->addStretch(1);
    auto* outer = new QVBoxLayout(this);
    outer->setContentsMargins(16, 16, 16, 16);
    outer->addStretch(2);
    outer->addLayout(middle);
    outer->addStretch(3);
}

void WelcomePage::fillRecent() {
    while (QLayoutItem* item = m_recent->takeAt(0)) {
        item->widget()->deleteLater();
        delete item;
    }
    int shown = 0;
    for (const QString& path : m_workspace.settings().recentFiles()) {
        if (shown == kRecentShown) {
            break;
        }
        if (!QFileInfo::exists(path)) {
            continue;
        }
        auto* link = new QLabel(this);
        link->setObjectName(QStringLiteral("recentLink%1").arg(shown++));
        link->setText(QStringLiteral("<a href=\"%1\">%2</a>")
                          .arg(path.toHtmlEscaped(), QFileInfo(path).fileName().toHtmlEscaped()));
        link->setToolTip(path);
        link->setTextInteractionFlags(Qt::LinksAccessibleByMouse | Qt::LinksAccessibleByKeyboard);
        connect(link, &QLabel::linkActivated, this, &WelcomePage::recentChosen);
        m_recent->addWidget(link);
    }
    m_recentTitle->setVisible(shown > 0);
}

}  // namespace moescope::widgets
