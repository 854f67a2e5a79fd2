// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/build_context.h"

#include <memory>
#include <string>
#include <vector>

/// How sure the rise of the loss without experts is (C4). Private to the builders.
namespace moescope::figures {

/// 95 % intervals of the rises of a table of removals, by row: percentile bootstrap over documents
/// of sum of rises over number of tokens (numerics::bootstrapShares).
struct RiseIntervals {
    std::vector<double> low, high;  ///< empty: not known; NaN: not of this row
    [[nodiscard]] bool areKnown() const { return !low.empty(); }
};

/// Of the table "single", "everywhere" or "set", of the losses of single tokens that a session
/// keeps beside it; kept for the next figure. Not known where it keeps none, and of fewer than two
/// documents with tokens. Throws Error(Cancelled | BadSession).
[[nodiscard]] std::shared_ptr<const RiseIntervals> riseIntervals(const BuildContext& context,
                                                                 const std::string& table);

/// What is said of intervals below a figure; of why there are none.
[[nodiscard]] std::string intervalText(const BuildContext& context, bool areKnown);

}  // namespace moescope::figures
