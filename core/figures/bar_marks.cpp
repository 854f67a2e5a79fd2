// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/bar_marks.h"

#include "core/figures/geometry.h"

#include <fmt/format.h>

namespace moescope::figures {

std::vector<BarMark> barMarks(const ScaleBar& bar, std::size_t most) {
    const ColourScale& scale = bar.scale;
    const double span = scale.high - scale.low;
    std::vector<BarMark> marks;
    if (!(span > 0.0)) {
        return marks;
    }
    const auto endText = [&](double value) {
        return bar.integral ? fmt::format("{:.0f}", value) : shortNumber(value, span);
    };
    if (scale.hasAbove) {
        marks.push_back({1.0, "\u2265" + endText(scale.high)});
    }
    if (scale.hasBelow) {
        marks.push_back({0.0, "\u2264" + endText(scale.low)});
    }
    const Ticks ticks = roundTicks(scale.low, scale.high, most, bar.integral);
    if (ticks.values.size() < 2 && marks.empty()) {
        return {{1.0, endText(scale.high)}, {0.0, endText(scale.low)}};
    }
    for (const double value : ticks.values) {
        marks.push_back({(value - scale.low) / span, tickText(value, ticks.step)});
    }
    return marks;
}

}  // namespace moescope::figures
