// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/figure.h"

#include <cstddef>
#include <string>
#include <vector>

/// The numbers beside a colour bar. Pure functions; safe from any thread.
namespace moescope::figures {

inline constexpr std::size_t kMostBarMarks = 6;  ///< round numbers, whatever the room

struct BarMark {
    double share = 0.0;  ///< of the way from the low to the high end
    std::string text;    ///< UTF-8, minus signs as hyphens
};

/// Those that may be shown, in the order in which they take room: ends beyond which values lie,
/// with their sign, then at most `most` round numbers; the plain ends where there is neither. None
/// where the scale spans nothing.
[[nodiscard]] std::vector<BarMark> barMarks(const ScaleBar& bar, std::size_t most);

}  // namespace moescope::figures
