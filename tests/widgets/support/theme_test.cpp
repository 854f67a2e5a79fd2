// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/support/theme.h"

#include "core/figures/colour.h"
#include "tests/support/catch.h"

#include <QSet>

#include <cmath>

using namespace moescope;
using widgets::Theme;

namespace {

figures::Rgb rgb(const QColor& colour) {
    return {static_cast<std::uint8_t>(colour.red()), static_cast<std::uint8_t>(colour.green()),
            static_cast<std::uint8_t>(colour.blue())};
}

}  // namespace

TEST_CASE("Theme: text reaches a contrast of 4.5 everywhere", "[widgets][support]") {
    for (const Theme& theme : {Theme::light(), Theme::dark()}) {
        CHECK(figures::contrastRatio(rgb(theme.text), rgb(theme.background)) >= 7.0);
        CHECK(figures::contrastRatio(rgb(theme.secondaryText), rgb(theme.background)) >= 4.5);
        CHECK(figures::contrastRatio(rgb(theme.error), rgb(theme.background)) >= 4.5);
        for (const int count : {8, 20, 64, 256}) {
            for (int expert = 0; expert < count; ++expert) {
                const QColor back = theme.expertBackground(expert, count);
                INFO(expert << " of " << count << (theme.isDark ? " dark" : " light"));
                CHECK(figures::contrastRatio(rgb(Theme::textOn(back)), rgb(back)) >= 4.5);
            }
        }
    }
}

TEST_CASE("Theme: expert colours differ", "[widgets][support]") {
    const Theme theme = Theme::light();
    for (const int count : {8, 20, 64, 256}) {
        QSet<QRgb> seen;
        for (int expert = 0; expert < count; ++expert) {
            seen.insert(theme.expertColour(expert, count).rgb());
        }
        CHECK(seen.size() == count);
    }
    CHECK(theme.expertColour(0, 8) == QColor(0xE6, 0x9F, 0x00));
}

TEST_CASE("Theme: follows the palette", "[widgets][support]") {
    CHECK_FALSE(Theme::fromPalette(widgets::lightPalette()).isDark);
    CHECK(Theme::fromPalette(widgets::darkPalette()).isDark);
}

TEST_CASE("Theme: grooves of sliders, drawn as buttons are, stand out", "[widgets][support]") {
    const QPalette dark = widgets::darkPalette();
    const auto lightness = [&](QPalette::ColorRole role) { return dark.color(role).lightnessF(); };
    CHECK(lightness(QPalette::Button) > lightness(QPalette::Window) + 0.1F);
}

TEST_CASE("Theme: what is disabled looks it", "[widgets][support]") {
    for (const QPalette& palette : {widgets::lightPalette(), widgets::darkPalette()}) {
        for (const auto role : {QPalette::Text, QPalette::WindowText, QPalette::ButtonText}) {
            const auto back = static_cast<double>(palette.color(QPalette::Window).lightnessF());
            const auto on = static_cast<double>(palette.color(QPalette::Active, role).lightnessF());
            const auto off =
                static_cast<double>(palette.color(QPalette::Disabled, role).lightnessF());
            CHECK(std::abs(off - back) < 0.7 * std::abs(on - back));
            CHECK(std::abs(off - back) > 0.2);
        }
    }
}
