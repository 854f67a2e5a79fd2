// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/support/format.h"

#include <QLocale>

#include <array>
#include <cmath>

namespace moescope::widgets {
namespace {

constexpr QChar kThinSpace(0x202F);

QString scaled(double value, double step, const std::array<const char*, 5>& units) {
    std::size_t unit = 0;
    while (std::abs(value) >= step - 0.5 && unit + 1 < units.size()) {
        value /= step;
        ++unit;
    }
    const int decimals = unit == 0 || std::abs(value) >= 99.95 ? 0 : 1;
    const QString number = QString::number(value, 'f', decimals);
    const QString name = QString::fromLatin1(units[unit]);
    return name.isEmpty() ? number : QString(number % QLatin1Char(' ') % name);
}

}  // namespace

QString formatCount(std::uint64_t count) {
    QString digits = QString::number(count);
    for (auto position = digits.size() - 3; position > 0; position -= 3) {
        digits.insert(position, kThinSpace);
    }
    return digits;
}

QString formatShortCount(double count) {
    return scaled(count, 1000.0, {"", "K", "M", "B", "T"});
}

QString formatBytes(double bytes) {
    return scaled(bytes, 1024.0, {"B", "KiB", "MiB", "GiB", "TiB"});
}

QString formatValue(double value, int digits) {
    if (!std::isfinite(value)) {
        return QStringLiteral("not available");
    }
    // The minus of an exponent too.
    return QString::number(value, 'g', digits).replace(QLatin1Char('-'), QChar(0x2212));
}

QString signedNumber(double value, int decimals) {
    QString text = QString::number(value, 'f', decimals);
    return text.replace(QLatin1Char('-'), QChar(0x2212));
}

QString formatPercent(double share) {
    return QString::number(share * 100.0, 'f', 1) % QStringLiteral(" %");
}

QString formatDuration(double seconds) {
    if (!(seconds >= 1.0)) {
        return QStringLiteral("under a second");
    }
    const auto whole = static_cast<long long>(std::lround(seconds));
    if (whole < 60) {
        return QStringLiteral("%1 s").arg(whole);
    }
    if (whole < 3600) {
        return QStringLiteral("%1 min %2 s").arg(whole / 60).arg(whole % 60);
    }
    return QStringLiteral("%1 h %2 min").arg(whole / 3600).arg(whole % 3600 / 60);
}

}  // namespace moescope::widgets
