// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/recent_menu.h"

#include <QAction>
#include <QDir>
#include <QFileInfo>
#include <QMenu>

namespace moescope::app {

RecentMenu::RecentMenu(QMenu& menu, widgets::Settings& settings, QObject* parent)
    : QObject(parent), m_menu(menu), m_settings(settings) {
    connect(&m_menu, &QMenu::aboutToShow, this, &RecentMenu::fill);
    connect(&m_settings, &widgets::Settings::recentFilesChanged, this, &RecentMenu::fill);
    fill();
}

void RecentMenu::fill() {
    m_menu.clear();
    const QStringList files = m_settings.recentFiles();
    for (const QString& path : files) {
        QString label = QDir::toNativeSeparators(path);
        label.replace(QLatin1Char('&'), QLatin1String("&&"));
        QAction* action = m_menu.addAction(label, this, [this, path] { Q_EMIT chosen(path); });
        const bool exists =
            QFileInfo::exists(path) || QFileInfo::exists(path + QStringLiteral(".partial"));
        action->setEnabled(exists);
        action->setToolTip(exists ? path : tr("%1 does not exist any more").arg(path));
    }
    m_menu.addSeparator();
    QAction* clear =
        m_menu.addAction(tr("Clear the list"), &m_settings, &widgets::Settings::clearRecentFiles);
    clear->setObjectName(QStringLiteral("clearRecentAction"));
    clear->setEnabled(!files.isEmpty());
}

}  // namespace moescope::app
