// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/appearance.h"

#include "widgets/support/theme.h"

#include <QApplication>
#include <QStyle>

namespace moescope::app {

using widgets::ColourScheme;

Appearance::Appearance(widgets::Settings& settings, QObject* parent)
    : QObject(parent),
      m_settings(settings),
      m_systemFont(QApplication::font()),
      m_systemStyle(QApplication::style()->objectName()) {
    connect(&m_settings, &widgets::Settings::colourSchemeChanged, this, &Appearance::applyColours);
    connect(&m_settings, &widgets::Settings::fontScaleChanged, this, &Appearance::applyFont);
}

Appearance::~Appearance() = default;

void Appearance::apply() {
    applyColours();
    applyFont();
}

void Appearance::applyColours() {
    const ColourScheme scheme = m_settings.colourScheme();
    // Only Fusion follows a given palette everywhere.
    const QString style = scheme == ColourScheme::System ? m_systemStyle : QStringLiteral("fusion");
    if (QApplication::style()->objectName() != style) {
        QApplication::setStyle(style);
    }
    switch (scheme) {
        case ColourScheme::System:
            QApplication::setPalette(QPalette());
            break;
        case ColourScheme::Light:
            QApplication::setPalette(widgets::lightPalette());
            break;
        case ColourScheme::Dark:
            QApplication::setPalette(widgets::darkPalette());
            break;
    }
}

void Appearance::applyFont() {
    QFont font = m_systemFont;
    if (font.pointSizeF() > 0) {
        font.setPointSizeF(font.pointSizeF() * m_settings.fontScale() / 100.0);
    } else {
        font.setPixelSize(font.pixelSize() * m_settings.fontScale() / 100);
    }
    QApplication::setFont(font);
}

}  // namespace moescope::app
