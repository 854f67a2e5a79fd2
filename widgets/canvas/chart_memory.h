// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/turned_view.h"
#include "core/figures/view_window.h"

#include <cstddef>
#include <optional>
#include <set>
#include <string>

namespace moescope::widgets {

/// What a reader did to a chart or table, kept from layer to layer: entries of the legend that are
/// hidden, the part that is shown, how it is turned, what it is sorted by. Files are drawn with a
/// fresh one.
struct ChartMemory {
    std::set<std::string> hidden;
    figures::ViewWindow window;
    figures::TurnedView turned;
    std::optional<std::size_t> sortColumn;
    bool isDescending = false;
};

}  // namespace moescope::widgets
