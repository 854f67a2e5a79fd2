// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/support/fonts.h"

#include <QFontDatabase>
#include <QStringList>

#include <algorithm>

namespace moescope::widgets {
namespace {

QString firstInstalled(const QStringList& wanted) {
    const QStringList installed = QFontDatabase::families();
    for (const QString& family : wanted) {
        if (installed.contains(family)) {
            return family;
        }
    }
    return {};
}

QFont scalable(const QString& family, int pixelSize) {
    QFont font;
    if (!family.isEmpty()) {
        font.setFamilies({family});
    }
    font.setPixelSize(std::max(pixelSize, 1));
    font.setHintingPreference(QFont::PreferNoHinting);
    return font;
}

}  // namespace

QFont figureFont(int pixelSize) {
    static const QString kFamily = firstInstalled(
        {QStringLiteral("Liberation Sans"), QStringLiteral("Arial"), QStringLiteral("Helvetica"),
         QStringLiteral("Noto Sans"), QStringLiteral("DejaVu Sans")});
    QFont font = scalable(kFamily, pixelSize);
    font.setStyleHint(QFont::SansSerif);
    return withTabularFigures(font);
}

QFont tokenFont(int pixelSize) {
    static const QString kFamily = firstInstalled(
        {QStringLiteral("DejaVu Sans Mono"), QStringLiteral("Noto Sans Mono"),
         QStringLiteral("Liberation Mono"), QStringLiteral("Menlo"), QStringLiteral("Consolas")});
    QFont font = scalable(kFamily, pixelSize);
    font.setStyleHint(QFont::Monospace);
    font.setFixedPitch(true);
    return font;
}

QFont withTabularFigures(const QFont& font) {
#if QT_VERSION >= QT_VERSION_CHECK(6, 7, 0)
    QFont tabular = font;
    tabular.setFeature("tnum", 1);
    return tabular;
#else
    // Qt before 6.7 cannot ask for it; the families of figureFont() have equal digits by default.
    return font;
#endif
}

}  // namespace moescope::widgets
