// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

/// Pure geometry of figures. Units are logical pixels of whoever draws.
namespace moescope::figures {

struct Rect {
    double x = 0.0, y = 0.0, width = 0.0, height = 0.0;
    [[nodiscard]] double right() const { return x + width; }
    [[nodiscard]] double bottom() const { return y + height; }
    [[nodiscard]] bool contains(double px, double py) const {
        return px >= x && px < right() && py >= y && py < bottom();
    }
    bool operator==(const Rect&) const = default;
};

/// What layout needs to know of a font.
struct TextMetrics {
    double lineHeight = 0.0;
    std::function<double(std::string_view)> width;
};

/// Every how many labels one is drawn so that they do not touch: 1, 2, 4, 8, ... for labels of size
/// `label` at a distance of `step` each. 0 when there is nothing to draw.
[[nodiscard]] std::size_t thinning(std::size_t count, double step, double label);

/// Gap between cells: 1 above 10 pixels a cell, else none.
[[nodiscard]] double cellGap(double cell) noexcept;
/// True when a value has room in a cell.
[[nodiscard]] bool cellShowsValue(double cell) noexcept;

/// Small multiples: how many columns of `count` equal panels of `aspect` (width / height) make the
/// panels largest within width x height.
[[nodiscard]] std::size_t bestColumns(std::size_t count, double width, double height, double aspect,
                                      double gap, double titleHeight);

/// Round numbers (1, 2, 2.5 or 5 times a power of ten apart) from low to high, both included where
/// they are round themselves: at most `most`, at least two where `most` allows; whole numbers with
/// `integral`. Empty when there are none.
struct Ticks {
    double step = 0.0;
    std::vector<double> values;
};
[[nodiscard]] Ticks roundTicks(double low, double high, std::size_t most, bool integral);
/// A tick's value with as many decimals as its step has.
[[nodiscard]] std::string tickText(double value, double step);

/// A value in few digits for a colour bar or a cell whose scale spans `span`: a hundredth of the
/// span still shows.
[[nodiscard]] std::string shortNumber(double value, double span);

}  // namespace moescope::figures
