// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/device_memory.h"
#include "core/engine/weight_stream.h"
#include "core/engine/weight_sums.h"

#include <functional>
#include <string>
#include <vector>

namespace moescope::engine {

/// Carries a layer's weights past its static probes: the router, then the expert matrices slab
/// after slab, of which sums are added up for all probes together. Where a device's memory runs out
/// it takes fewer neurons at a time, and the rest of the layer in main memory when that does not
/// help either; results differ by the rounding of float64 sums. Thread-compatible.
class StaticPhase {
public:
    struct Setup {
        const LayerContext& layer;
        std::vector<StaticProbe*> probes;
        std::vector<ColumnWeights> columns;  ///< one for each of the layer's; experts come first
        at::Device device = at::kCPU;
        /// Tensors: slabs are copied to the device, also where that is the CPU, which then stands
        /// for one.
        SummingMeans means = SummingMeans::Loops;
        std::uint64_t slabNeurons = 0;  ///< at a time, 0: all
        Relief relieve;                 ///< may be empty
        std::function<void()> poll;     ///< throws to stop
    };
    explicit StaticPhase(Setup setup);

    /// Where all matrices lie as bfloat16: without copies of them (StoredWeights).
    void runStored();
    /// In any other case.
    void run();

    [[nodiscard]] const WeightSums& sums() const { return m_summer.sums(); }
    /// What could not be computed where it was planned; empty: nothing.
    [[nodiscard]] std::string warning() const;

private:
    /// Calls work(tensor) with a copy of `here` on the device. False when there is no memory for
    /// that, or no device; work() has changed nothing then.
    [[nodiscard]] bool onDevice(const at::Tensor& here,
                                const std::function<void(const at::Tensor&)>& work) const;
    /// Calls probe(tensor) with a copy on the device, or with `here` where there is no memory for
    /// one.
    void giveTo(const at::Tensor& here, const std::function<void(const at::Tensor&)>& probe);
    void begin();
    void giveRouter();
    [[nodiscard]] WeightStream::Taken take(const WeightBlock& block);
    /// True when the sums have the slab.
    [[nodiscard]] bool add(const WeightBlock& block);

    Setup m_setup;
    StaticNeeds m_needs;
    WeightSummer m_summer;
    std::uint64_t m_leastNeurons;  ///< fewer at a time are left to the processor
    bool m_isHere;                 ///< what is summed from now on is in main memory
    bool m_ranOut = false;
};

}  // namespace moescope::engine
