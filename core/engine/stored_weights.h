// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/run_plan.h"
#include "core/engine/weight_stream.h"
#include "core/engine/weight_sums.h"

namespace moescope::engine {

/// Carries a layer's expert matrices past a WeightSummer where they are mapped, band of rows after
/// band, without a float32 copy: where all of them are stored as bfloat16.
class StoredWeights {
public:
    StoredWeights(const LayerContext& layer, std::vector<ColumnWeights> columns)
        : m_layer(layer), m_columns(std::move(columns)) {}

    /// Whether this way is open at a layer, and all that its static probes want.
    [[nodiscard]] static bool suit(const LayerContext& layer, const LayerWork& work,
                                   const OpenedModels& models, const ComputePlace& place);
    /// How often run() calls `poll`.
    [[nodiscard]] static std::uint64_t steps(const LayerContext& layer);
    void run(WeightSummer& summer, const WeightStream::Poll& poll) const;

private:
    void group(Role role, const std::vector<int>& columns, WeightSummer& summer,
               const WeightStream::Poll& poll) const;

    const LayerContext& m_layer;
    std::vector<ColumnWeights> m_columns;
};

}  // namespace moescope::engine
