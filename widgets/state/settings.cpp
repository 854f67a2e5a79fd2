// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/state/settings.h"

#include <QDir>
#include <QFileInfo>
#include <QSettings>
#include <QStandardPaths>

#include <algorithm>

namespace moescope::widgets {
namespace {

constexpr int kMinScale = 50;
constexpr int kMaxScale = 300;

QString schemeWord(ColourScheme scheme) {
    switch (scheme) {
        case ColourScheme::Light:
            return QStringLiteral("light");
        case ColourScheme::Dark:
            return QStringLiteral("dark");
        case ColourScheme::System:
            break;
    }
    return QStringLiteral("system");
}

ColourScheme schemeOf(const QString& word) {
    for (const ColourScheme scheme : {ColourScheme::Light, ColourScheme::Dark}) {
        if (word == schemeWord(scheme)) {
            return scheme;
        }
    }
    return ColourScheme::System;
}

QSettings* makeStore(const QString& file, QObject* parent) {
    return file.isEmpty()
               ? new QSettings(QSettings::IniFormat, QSettings::UserScope,
                               QStringLiteral("moescope"), QStringLiteral("moescope"), parent)
               : new QSettings(file, QSettings::IniFormat, parent);
}

}  // namespace

Settings::Settings(const QString& file, QObject* parent)
    : QObject(parent), m_store(makeStore(file, this)) {
    load();
}

Settings::~Settings() = default;

void Settings::load() {
    m_recent = m_store->value(QStringLiteral("recent/files")).toStringList();
    m_recent.removeAll(QString());
    m_recent = m_recent.mid(0, kMaxRecent);
    m_scheme = schemeOf(m_store->value(QStringLiteral("look/scheme")).toString());
    m_fontScale = std::clamp(m_store->value(QStringLiteral("look/font_scale"), 100).toInt(),
                             kMinScale, kMaxScale);
    m_geometry = m_store->value(QStringLiteral("window/geometry")).toByteArray();
    const int version = m_store->value(QStringLiteral("window/layout_version")).toInt();
    m_layout = version == kLayoutVersion
                   ? m_store->value(QStringLiteral("window/layout")).toByteArray()
                   : QByteArray();
}

void Settings::addRecentFile(const QString& path) {
    m_recent.removeAll(path);
    m_recent.prepend(path);
    m_recent = m_recent.mid(0, kMaxRecent);
    m_store->setValue(QStringLiteral("recent/files"), m_recent);
    Q_EMIT recentFilesChanged();
}

void Settings::clearRecentFiles() {
    m_recent.clear();
    m_store->remove(QStringLiteral("recent/files"));
    Q_EMIT recentFilesChanged();
}

void Settings::setColourScheme(ColourScheme scheme) {
    if (scheme == m_scheme) {
        return;
    }
    m_scheme = scheme;
    m_store->setValue(QStringLiteral("look/scheme"), schemeWord(scheme));
    Q_EMIT colourSchemeChanged(scheme);
}

void Settings::setFontScale(int percent) {
    const int scale = std::clamp(percent, kMinScale, kMaxScale);
    if (scale == m_fontScale) {
        return;
    }
    m_fontScale = scale;
    m_store->setValue(QStringLiteral("look/font_scale"), scale);
    Q_EMIT fontScaleChanged(scale);
}

void Settings::setLayout(const QByteArray& geometry, const QByteArray& layout) {
    m_geometry = geometry;
    m_layout = layout;
    m_store->setValue(QStringLiteral("window/geometry"), geometry);
    m_store->setValue(QStringLiteral("window/layout"), layout);
    m_store->setValue(QStringLiteral("window/layout_version"), kLayoutVersion);
}

QString Settings::value(const QString& key, const QString& fallback) const {
    return m_store->value(QStringLiteral("values/") + key, fallback).toString();
}

QString Settings::folder(const QString& key) const {
    for (const QString& folder :
         {value(key), QStandardPaths::writableLocation(QStandardPaths::DocumentsLocation)}) {
        if (!folder.isEmpty() && QFileInfo(folder).isDir()) {
            return folder;
        }
    }
    return QDir::homePath();
}

void Settings::setValue(const QString& key, const QString& value) {
    m_store->setValue(QStringLiteral("values/") + key, value);
}

void Settings::reset() {
    m_store->clear();
    load();
    Q_EMIT recentFilesChanged();
    Q_EMIT colourSchemeChanged(m_scheme);
    Q_EMIT fontScaleChanged(m_fontScale);
}

}  // namespace moescope::widgets
