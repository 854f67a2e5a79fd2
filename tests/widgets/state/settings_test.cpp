// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/state/settings.h"

#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"

#include <QFile>
#include <QFileInfo>
#include <QSettings>

using namespace moescope::widgets;

namespace {

QString fileIn(const moescope::tests::TemporaryFolder& folder) {
    return QString::fromStdString((folder / "settings.ini").string());
}

}  // namespace

TEST_CASE("Settings: come back as they were", "[widgets][state]") {
    const moescope::tests::TemporaryFolder folder;
    {
        Settings settings(fileIn(folder));
        settings.setColourScheme(ColourScheme::Dark);
        settings.setFontScale(130);
        settings.setLayout("geometry", "layout");
        settings.addRecentFile(QStringLiteral("/a.h5"));
        settings.addRecentFile(QStringLiteral("/b.h5"));
        settings.addRecentFile(QStringLiteral("/a.h5"));
        settings.setValue(QStringLiteral("export/format"), QStringLiteral("svg"));
    }
    const Settings settings(fileIn(folder));
    CHECK(settings.colourScheme() == ColourScheme::Dark);
    CHECK(settings.fontScale() == 130);
    CHECK(settings.geometry() == QByteArray("geometry"));
    CHECK(settings.layout() == QByteArray("layout"));
    CHECK(settings.recentFiles() == QStringList{QStringLiteral("/a.h5"), QStringLiteral("/b.h5")});
    CHECK(settings.value(QStringLiteral("export/format")) == QStringLiteral("svg"));
}

TEST_CASE("Settings: a layout of another version is dropped", "[widgets][state]") {
    const moescope::tests::TemporaryFolder folder;
    {
        Settings(fileIn(folder)).setLayout("g", "layout");
        QSettings raw(fileIn(folder), QSettings::IniFormat);
        raw.setValue(QStringLiteral("window/layout_version"), Settings::kLayoutVersion + 1);
    }
    const Settings settings(fileIn(folder));
    CHECK(settings.layout().isEmpty());
    CHECK(settings.geometry() == QByteArray("g"));
}

TEST_CASE("Settings: damaged or absurd values give usable ones", "[widgets][state]") {
    const moescope::tests::TemporaryFolder folder;
    QFile file(fileIn(folder));
    REQUIRE(file.open(QIODevice::WriteOnly));
    file.write("[look]\nscheme=purple\nfont_scale=9000\n[recent]\nfiles=\n\x01\x02garbage");
    file.close();
    const Settings settings(fileIn(folder));
    CHECK(settings.colourScheme() == ColourScheme::System);
    CHECK(settings.fontScale() == 300);
    CHECK(settings.recentFiles().isEmpty());
}

TEST_CASE("Settings: at least fifteen recent files, the oldest go", "[widgets][state]") {
    const moescope::tests::TemporaryFolder folder;
    Settings settings(fileIn(folder));
    for (int i = 0; i < 40; ++i) {
        settings.addRecentFile(QStringLiteral("/run%1.h5").arg(i));
    }
    CHECK(settings.recentFiles().size() == Settings::kMaxRecent);
    CHECK(Settings::kMaxRecent >= 15);
    CHECK(settings.recentFiles().first() == QStringLiteral("/run39.h5"));
    settings.clearRecentFiles();
    CHECK(settings.recentFiles().isEmpty());
}

TEST_CASE("Settings: reset forgets everything", "[widgets][state]") {
    const moescope::tests::TemporaryFolder folder;
    Settings settings(fileIn(folder));
    settings.setFontScale(200);
    settings.addRecentFile(QStringLiteral("/a.h5"));
    settings.reset();
    CHECK(settings.fontScale() == 100);
    CHECK(settings.recentFiles().isEmpty());
}

TEST_CASE("Settings: a remembered folder that is gone is not offered", "[widgets][state]") {
    const moescope::tests::TemporaryFolder folder;
    Settings settings(fileIn(folder));
    const QString there = QFileInfo(fileIn(folder)).absolutePath();
    settings.setValue(QStringLiteral("export/folder"), there);
    CHECK(settings.folder(QStringLiteral("export/folder")) == there);
    settings.setValue(QStringLiteral("export/folder"), there + QStringLiteral("/gone"));
    CHECK(QFileInfo(settings.folder(QStringLiteral("export/folder"))).isDir());
    CHECK(QFileInfo(settings.folder(QStringLiteral("never/asked"))).isDir());
}
