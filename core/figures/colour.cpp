// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/colour.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace moescope::figures {
namespace {

constexpr std::array<std::pair<ColourMap, std::string_view>, 6> kNames{{
    {ColourMap::Viridis, "viridis"},
    {ColourMap::Cividis, "cividis"},
    {ColourMap::Inferno, "inferno"},
    {ColourMap::Greys, "greys"},
    {ColourMap::WhiteBlue, "white-blue"},
    {ColourMap::Diverging, "diverging"},
}};

double linearised(std::uint8_t channel) {
    const double c = channel / 255.0;
    return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
}

}  // namespace

std::string_view name(ColourMap map) noexcept {
    for (const auto& [known, text] : kNames) {
        if (known == map) {
            return text;
        }
    }
    return "viridis";
}

std::optional<ColourMap> parseColourMap(std::string_view text) {
    for (const auto& [map, known] : kNames) {
        if (known == text) {
            return map;
        }
    }
    return std::nullopt;
}

double relativeLuminance(Rgb colour) noexcept {
    return 0.2126 * linearised(colour.r) + 0.7152 * linearised(colour.g) +
           0.0722 * linearised(colour.b);
}

double contrastRatio(Rgb a, Rgb b) noexcept {
    const double la = relativeLuminance(a);
    const double lb = relativeLuminance(b);
    return (std::max(la, lb) + 0.05) / (std::min(la, lb) + 0.05);
}

bool prefersBlackText(Rgb background) noexcept {
    return contrastRatio(background, {0, 0, 0}) >= contrastRatio(background, {255, 255, 255});
}

Rgb blend(Rgb over, Rgb under, double opacity) noexcept {
    const auto mix = [opacity](std::uint8_t a, std::uint8_t b) {
        return static_cast<std::uint8_t>(std::lround(a * opacity + b * (1.0 - opacity)));
    };
    return {mix(over.r, under.r), mix(over.g, under.g), mix(over.b, under.b)};
}

double ColourScale::position(double value) const noexcept {
    if (!(high > low)) {
        return 0.5;
    }
    const double within = std::clamp(value, low, high);
    if (map == ColourMap::Diverging && low <= 0.0 && high >= 0.0) {  // 0 is in the middle
        return 0.5 + 0.5 * within / std::max(std::abs(low), std::abs(high));
    }
    return (within - low) / (high - low);
}

}  // namespace moescope::figures
