// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "widgets/state/settings.h"

#include <QObject>

class QMenu;

namespace moescope::app {

/// Fills "Open recent" each time it is about to show: files that are gone are greyed. *GUI thread
/// only*.
class RecentMenu : public QObject {
    Q_OBJECT
public:
    RecentMenu(QMenu& menu, widgets::Settings& settings, QObject* parent = nullptr);

Q_SIGNALS:
    void chosen(const QString& path);

private:
    void fill();

    QMenu& m_menu;
    widgets::Settings& m_settings;
};

}  // namespace moescope::app
