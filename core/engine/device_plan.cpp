// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/device_plan.h"

#include "core/base/error.h"
#include "core/base/format_bytes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

namespace moescope::engine {
namespace {

constexpr std::uint64_t kMebi = std::uint64_t{1} << 20U;
/// Part of a device's free memory that a run takes at most, named in messages: its allocator cuts
/// memory into blocks that do not always fit.
constexpr double kDeviceShare = 0.9;
/// Blocks of tokens; larger than 2048 only where experts come again for each.
constexpr std::array<std::uint64_t, 10> kBlockTokens{8192, 4096, 2048, 1024, 512,
                                                     256,  128,  64,   32,   16};
constexpr std::uint64_t kLargestResident = 2048;
constexpr std::uint64_t kComfortableBlock = 256;
constexpr std::uint64_t kMostQueryRows = 2048;
constexpr std::uint64_t kMostScores = 256 * kMebi;
constexpr std::uint64_t kFewestScores = kMebi;
constexpr std::uint64_t kScoreCopies = 3;  ///< as on the CPU
constexpr std::uint64_t kPartCopies = 3;
constexpr std::uint64_t kLargestSlab = 1024;
constexpr std::uint64_t kSmallestSlab = 16;
/// A slab in float32, and what sums over it make of it in float64.
constexpr std::uint64_t kSlabCopies = 4;
/// Enough to keep a bus busy; a smaller part of a small budget.
constexpr std::uint64_t kMostStaging = 96 * kMebi;
constexpr std::uint64_t kStagingShare = 16;

/// How a plan treats experts.
enum class Experts { TwoLayers, OneLayer, Batches };

class DevicePlanner {
public:
    explicit DevicePlanner(const PlanInput& input) : m_input(input), m_device(*input.device) {}

    [[nodiscard]] MemoryPlan plan() {
        for (const bool comfortable : {true, false}) {
            for (const Experts experts :
                 {Experts::TwoLayers, Experts::OneLayer, Experts::Batches}) {
                for (const std::uint64_t block : kBlockTokens) {
                    const bool suits = (block >= kComfortableBlock) == comfortable &&
                                       (experts == Experts::Batches || block <= kLargestResident);
                    MemoryPlan plan = planFor(experts, block);
                    if (suits && fit(plan, experts, comfortable)) {
                        takeMoreUnits(plan);
                        return plan;
                    }
                }
            }
        }
        refuse();
    }

private:
    [[nodiscard]] MemoryPlan planFor(Experts experts, std::uint64_t block) const {
        MemoryPlan plan;
        plan.residentExperts = experts != Experts::Batches;
        plan.decodeAhead = experts == Experts::TwoLayers;
        plan.blockTokens = block;
        plan.queryRows = std::min(block, kMostQueryRows);
        plan.scoreBytes =
            std::clamp(kMostScores * block / kLargestResident, kFewestScores, kMostScores);
        plan.stagingBytes = std::min(kMostStaging, m_input.budget / kStagingShare / m_device.count);
        plan.slabNeurons = kLargestSlab;
        plan.expertsAtOnce = std::max(1, mostExperts());
        plan.deviceBudget = m_device.budget;
        return plan;
    }

    [[nodiscard]] int mostExperts() const {
        int most = 0;
        for (const LayerCost& layer : m_input.layers) {
            most = std::max(most, layer.experts);
        }
        return most;
    }

    /// Weights of a layer on the device; those of the next are its beginning, and its experts where
    /// two layers fit.
    [[nodiscard]] static std::uint64_t weights(const LayerCost& layer, const MemoryPlan& plan) {
        return layer.otherWeights +
               std::min(layer.expertWeights,
                        static_cast<std::uint64_t>(plan.expertsAtOnce) * layer.largestExpert);
    }

    [[nodiscard]] static std::uint64_t slab(const LayerCost& layer, const MemoryPlan& plan) {
        return std::min(plan.slabNeurons, layer.neurons) * layer.perNeuron;
    }

    /// Of a block of tokens in the feed-forward, with what probes take of it.
    [[nodiscard]] std::uint64_t feedForward(const LayerCost& layer, std::uint64_t block,
                                            const MemoryPlan& plan) const {
        const int together =
            std::min({kExpertsTogether, plan.expertsAtOnce, layer.experts, layer.mostTogether});
        // With several devices activations wait until it is their block's turn.
        std::uint64_t bytes =
            block * (layer.perToken + (m_device.count > 1 ? layer.activationsPerToken : 0));
        bytes +=
            block * layer.perTokenAndExpert * static_cast<std::uint64_t>(std::max(together, 1) - 1);
        for (const BoundedBytes& probe : layer.onDevice) {
            bytes += probe.of(block);
        }
        return bytes;
    }

    [[nodiscard]] std::uint64_t devicePeak(const MemoryPlan& plan) const {
        const std::uint64_t base = m_device.fixed + m_input.residual;
        const std::uint64_t block = std::min(plan.blockTokens, m_device.tokens);
        const std::uint64_t rows = std::min(plan.queryRows, m_device.tokens);
        std::uint64_t peak = base;
        for (std::size_t l = 0; l < m_input.layers.size(); ++l) {
            const LayerCost& layer = m_input.layers[l];
            std::uint64_t weight = 0;
            std::uint64_t tokens = 0;
            if (m_input.tokens > 0) {
                weight = weights(layer, plan);
                if (l + 1 < m_input.layers.size()) {
                    const LayerCost& next = m_input.layers[l + 1];
                    weight += plan.decodeAhead ? weights(next, plan) : next.otherWeights;
                }
                const std::uint64_t attention =
                    layer.keysValues + kScoreCopies * std::min(plan.scoreBytes, layer.mostScores) +
                    rows * layer.perQueryRow;
                tokens = std::max(attention, feedForward(layer, block, plan));
            }
            const std::uint64_t onWeights =
                std::max(layer.staticState + kSlabCopies * slab(layer, plan),
                         layer.unit * static_cast<std::uint64_t>(plan.unitsAtOnce));
            peak = std::max(peak, base + weight + std::max(tokens, onWeights));
        }
        return peak;
    }

    [[nodiscard]] std::uint64_t hostPeak(const MemoryPlan& plan) const {
        const std::uint64_t base = m_input.fixed + m_device.count * plan.stagingBytes;
        const std::uint64_t block = std::min(plan.blockTokens, m_input.tokens);
        std::uint64_t peak = base;
        for (const LayerCost& layer : m_input.layers) {
            const std::uint64_t tokens =
                layer.probeState + kPartCopies * layer.parts + block * layer.hostPerToken;
            const std::uint64_t onWeights =
                std::max(layer.staticState + slab(layer, plan),
                         layer.unit * static_cast<std::uint64_t>(plan.unitsAtOnce));
            peak = std::max(peak, base + std::max(tokens, onWeights));
        }
        return peak;
    }

    bool measure(MemoryPlan& plan) const {
        plan.peakBytes = hostPeak(plan);
        plan.deviceBytes = devicePeak(plan);
        plan.minimumBytes = hostPeak(frugal());
        return plan.peakBytes <= m_input.budget && plan.deviceBytes <= m_device.budget;
    }

    [[nodiscard]] MemoryPlan frugal() const {
        MemoryPlan plan = planFor(Experts::Batches, kBlockTokens.back());
        plan.expertsAtOnce = 1;
        plan.slabNeurons = kSmallestSlab;
        plan.stagingBytes = 0;
        return plan;
    }

    /// As many experts, and as large a slab, as there is room for.
    bool fit(MemoryPlan& plan, Experts experts, bool comfortable) const {
        for (; plan.slabNeurons >= kSmallestSlab; plan.slabNeurons /= 2) {
            if (experts != Experts::Batches) {
                if (measure(plan)) {
                    return true;
                }
                continue;
            }
            // Two, so that one travels while the other computes.
            const int fewest = comfortable ? std::min(2, std::max(1, mostExperts())) : 1;
            int low = fewest;
            int high = std::max(1, mostExperts());
            const auto fits = [&](int count) {
                plan.expertsAtOnce = count;
                return measure(plan);
            };
            if (!fits(low)) {
                continue;
            }
            while (low < high) {
                const int middle = low + (high - low + 1) / 2;
                if (fits(middle)) {
                    low = middle;
                } else {
                    high = middle - 1;
                }
            }
            return fits(low);
        }
        return false;
    }

    void takeMoreUnits(MemoryPlan& plan) const {
        MemoryPlan more = plan;
        while (++more.unitsAtOnce <= m_input.mostUnits && measure(more)) {
            plan = more;
        }
    }

    [[noreturn]] void refuse() const {
        const MemoryPlan plan = frugal();
        const std::uint64_t host = hostPeak(plan);
        if (host > m_input.budget) {
            throw Error(ErrorCode::MemoryBudget,
                        fmt::format("This run needs at least {} of memory and may use {}. Give "
                                    "more with --memory, or use less text or fewer experiments.",
                                    formatBytes(host), formatBytes(m_input.budget)));
        }
        const std::string more = m_device.isAllFree
                                     ? "which is nine tenths of what is free there. End what else "
                                       "computes there"
                                     : "as --device-memory says. Give more with it";
        throw Error(
            ErrorCode::MemoryBudget,
            fmt::format("This run needs at least {} of memory on {} and may use {}, {}, use less "
                        "text or fewer experiments, or --device cpu.",
                        formatBytes(devicePeak(plan)), m_device.name, formatBytes(m_device.budget),
                        more));
    }

    const PlanInput& m_input;
    const DeviceMemory& m_device;
};

}  // namespace

DeviceBudget deviceBudget(std::optional<std::uint64_t> asked,
                          std::span<const std::optional<std::uint64_t>> free,
                          const std::string& names) {
    std::optional<std::uint64_t> least;
    for (const std::optional<std::uint64_t>& bytes : free) {
        least = bytes && (!least || *bytes < *least) ? bytes : least;
    }
    if (!least && !asked) {
        throw Error(ErrorCode::Device,
                    fmt::format("How much memory is free on {} cannot be asked. Say with "
                                "--device-memory how much of it may be used, or use --device cpu.",
                                names));
    }
    if (!least) {
        return {*asked, false};
    }
    const auto share = static_cast<std::uint64_t>(static_cast<double>(*least) * kDeviceShare);
    return asked && *asked <= share ? DeviceBudget{*asked, false} : DeviceBudget{share, true};
}

MemoryPlan planDeviceMemory(const PlanInput& input) {
    return DevicePlanner(input).plan();
}

}  // namespace moescope::engine
