// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/router.h"

#include <cstdint>
#include <vector>

/// A block's tokens gathered for all experts at once, and their outputs brought together at once: a
/// device takes as long to be told of a small operation as to do it, and there would be several
/// for each expert. Internal to the engine.
namespace moescope::engine {

/// Sizes of the chosen experts' outputs, as probes see them. float32 on the run's device.
struct ChosenOutputSizes {
    at::Tensor norms, largest;  ///< [n, k]
    /// Of the rows [m] that chose an expert, whose outputs [m, d] these are.
    void set(const Routing& routing, int expert, const at::Tensor& rows, const at::Tensor& outputs);
    /// Of one choice of each token: `slots` int64 [n, 1], outputs float32 [n, d].
    void setChoice(const Routing& routing, const at::Tensor& slots, const at::Tensor& outputs);

private:
    void prepare(const Routing& routing);
};

/// Assignments of a block sorted by expert.
struct SortedAssignments {
    at::Tensor rows;    ///< int64 [n * k] tokens, ascending within an expert; on the device
    at::Tensor places;  ///< int64 [n, k] where in `rows` a token's choices lie; on the device
    std::vector<std::int64_t> bounds;  ///< [E + 1] where an expert's begin

    [[nodiscard]] std::int64_t count(int expert) const {
        const auto e = static_cast<std::size_t>(expert);
        return bounds[e + 1] - bounds[e];
    }
    /// An expert's part of a tensor [n * k, ...].
    [[nodiscard]] at::Tensor partOf(int expert, const at::Tensor& all) const;
};

/// By operations on the device, for which the CPU waits once.
[[nodiscard]] SortedAssignments sortAssignments(const Routing& routing, int experts);

/// What addWeightedRows() gives when called for one expert after the other, to the bit: each
/// token's outputs, by rising index of the expert, times their weights, summed in `sumType`.
/// `outputs` [m, d] in the compute type has the choice (t, slot) at row places[t, slot]. `sizes`,
/// where given, is filled.
[[nodiscard]] at::Tensor weightedSum(const at::Tensor& outputs, const at::Tensor& places,
                                     const Routing& routing, at::ScalarType sumType,
                                     ChosenOutputSizes* sizes);

}  // namespace moescope::engine
