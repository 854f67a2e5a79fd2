// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/support/format.h"

#include "tests/support/catch.h"

#include <QStringList>

#include <cmath>

using namespace moescope::widgets;

TEST_CASE("format: numbers as people read them", "[widgets][support]") {
    const QString thin(QChar(0x202F));
    CHECK(formatCount(0) == QStringLiteral("0"));
    CHECK(formatCount(999) == QStringLiteral("999"));
    CHECK(formatCount(46702792704ULL) == QStringList({QStringLiteral("46"), QStringLiteral("702"),
                                                      QStringLiteral("792"), QStringLiteral("704")})
                                             .join(thin));
    CHECK(formatShortCount(46702792704.0) == QStringLiteral("46.7 B"));
    CHECK(formatShortCount(980) == QStringLiteral("980"));
    CHECK(formatShortCount(999999) == QStringLiteral("1.0 M"));
    // Powers of 1024, as the command line and --memory have them.
    CHECK(formatBytes(1000) == QStringLiteral("1000 B"));
    CHECK(formatBytes(1536) == QStringLiteral("1.5 KiB"));
    CHECK(formatBytes(6.0 * (1 << 30)) == QStringLiteral("6.0 GiB"));
    CHECK(formatPercent(0.1494) == QStringLiteral("14.9 %"));
    CHECK(formatValue(0.87312345) == QStringLiteral("0.8731"));
    CHECK(formatValue(-0.5) == QString(QChar(0x2212)) + QStringLiteral("0.5"));
    CHECK(formatValue(std::nan("")) == QStringLiteral("not available"));
    CHECK(signedNumber(0.1, 2) == QStringLiteral("0.10"));
    CHECK(signedNumber(-0.25, 2) == QString(QChar(0x2212)) + QStringLiteral("0.25"));
    CHECK(formatDuration(0.2) == QStringLiteral("under a second"));
    CHECK(formatDuration(1.4) == QStringLiteral("1 s"));
    CHECK(formatDuration(80) == QStringLiteral("1 min 20 s"));
    CHECK(formatDuration(7325) == QStringLiteral("2 h 2 min"));
}
