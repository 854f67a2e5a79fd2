// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/session/session.h"

#include <string_view>

namespace moescope::figures {

/// A statistic ("slope", "r2", ...) of a role in router_similarity/regression [roles, statistics]
/// of one layer; NaN where there is none. Throws Error(BadSession) for another form of array.
[[nodiscard]] double regressionStatistic(const session::QuantityInfo& info, const NdArray& values,
                                         std::string_view role, std::string_view statistic);

/// Whether the router's similarity was held against that of mean neurons (A2), not of whole
/// matrices (A1).
[[nodiscard]] bool isAgainstMeanNeurons(const session::QuantityInfo& regression);

}  // namespace moescope::figures
