// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/expert_steps.h"

#include <algorithm>
#include <cmath>

namespace moescope::engine {
namespace {

/// Batches of `computed` of all experts, of which none reaches into two of a device.
double batches(double computed, int experts, int expertsAtOnce) {
    // Those that do not hold all share the room in twos (ExpertBatches).
    const int size = expertsAtOnce >= experts ? experts : std::max(1, expertsAtOnce / 2);
    const double batches = std::min(computed, std::ceil(static_cast<double>(experts) / size));
    return batches * std::ceil(computed / (std::max(batches, 1.0) * kExpertsTogether));
}

}  // namespace

ExpertSteps expertSteps(const model::MoeSpec& moe, const DynamicNeeds& needs, std::uint64_t tokens,
                        const MemoryPlan& memory) {
    const double chosen =
        std::min<double>(moe.experts, static_cast<double>(tokens) * static_cast<double>(moe.topK));
    const bool all = needs.allColumns();
    ExpertSteps steps;
    steps.together = memory.streamed() && !moe.scaleInput;
    steps.experts = all ? moe.experts : chosen;
    if (steps.together) {
        steps.polls = batches(steps.experts, moe.experts, memory.expertsAtOnce);
        return steps;
    }
    steps.polls = steps.experts;
    if (moe.scaleInput && (all || needs.chosenSizes)) {
        steps.polls += chosen;  // once more: what flows on is of scaled inputs
    }
    return steps;
}

}  // namespace moescope::engine
