// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QByteArray>
#include <QObject>
#include <QString>
#include <QStringList>

class QSettings;

namespace moescope::widgets {

enum class ColourScheme { System, Light, Dark };

/// What the program remembers between starts. Read once, written when something changes; a file
/// from another version, or a damaged one, gives defaults and never an error. *GUI thread only*.
class Settings : public QObject {
    Q_OBJECT
public:
    static constexpr int kLayoutVersion =
        2;  ///< goes up when docks change: old layouts are dropped
    static constexpr int kMaxRecent = 20;

    /// The program's own settings file, or `file` (tests, --settings).
    explicit Settings(const QString& file = {}, QObject* parent = nullptr);
    ~Settings() override;

    /// Newest first, sessions and checkpoints alike.
    [[nodiscard]] QStringList recentFiles() const { return m_recent; }
    void addRecentFile(const QString& path);
    void clearRecentFiles();

    [[nodiscard]] ColourScheme colourScheme() const { return m_scheme; }
    void setColourScheme(ColourScheme scheme);

    /// Percent of the platform's font size, 50 to 300.
    [[nodiscard]] int fontScale() const { return m_fontScale; }
    void setFontScale(int percent);

    [[nodiscard]] QByteArray geometry() const { return m_geometry; }
    /// Empty when none was saved or when it is of another layout version.
    [[nodiscard]] QByteArray layout() const { return m_layout; }
    void setLayout(const QByteArray& geometry, const QByteArray& layout);

    /// Free values of dialogs: last folders, last formats.
    [[nodiscard]] QString value(const QString& key, const QString& fallback = {}) const;
    /// The folder remembered under `key` while it exists, else the user's documents, else the home
    /// folder.
    [[nodiscard]] QString folder(const QString& key) const;
    void setValue(const QString& key, const QString& value);

    /// Forgets everything (--reset-settings).
    void reset();

Q_SIGNALS:
    void recentFilesChanged();
    void colourSchemeChanged(moescope::widgets::ColourScheme scheme);
    void fontScaleChanged(int percent);

private:
    void load();

    QSettings* m_store = nullptr;  ///< child
    QStringList m_recent;
    ColourScheme m_scheme = ColourScheme::System;
    int m_fontScale = 100;
    QByteArray m_geometry, m_layout;
};

}  // namespace moescope::widgets
