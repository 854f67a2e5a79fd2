// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

/// Colour decisions that need no Qt: which map, which limits, black or white text.
namespace moescope::figures {

enum class ColourMap { Viridis, Cividis, Inferno, Greys, WhiteBlue, Diverging };

[[nodiscard]] std::string_view name(ColourMap map) noexcept;  ///< "viridis", "white-blue"
[[nodiscard]] std::optional<ColourMap> parseColourMap(std::string_view text);

struct Rgb {
    std::uint8_t r = 0, g = 0, b = 0;
    bool operator==(const Rgb&) const = default;
};

/// WCAG relative luminance, 0 (black) to 1 (white).
[[nodiscard]] double relativeLuminance(Rgb colour) noexcept;
/// WCAG contrast ratio, 1 to 21.
[[nodiscard]] double contrastRatio(Rgb a, Rgb b) noexcept;
/// True when black text reads better on this background than white text; the better of the two
/// always reaches a contrast of 4.5.
[[nodiscard]] bool prefersBlackText(Rgb background) noexcept;
/// `over` at `opacity` on `under`.
[[nodiscard]] Rgb blend(Rgb over, Rgb under, double opacity) noexcept;

/// A colour scale with its limits: what a colour bar shows.
struct ColourScale {
    ColourMap map = ColourMap::Viridis;
    double low = 0.0, high = 1.0;
    bool hasBelow = false, hasAbove = false;  ///< values beyond the ends exist: the bar marks them

    /// Where a value lies on the map, as the nearer end beyond the limits; 0.5 when low == high.
    /// From 0 at `low` to 1 at `high`; on the diverging map 0 lies in the middle, whatever the
    /// limits, and the one farther from it at its end.
    [[nodiscard]] double position(double value) const noexcept;
    bool operator==(const ColourScale&) const = default;
};

}  // namespace moescope::figures
