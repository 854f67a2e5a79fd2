// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/memory_plan.h"

namespace moescope::engine {

/// planMemory() where a device computes (PlanInput::device): the fastest plan within both budgets.
/// All experts of a layer and of the next, if they fit; else of one layer; else so many as there is
/// room for, with larger blocks of tokens, since each block has them brought again. Throws
/// Error(MemoryBudget) naming what is short and the minimum.
[[nodiscard]] MemoryPlan planDeviceMemory(const PlanInput& input);

}  // namespace moescope::engine
