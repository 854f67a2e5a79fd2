// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/load_simulation.h"

#include "core/base/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace moescope::figures {
namespace {

[[noreturn]] void refuse(const std::string& message) {
    throw Error(ErrorCode::Usage, message);
}

}  // namespace

void requirePossible(const LoadSimulation& load) {
    if (load.batchTokens == 0) {
        refuse("Batches of 0 tokens are not possible: give 1 token or more.");
    }
    if (load.capacities.empty() || load.capacities.size() > kMostCapacities) {
        refuse(fmt::format("{} capacity factors are not possible: give 1 to {}.",
                           load.capacities.size(), kMostCapacities));
    }
    for (const double factor : load.capacities) {
        if (!(factor > 0.0 && factor <= kMostCapacity)) {
            refuse(
                fmt::format("A capacity factor of {} is not possible: give a number above 0, "
                            "at most {}; 1 is room for an even share.",
                            factor, kMostCapacity));
        }
    }
    if (load.devices && *load.devices < 1) {
        refuse(fmt::format("{} devices are not possible: give 1 up to the number of experts.",
                           *load.devices));
    }
}

int usualDevices(int experts) {
    return std::clamp(experts / 2, 1, kMostUsualDevices);
}

}  // namespace moescope::figures
