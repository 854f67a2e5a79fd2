// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/memory_plan.h"
#include "core/engine/probe.h"
#include "core/model/model_spec.h"

#include <cstdint>

namespace moescope::engine {

/// How MoeBlock::forward() goes through a routed layer's experts for a block of tokens: about, as
/// nobody knows which ones the tokens will choose.
struct ExpertSteps {
    bool together = false;  ///< in batches, gathered and summed at once
    double experts = 0.0;   ///< that are computed
    double polls = 0.0;     ///< times that experts are asked for: batches, or products of one
};
[[nodiscard]] ExpertSteps expertSteps(const model::MoeSpec& moe, const DynamicNeeds& needs,
                                      std::uint64_t tokens, const MemoryPlan& memory);

}  // namespace moescope::engine
