// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/geometry.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

namespace moescope::figures {

std::size_t thinning(std::size_t count, double step, double label) {
    if (count == 0 || !(step > 0.0)) {
        return 0;
    }
    std::size_t every = 1;
    while (static_cast<double>(every) * step < label && every < count) {
        every *= 2;
    }
    return every;
}

double cellGap(double cell) noexcept {
    return cell > 10.0 ? 1.0 : 0.0;
}

bool cellShowsValue(double cell) noexcept {
    return cell >= 28.0;
}

std::size_t bestColumns(std::size_t count, double width, double height, double aspect, double gap,
                        double titleHeight) {
    std::size_t best = 1;
    double bestHeight = 0.0;
    for (std::size_t columns = 1; columns <= count; ++columns) {
        const std::size_t wholeRows = (count + columns - 1) / columns;
        const auto rows = static_cast<double>(wholeRows);
        const auto across = static_cast<double>(columns);
        const double byWidth = (width - gap * (across - 1.0)) / across / aspect;
        const double byHeight = (height - gap * (rows - 1.0)) / rows - titleHeight;
        const double panel = std::min(byWidth, byHeight);
        if (panel > bestHeight * 1.0001) {
            bestHeight = panel;
            best = columns;
        }
    }
    return best;
}

Ticks roundTicks(double low, double high, std::size_t most, bool integral) {
    Ticks ticks;
    if (!(high > low) || !std::isfinite(high - low) || most < 2) {
        return ticks;
    }
    constexpr double kSlack = 1e-9;  // of a step, for limits that are round but for rounding
    double power = std::pow(10.0, std::floor(std::log10((high - low) / static_cast<double>(most))));
    for (;; power *= 10.0) {
        for (const double factor : {1.0, 2.0, 2.5, 5.0}) {
            const double step = factor * power;
            const double first = std::ceil(low / step - kSlack);
            const double last = std::floor(high / step + kSlack);
            if (last - first + 1.0 > static_cast<double>(most) ||
                (integral && step != std::floor(step))) {
                continue;
            }
            ticks.step = step;
            const auto count = static_cast<std::size_t>(last - first + 1.0);
            for (std::size_t i = 0; i < count; ++i) {
                ticks.values.push_back((first + static_cast<double>(i)) * step + 0.0);  // no -0
            }
            return ticks;
        }
    }
}

std::string tickText(double value, double step) {
    const double magnitude = std::max(std::abs(value), step);
    if (magnitude >= 1e6 || (step > 0.0 && step < 1e-5)) {
        return fmt::format("{:.3g}", value);
    }
    int decimals = 0;
    for (double scaled = step; decimals < 6 && std::abs(scaled - std::round(scaled)) > 1e-6;
         scaled = step * std::pow(10.0, decimals)) {
        ++decimals;
    }
    const std::string text = fmt::format("{:.{}f}", value, decimals);
    const bool isZero = text.find_first_not_of("-0.") == std::string::npos;
    return isZero && text.front() == '-' ? text.substr(1) : text;
}

std::string shortNumber(double value, double span) {
    if (!std::isfinite(value)) {
        return "n/a";
    }
    const double magnitude = std::max(std::abs(value), span);
    if (magnitude > 0.0 && (magnitude >= 1e5 || magnitude < 1e-3)) {
        return fmt::format("{:.2e}", value);
    }
    // Enough decimals that a hundredth of the span shows.
    const double step = span > 0.0 ? span / 100.0 : std::max(magnitude, 1e-3) / 100.0;
    const int decimals = std::clamp(static_cast<int>(std::ceil(-std::log10(step) - 1e-9)), 0, 6);
    const std::string text = fmt::format("{:.{}f}", value, decimals);
    const bool isZero = text.find_first_not_of("-0.") == std::string::npos;
    return isZero && text.front() == '-' ? text.substr(1) : text;
}

}  // namespace moescope::figures
