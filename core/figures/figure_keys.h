// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/request.h"

#include <algorithm>
#include <array>

namespace moescope::figures {

/// The digit that shows a figure in the window, 1 to 9; 0 for those without one. The digits of the
/// main figures stay what they are when the catalogue grows.
[[nodiscard]] inline int figureKey(const FigureInfo& info) {
    constexpr std::array<std::string_view, 9> kKeys{
        "weight-similarity", "mean-neuron-similarity", "output-similarity", "norms-scores",
        "rank-counts",       "chosen-experts",         "coloured-text",     "parameters",
        "similarity-trend"};
    const auto* found = std::find(kKeys.begin(), kKeys.end(), info.name);
    return found == kKeys.end() ? 0 : static_cast<int>(found - kKeys.begin()) + 1;
}

}  // namespace moescope::figures
