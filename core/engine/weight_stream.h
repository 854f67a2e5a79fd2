// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/probe.h"
#include "core/engine/weight_reader.h"

#include <functional>
#include <span>

namespace moescope::engine {

/// Where the matrices of a layer's columns lie.
struct ColumnWeights {
    WeightReader* reader = nullptr;
    const model::FeedForwardNames* names = nullptr;
};

/// The matrix of a role.
[[nodiscard]] const model::TensorRef& matrixName(const model::FeedForwardNames& names, Role role);

/// Indices of the columns that are read together: those with as many neurons as the experts, then
/// each other one by itself.
[[nodiscard]] std::vector<std::vector<int>> columnGroups(const LayerContext& layer);

/// Carries a layer's expert matrices past the static probes in slabs of neurons, float32 in main
/// memory, so that no more than `slabNeurons` neurons of all columns are there at once. Order as
/// WeightBlock says.
class WeightStream {
public:
    /// Whether a slab was used, or the consumer wants fewer neurons at a time, this one's first.
    enum class Taken { Yes, Smaller };
    using Consumer = std::function<Taken(const WeightBlock&)>;
    using Poll = std::function<void()>;

    /// `device` is where the consumer computes.
    WeightStream(const LayerContext& layer, std::vector<ColumnWeights> columns, at::Device device)
        : m_layer(layer), m_columns(std::move(columns)), m_device(device) {}

    /// `slabNeurons` 0: whole matrices.
    void run(std::uint64_t slabNeurons, const Consumer& consumer, const Poll& poll) const;

private:
    /// `step` is the neurons of a slab: fewer from where the consumer wanted that.
    void group(Role role, const std::vector<int>& columns, std::uint64_t& step,
               const Consumer& consumer, const Poll& poll) const;

    const LayerContext& m_layer;
    std::vector<ColumnWeights> m_columns;
    at::Device m_device;
};

}  // namespace moescope::engine
