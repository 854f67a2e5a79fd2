// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/bounded_bytes.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace moescope::engine {

/// Experts whose products a device is told of together, at most: each is three, and more of them
/// leave it no more idle.
inline constexpr int kExpertsTogether = 8;

/// Memory that one layer asks for, in bytes of anonymous memory. Weights used where they are mapped
/// cost nothing.
struct LayerCost {
    std::uint64_t otherWeights = 0;   ///< attention, norms, router, shared or dense feed-forward
    std::uint64_t expertWeights = 0;  ///< all routed experts
    std::uint64_t largestExpert = 0;  ///< one of them
    /// Room that the layer's weights take that can be read past the page cache: all but the routed
    /// experts, these, and one of them. 0 where experiments on weights read the layer.
    std::uint64_t directOthers = 0, directExperts = 0, directExpert = 0;
    std::uint64_t perToken = 0;  ///< of a block in the feed-forward, probes' needs included
    std::uint64_t perTokenAndExpert = 0;    ///< for each further expert computed together
    std::uint64_t outputsPerToken = 0;      ///< of it what all experts' outputs take
    std::uint64_t activationsPerToken = 0;  ///< kept until it is a block's turn, with several lanes
    std::uint64_t perQueryRow = 0;          ///< of a block in the attention
    std::uint64_t keysValues = 0;           ///< of the longest document (or group of short ones)
    std::uint64_t mostScores = 0;           ///< attention scores that are ever formed at once
    std::uint64_t probeState = 0;           ///< of the dynamic probes
    std::uint64_t parts = 0;                ///< results on their way to the disk
    std::uint64_t staticState = 0;          ///< of the static probes
    std::uint64_t perNeuron = 0;            ///< of a slab of weights in float32; 0: nothing static
    std::uint64_t neurons = 0;              ///< at most in one slab
    std::uint64_t unit = 0;                 ///< of one unit of work on weights
    int experts = 0;                        ///< routed ones
    /// Of them, those computed together that have any one token's row.
    int mostTogether = kExpertsTogether;
    /// Of a block's results in main memory, where a device computes.
    std::uint64_t hostPerToken = 0;
    /// What dynamic probes take on such a device beyond `perToken`, each.
    std::vector<BoundedBytes> onDevice{};
};

/// Memory of the devices that compute, beside main memory: residual streams, weights and blocks of
/// tokens lie there.
struct DeviceMemory {
    std::uint64_t budget = 0;  ///< of each
    std::uint64_t fixed = 0;   ///< workspaces of the libraries, branches' streams
    std::uint64_t tokens = 0;  ///< of the text, on the device that has most
    std::uint64_t count = 1;   ///< devices
    std::string name;          ///< "cuda:0", for messages
    bool isAllFree = false;    ///< the budget is what is free there: nobody can give more
};

struct PlanInput {
    std::uint64_t budget = 0;
    std::uint64_t fixed = 0;     ///< program, libraries and their buffers
    std::uint64_t residual = 0;  ///< of all tokens, model and baselines
    std::uint64_t tokens = 0;    ///< 0: static only
    int mostUnits = 1;           ///< units of work that there are processors for
    int mostLanes = 1;           ///< blocks of tokens that are worth computing side by side
    std::vector<LayerCost> layers;
    bool mayUseScratch = true;  ///< the residual stream may live in a mapped file
    bool mustUseScratch = false;
    bool mayReadDirect = true;
    std::optional<DeviceMemory> device;  ///< `residual` is then of the device that has most
};

/// How the work is cut so that it fits.
struct MemoryPlan {
    bool residualInMemory = true;
    bool residentExperts = true;  ///< else decoded again for each block of tokens
    bool decodeAhead = true;      ///< the next layer's weights while this one computes
    std::uint64_t blockTokens = 0;
    std::uint64_t queryRows = 0;
    std::uint64_t scoreBytes = 0;
    std::uint64_t slabNeurons = 0;
    int unitsAtOnce = 1;
    int lanes = 1;  ///< blocks of tokens, or groups of documents, computed side by side
    bool keepOutputs =
        false;  ///< the memory of all experts' outputs serves one layer after another
    /// Not 0: weights that lie on the disk as they are computed with are read past the page cache
    /// into so much memory.
    std::uint64_t bufferBytes = 0;
    bool holdExperts = true;  ///< with it: a layer's experts stay for further blocks of tokens
    /// Not 0: weights go to a device while it computes, so many routed experts of a layer together
    /// and no more.
    int expertsAtOnce = 0;
    /// Page-locked buffers for them, in main memory, of each device.
    std::uint64_t stagingBytes = 0;
    std::uint64_t peakBytes = 0;     ///< of main memory
    std::uint64_t minimumBytes = 0;  ///< of the most frugal plan
    std::uint64_t deviceBytes = 0;   ///< the same of the device's memory; 0 without one
    std::uint64_t deviceBudget = 0;
    [[nodiscard]] bool streamed() const noexcept { return expertsAtOnce > 0; }
};

/// The fastest plan within the budget. Throws Error(MemoryBudget) naming the minimum.
[[nodiscard]] MemoryPlan planMemory(const PlanInput& input);

}  // namespace moescope::engine
