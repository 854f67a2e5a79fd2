// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/geometry.h"

#include <string>
#include <vector>

namespace moescope::figures {

/// A label and where its mark is.
struct LabelRequest {
    double x = 0.0, y = 0.0;  ///< of the mark's middle, pixels
    std::string text;
};

struct LabelPlace {
    Rect box;                ///< of the text; empty: no room, not drawn
    bool hasLeader = false;  ///< stands away from its mark: draw a line to it
};

/// Places labels beside their marks so that they cover neither each other nor a mark, within
/// `area`; where that is crowded, further away. Earlier labels go first.
[[nodiscard]] std::vector<LabelPlace> placeLabels(const std::vector<LabelRequest>& labels,
                                                  const Rect& area, double markRadius,
                                                  const TextMetrics& text);

}  // namespace moescope::figures
