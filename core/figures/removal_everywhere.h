// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/removal.h"

#include <cstddef>
#include <limits>
#include <optional>
#include <vector>

/// The experts of one index removed in every layer, and what stands beside a removal (C4). Private
/// to the builders.
namespace moescope::figures {

/// Experts whose loads are within this factor are of like load.
inline constexpr double kLikeLoad = 1.5;

/// What happens when others go in an expert's place; NaN: not known.
struct Beside {
    static constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
    double rise = kUnknown, low = kUnknown, high = kUnknown, load = kUnknown;
};
/// Means over the other experts of like load. `rises` and `loads` are by expert.
[[nodiscard]] Beside likeLoadOf(const std::vector<double>& rises, const std::vector<double>& loads,
                                std::size_t expert);

/// By index.
struct EverywhereRemovals {
    RemovalTable outcomes;
    std::vector<double> rises;  ///< of the loss, nats
    std::vector<double>
        loads;  ///< share of tokens that choose it, mean of the layers; NaN: unknown
};
/// nullopt where the session has none. Throws as RemovalTable::read() does.
[[nodiscard]] std::optional<EverywhereRemovals> everywhereRemovals(const BuildContext& context,
                                                                   const RemovalOutcome& intact,
                                                                   const ExpertShares& shares);

}  // namespace moescope::figures
