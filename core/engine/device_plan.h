// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/memory_plan.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace moescope::engine {

/// What may be used of the memory of each of several devices.
struct DeviceBudget {
    std::uint64_t bytes = 0;
    bool isAllFree = false;  ///< there is no more, whatever was asked for
};

/// `asked`: as --device-memory says; `free`: of each device, nothing where it cannot be asked. The
/// device with least decides. Throws Error(Device) when neither is known.
[[nodiscard]] DeviceBudget deviceBudget(std::optional<std::uint64_t> asked,
                                        std::span<const std::optional<std::uint64_t>> free,
                                        const std::string& names);

/// planMemory() where a device computes (PlanInput::device): the fastest plan within both budgets.
/// All experts of a layer and of the next, if they fit; else of one layer; else so many as there is
/// room for, with larger blocks of tokens, since each block has them brought again. Throws
/// Error(MemoryBudget) naming what is short and the minimum.
[[nodiscard]] MemoryPlan planDeviceMemory(const PlanInput& input);

}  // namespace moescope::engine
