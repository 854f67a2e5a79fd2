// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "widgets/state/settings.h"

#include <QFont>
#include <QObject>
#include <QPalette>
#include <QString>

namespace moescope::app {

/// Applies light, dark or the system's colours and the font scale to the whole program. *GUI thread
/// only*.
class Appearance : public QObject {
    Q_OBJECT
public:
    explicit Appearance(widgets::Settings& settings, QObject* parent = nullptr);
    ~Appearance() override;

    void apply();

private:
    void applyColours();
    void applyFont();

    widgets::Settings& m_settings;
    QFont m_systemFont;
    QString m_systemStyle;
    bool m_isFusion = false;  ///< with visible edges, set by this object
};

}  // namespace moescope::app
