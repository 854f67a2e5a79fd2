// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/probe.h"
#include "core/engine/weight_reader.h"
#include "core/numerics/matrix_sums.h"

namespace moescope::engine {

/// How sums are taken on a device: in main memory by loops of our own, elsewhere by LibTorch's
/// operations in float64, which can also be used in main memory.
enum class SummingMeans { Loops, Tensors };
[[nodiscard]] SummingMeans summingMeans(at::Device device);

/// What several probes want, together. Throws Error(Internal) where they want two different things
/// of a kind of which there is one.
[[nodiscard]] StaticNeeds together(const StaticNeeds& a, const StaticNeeds& b);

/// Adds up what probes want to know of a layer's expert matrices, slab after slab.
/// Thread-compatible.
class WeightSummer {
public:
    WeightSummer(const LayerContext& layer, const StaticNeeds& needs, SummingMeans means);

    /// A slab as WeightStream gives them, where it is to be summed. When a device's memory runs out
    /// in it, it has added nothing.
    void add(const WeightBlock& block);
    /// A slab in main memory by loops of our own, whatever the others are summed by.
    void addHere(const WeightBlock& block);
    /// The same rows of the matrices of several columns, which are all that are compared or one
    /// that is not; of a down matrix rows are elements of the hidden state. From `firstRow` on.
    void add(Role role, const std::vector<int>& columns, const numerics::Matrices& rows,
             std::uint64_t firstRow);
    [[nodiscard]] const WeightSums& sums() const { return m_sums; }

    /// What adding up takes, beside going over the weights; `isStored` where they are mapped as
    /// bfloat16, of which a processor may multiply more at a time.
    [[nodiscard]] static Effort effort(const LayerContext& layer, const StaticNeeds& needs,
                                       bool isStored);
    /// Memory that it takes, and that its result does.
    [[nodiscard]] static std::uint64_t bytes(const LayerContext& layer, const StaticNeeds& needs,
                                             SummingMeans means);

private:
    [[nodiscard]] numerics::MatrixSumsOptions optionsFor(bool compared, Role role) const;
    void addNeurons(Role role, const std::vector<int>& columns, std::uint64_t firstRow,
                    const std::vector<double>& along);
    void addTensors(const WeightBlock& block);
    /// sums += those of some elements of all matrices that are compared.
    void addCompared(WeightSums::OfRole& sums, const at::Tensor& x) const;

    StaticNeeds m_needs;
    SummingMeans m_means;
    std::size_t m_experts;
    std::size_t m_hiddenSize;
    WeightSums m_sums;
};

}  // namespace moescope::engine
