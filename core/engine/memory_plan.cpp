// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/memory_plan.h"

#include "core/base/error.h"
#include "core/base/format_bytes.h"
#include "core/engine/device_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

namespace moescope::engine {
namespace {

constexpr std::uint64_t kMebi = std::uint64_t{1} << 20U;
/// Blocks beyond this gain no speed; below the comfortable one, matrix products slow down.
constexpr std::array<std::uint64_t, 8> kBlockTokens{2048, 1024, 512, 256, 128, 64, 32, 16};
constexpr std::uint64_t kComfortableBlock = 256;
constexpr std::uint64_t kMostScores = 64 * kMebi;
constexpr std::uint64_t kFewestScores = kMebi;
constexpr std::uint64_t kSmallestSlab = 16;
/// Bytes of a slab that stay in most processors' last cache, and the neurons below which a slab of
/// the down matrices would read the file in too short pieces.
constexpr std::uint64_t kCachedSlab = std::uint64_t{16} << 20U;
constexpr std::uint64_t kFewestCached = 64;
/// Experts that are computed with and read at the same time.
constexpr std::uint64_t kExpertsComing = 3;
/// The disk runs ahead of the processor by no more than this.
constexpr std::uint64_t kReadAhead = 1024 * kMebi;
/// A score passes through its own type, float32 and its own type again.
constexpr std::uint64_t kScoreCopies = 3;

/// The layer before's results while they are written, the file that is made of them in memory, and
/// this layer's.
constexpr std::uint64_t kPartCopies = 3;

struct Mode {
    bool resident = true;
    bool ahead = true;
};
constexpr std::array<Mode, 3> kModes{Mode{true, true}, Mode{true, false}, Mode{false, false}};

std::uint64_t weightsOf(const LayerCost& layer, bool resident) {
    return layer.otherWeights + (resident ? layer.expertWeights : layer.largestExpert);
}

std::uint64_t tokensPhase(const LayerCost& layer, const MemoryPlan& plan, std::uint64_t tokens) {
    const auto lanes = static_cast<std::uint64_t>(plan.lanes);
    const std::uint64_t block = std::min(lanes * plan.blockTokens, tokens);
    const std::uint64_t rows = std::min(lanes * plan.queryRows, tokens);
    const std::uint64_t perToken =
        layer.perToken + (plan.lanes > 1 ? layer.activationsPerToken : 0);
    const std::uint64_t attention =
        lanes * (layer.keysValues + kScoreCopies * std::min(plan.scoreBytes, layer.mostScores)) +
        rows * layer.perQueryRow + (plan.keepOutputs ? block * layer.outputsPerToken : 0);
    return std::max(attention, block * perToken) + layer.probeState + kPartCopies * layer.parts;
}

std::uint64_t staticPhase(const LayerCost& layer, const MemoryPlan& plan) {
    const std::uint64_t neurons = std::min(plan.slabNeurons, layer.neurons);
    return layer.staticState + neurons * layer.perNeuron;
}

std::uint64_t peakOf(const PlanInput& input, const MemoryPlan& plan) {
    const std::uint64_t base =
        input.fixed + (plan.residualInMemory ? input.residual : 0) + plan.bufferBytes;
    std::uint64_t peak = base;
    for (std::size_t l = 0; l < input.layers.size(); ++l) {
        const LayerCost& layer = input.layers[l];
        std::uint64_t weights = 0;
        if (input.tokens > 0) {
            weights = weightsOf(layer, plan.residentExperts);
            if (plan.decodeAhead && l + 1 < input.layers.size()) {
                weights += weightsOf(input.layers[l + 1], plan.residentExperts);
            }
        }
        const std::uint64_t tokens = input.tokens > 0 ? tokensPhase(layer, plan, input.tokens) : 0;
        const std::uint64_t units = layer.unit * static_cast<std::uint64_t>(plan.unitsAtOnce);
        const std::uint64_t kept =
            plan.keepOutputs ? std::min(static_cast<std::uint64_t>(plan.lanes) * plan.blockTokens,
                                        input.tokens) *
                                   layer.outputsPerToken
                             : 0;
        const std::uint64_t onWeights = std::max(staticPhase(layer, plan), units) + kept;
        peak = std::max(peak, base + weights + std::max(tokens, onWeights));
    }
    return peak;
}

/// Neurons of a slab that stays in the processor's cache while all probes look at it.
std::uint64_t cachedSlab(const LayerCost& layer) {
    const std::uint64_t fitting = kCachedSlab / std::max<std::uint64_t>(layer.perNeuron, 1);
    return std::min(layer.neurons, std::max(fitting, kFewestCached));
}

/// The slab takes what is left; false when not even the smallest fits.
bool fitSlab(const PlanInput& input, MemoryPlan& plan) {
    std::uint64_t most = kSmallestSlab;
    for (const LayerCost& layer : input.layers) {
        most = std::max(most, cachedSlab(layer));
    }
    for (plan.slabNeurons = most; plan.slabNeurons >= kSmallestSlab; plan.slabNeurons /= 2) {
        plan.peakBytes = peakOf(input, plan);
        if (plan.peakBytes <= input.budget) {
            return true;
        }
    }
    return false;
}

MemoryPlan planFor(Mode mode, bool inMemory, std::uint64_t block) {
    MemoryPlan plan;
    plan.residualInMemory = inMemory;
    plan.residentExperts = mode.resident;
    plan.decodeAhead = mode.ahead;
    plan.blockTokens = block;
    plan.queryRows = block;
    plan.scoreBytes =
        std::clamp(kMostScores * block / kBlockTokens.front() * 2, kFewestScores, kMostScores);
    plan.slabNeurons = kSmallestSlab;
    return plan;
}

std::optional<MemoryPlan> fastest(const PlanInput& input, bool comfortable) {
    for (const Mode& mode : kModes) {
        for (const bool inMemory : {true, false}) {
            if (inMemory ? input.mustUseScratch : !input.mayUseScratch) {
                continue;
            }
            for (const std::uint64_t block : kBlockTokens) {
                MemoryPlan plan = planFor(mode, inMemory, block);
                if ((block >= kComfortableBlock) == comfortable && fitSlab(input, plan)) {
                    return plan;
                }
            }
        }
    }
    return std::nullopt;
}

/// As many units at once as there is memory for, without giving up any speed for them.
void takeMoreUnits(const PlanInput& input, MemoryPlan& plan) {
    MemoryPlan more = plan;
    while (++more.unitsAtOnce <= input.mostUnits) {
        more.peakBytes = peakOf(input, more);
        if (more.peakBytes > input.budget) {
            return;
        }
        plan = more;
    }
}

/// As many blocks of tokens side by side as there is memory for: blocks stay as large as they are,
/// so that the number of lanes changes no result.
void takeMoreLanes(const PlanInput& input, MemoryPlan& plan) {
    MemoryPlan more = plan;
    const std::uint64_t step = std::max<std::uint64_t>(plan.blockTokens, 1);
    const std::uint64_t blocks = (input.tokens + step - 1) / step;
    const auto most = std::min(static_cast<std::uint64_t>(input.mostLanes), blocks);
    while (plan.residentExperts && static_cast<std::uint64_t>(++more.lanes) <= most) {
        more.peakBytes = peakOf(input, more);
        if (more.peakBytes > input.budget) {
            return;
        }
        plan = more;
    }
}

/// Memory that is touched for the first time costs the kernel more than some products do.
void keepOutputs(const PlanInput& input, MemoryPlan& plan) {
    MemoryPlan more = plan;
    more.keepOutputs = true;
    more.peakBytes = peakOf(input, more);
    if (more.peakBytes <= input.budget) {
        plan = more;
    }
}

/// Room for weights read past the page cache: of the layer at hand what is not experts, its experts
/// on their way or, where several blocks of tokens pass them, all of them, and the next layer's
/// beginning. What is left of the budget lets the disk run ahead.
void readDirect(const PlanInput& input, MemoryPlan& plan) {
    MemoryPlan more = plan;
    more.holdExperts = input.tokens > plan.blockTokens;
    std::uint64_t needed = 0;
    for (std::size_t l = 0; l < input.layers.size(); ++l) {
        const LayerCost& layer = input.layers[l];
        const LayerCost& next = input.layers[std::min(l + 1, input.layers.size() - 1)];
        const std::uint64_t coming = kExpertsComing * layer.directExpert;
        const std::uint64_t experts = more.holdExperts ? layer.directExperts : coming;
        needed = std::max(needed, layer.directOthers + experts + next.directOthers +
                                      kExpertsComing * next.directExpert);
    }
    if (input.tokens == 0 || needed == 0 || plan.peakBytes + needed > input.budget) {
        return;
    }
    more.bufferBytes = needed + std::min(kReadAhead, input.budget - plan.peakBytes - needed);
    more.peakBytes = peakOf(input, more);
    plan = more;
}

}  // namespace

MemoryPlan planMemory(const PlanInput& input) {
    if (input.device) {
        return planDeviceMemory(input);
    }
    const MemoryPlan frugal = planFor(kModes.back(), !input.mayUseScratch, kBlockTokens.back());
    const std::uint64_t minimum = peakOf(input, frugal);
    std::optional<MemoryPlan> plan = fastest(input, true);
    if (!plan) {
        plan = fastest(input, false);
    }
    if (!plan) {
        throw Error(ErrorCode::MemoryBudget,
                    fmt::format("This run needs at least {} of memory and may use {}. Give more "
                                "with --memory, or use less text or fewer experiments.",
                                formatBytes(minimum), formatBytes(input.budget)));
    }
    plan->minimumBytes = minimum;
    takeMoreUnits(input, *plan);
    takeMoreLanes(input, *plan);
    keepOutputs(input, *plan);
    // Experts that come while a layer computes come to one block at a time.
    if (input.mayReadDirect && plan->lanes == 1 && plan->residentExperts && plan->decodeAhead) {
        readDirect(input, *plan);
    }
    return *plan;
}

}  // namespace moescope::engine
