// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/figure.h"
#include "widgets/canvas/figure_body.h"
#include "widgets/canvas/figure_style.h"

#include <memory>
#include <set>

namespace moescope::widgets {

/// Grouped bars of rank counts, one group per norm rank, one bar per score rank; a click on a
/// legend entry hides or shows its bars. `hidden` outlives the body, so that a layer step keeps it.
[[nodiscard]] std::unique_ptr<FigureBody> makeRankCountsBody(
    std::shared_ptr<const figures::Figure> figure, const FigureStyle& style,
    std::shared_ptr<std::set<int>> hidden);

}  // namespace moescope::widgets
