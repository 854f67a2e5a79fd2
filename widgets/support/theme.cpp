// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/support/theme.h"

#include "core/figures/colour.h"
#include "widgets/support/oklab.h"

#include <array>
#include <cmath>
#include <numbers>

namespace moescope::widgets {
namespace {

// Okabe and Ito 2008, without black; grey closes the eight.
constexpr std::array<unsigned, 8> kOkabeIto{0xE69F00, 0x56B4E9, 0x009E73, 0xF0E442,
                                            0x0072B2, 0xD55E00, 0xCC79A7, 0x999999};
// Twelve more for up to 20 experts: between the hues above, at other lightnesses.
constexpr std::array<unsigned, 12> kExtended{0x332288, 0x88CCEE, 0x117733, 0xDDCC77,
                                             0x882255, 0x44AA99, 0xAA4499, 0x999933,
                                             0x661100, 0x6699CC, 0xCC6677, 0x555555};

figures::Rgb rgbOf(const QColor& colour) {
    return {static_cast<std::uint8_t>(colour.red()), static_cast<std::uint8_t>(colour.green()),
            static_cast<std::uint8_t>(colour.blue())};
}

QColor mixed(const QColor& over, const QColor& under, double opacity) {
    const figures::Rgb c = figures::blend(rgbOf(over), rgbOf(under), opacity);
    return {c.r, c.g, c.b};
}

// Neighbours on the circle would look alike, so the index walks it in golden-angle steps and takes
// one of three lightnesses.
QColor hueColour(int index) {
    constexpr double kGoldenAngle = 2.399963229728653;
    constexpr std::array<double, 3> kLightness{0.68, 0.56, 0.78};
    const double hue = std::fmod(index * kGoldenAngle, 2 * std::numbers::pi);
    constexpr double kChroma = 0.13;
    return fromOklab({kLightness[static_cast<std::size_t>(index) % kLightness.size()],
                      kChroma * std::cos(hue), kChroma * std::sin(hue)});
}

}  // namespace

Theme Theme::light() {
    Theme theme;
    theme.background = QColor(0xFFFFFF);
    theme.panel = QColor(0xF6F7F8);
    theme.text = QColor(0x1B1F23);
    theme.secondaryText = QColor(0x57606A);
    theme.axis = QColor(0x57606A);
    theme.grid = QColor(0xDFE3E8);
    theme.accent = QColor(0xD6336C);
    theme.missing = QColor(0xECEEF0);
    theme.missingHatch = QColor(0xAEB4BB);
    theme.error = QColor(0xB42318);
    theme.warning = QColor(0x9A6700);
    theme.success = QColor(0x1A7F37);
    theme.barPrimary = QColor(0x0072B2);
    theme.barSecondary = QColor(0xE69F00);
    return theme;
}

Theme Theme::dark() {
    Theme theme;
    theme.isDark = true;
    theme.background = QColor(0x1E2125);
    theme.panel = QColor(0x2A2E33);
    theme.text = QColor(0xE8EAED);
    theme.secondaryText = QColor(0xA3ABB4);
    theme.axis = QColor(0x8B949E);
    theme.grid = QColor(0x3A4047);
    theme.accent = QColor(0xFF7AA8);
    theme.missing = QColor(0x2F343A);
    theme.missingHatch = QColor(0x5D666F);
    theme.error = QColor(0xFF8A80);
    theme.warning = QColor(0xE3B341);
    theme.success = QColor(0x56D364);
    theme.barPrimary = QColor(0x4FA8DE);
    theme.barSecondary = QColor(0xE69F00);
    return theme;
}

Theme Theme::fromPalette(const QPalette& palette) {
    Theme theme = palette.color(QPalette::Window).lightness() < 128 ? dark() : light();
    theme.background = palette.color(QPalette::Base);
    theme.text = palette.color(QPalette::Text);
    theme.panel = palette.color(QPalette::Window);
    return theme;
}

// NOLINTNEXTLINE(readability-convert-member-functions-to-static): each theme might have its own
QColor Theme::expertColour(int index, int count) const {
    const auto i = static_cast<std::size_t>(index < 0 ? 0 : index);
    if (i < kOkabeIto.size() && count <= 20) {
        return QColor::fromRgb(kOkabeIto[i]);
    }
    if (count <= 20) {
        return QColor::fromRgb(kExtended[(i - kOkabeIto.size()) % kExtended.size()]);
    }
    return hueColour(static_cast<int>(i));
}

QColor Theme::expertBackground(int index, int count) const {
    return mixed(expertColour(index, count), background, isDark ? 0.45 : 0.35);
}

QColor Theme::seriesColour(int index) const {
    // Okabe and Ito's colours that stand out on white as thin lines; lighter ones on dark.
    constexpr std::array<unsigned, 4> kOnLight{0x007D5C, 0xA64D84, 0xD55E00, 0x6E7681};
    constexpr std::array<unsigned, 4> kOnDark{0x2FC99E, 0xE59CC6, 0xFF8A3D, 0xB1BAC4};
    const auto i = static_cast<std::size_t>(index < 0 ? 0 : index) % (2 + kOnLight.size());
    if (i < 2) {
        return i == 0 ? barPrimary : barSecondary;
    }
    return QColor::fromRgb(isDark ? kOnDark[i - 2] : kOnLight[i - 2]);
}

QColor Theme::textOn(const QColor& background) {
    return figures::prefersBlackText(rgbOf(background)) ? QColor(Qt::black) : QColor(Qt::white);
}

QPalette lightPalette() {
    const Theme theme = Theme::light();
    QPalette palette(QColor(0xF1F2F4));
    palette.setColor(QPalette::Base, theme.background);
    palette.setColor(QPalette::AlternateBase, theme.panel);
    for (const auto role : {QPalette::Text, QPalette::WindowText, QPalette::ButtonText}) {
        palette.setColor(role, theme.text);
        palette.setColor(QPalette::Disabled, role, QColor(0x959DA5));
    }
    palette.setColor(QPalette::ToolTipBase, theme.background);
    palette.setColor(QPalette::ToolTipText, theme.text);
    palette.setColor(QPalette::PlaceholderText, theme.secondaryText);
    palette.setColor(QPalette::Highlight, QColor(0x0969DA));
    palette.setColor(QPalette::HighlightedText, QColor(Qt::white));
    palette.setColor(QPalette::Link, QColor(0x0969DA));
    return palette;
}

QPalette darkPalette() {
    const Theme theme = Theme::dark();
    // Buttons lighter than the window: grooves of sliders are drawn in their colour.
    QPalette palette(QColor(0x3F4750), QColor(0x25292E));
    palette.setColor(QPalette::Base, theme.background);
    palette.setColor(QPalette::AlternateBase, theme.panel);
    for (const auto role : {QPalette::Text, QPalette::WindowText, QPalette::ButtonText,
                            QPalette::ToolTipText, QPalette::BrightText}) {
        palette.setColor(role, theme.text);
        palette.setColor(QPalette::Disabled, role, QColor(0x6E7681));
    }
    palette.setColor(QPalette::ToolTipBase, theme.panel);
    palette.setColor(QPalette::PlaceholderText, theme.secondaryText);
    palette.setColor(QPalette::Highlight, QColor(0x1F6FEB));
    palette.setColor(QPalette::HighlightedText, QColor(Qt::white));
    palette.setColor(QPalette::Link, QColor(0x58A6FF));
    return palette;
}

}  // namespace moescope::widgets
