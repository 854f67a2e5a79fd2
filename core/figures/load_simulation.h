// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

/// What the load table supposes about whoever serves the model.
namespace moescope::figures {

/// Batches of consecutive tokens, the room of each expert in one, and the devices experts lie on.
struct LoadSimulation {
    std::size_t batchTokens = 512;
    /// Room of an expert in a batch, over its even share of the batch's assignments; a column each.
    std::vector<double> capacities{1.0, 1.25};
    std::optional<int> devices{};  ///< absent: 8, or half as many as there are experts
    bool operator==(const LoadSimulation&) const = default;
};

/// Largest factor that is accepted, and how many at once.
inline constexpr double kMostCapacity = 1000.0;
inline constexpr std::size_t kMostCapacities = 4;

/// Throws Error(Usage) saying what is accepted, as far as that goes without the experts: of more
/// devices than a layer has experts the figure says it.
void requirePossible(const LoadSimulation& load);

inline constexpr int kMostUsualDevices = 8;
/// On how many devices `experts` lie where nobody said so.
[[nodiscard]] int usualDevices(int experts);

}  // namespace moescope::figures
