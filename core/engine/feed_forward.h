// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/device_memory.h"
#include "core/engine/router.h"
#include "core/engine/weights.h"

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace moescope::engine {

/// Sees act(gate x) [n, m] on its way; the tensor is changed after the call.
using ActivationSink = std::function<void(const at::Tensor&)>;

/// down(act(gate x) * (up x)) of x [n, d], or the clamped form. With `place` [n, d] contiguous, of
/// x's dtype, the result is written there and `place` returned.
[[nodiscard]] at::Tensor feedForward(const at::Tensor& x, const FeedForward& weights,
                                     const ActivationSink& sink = {}, const at::Tensor& place = {});

/// The same of input() and weights(), both asked for again, and all of it computed again, where
/// memory ran out and there is relief. The sink sees the activations until it has taken them.
[[nodiscard]] at::Tensor feedForwardOnce(const Relief& relief,
                                         const std::function<at::Tensor()>& input,
                                         const std::function<FeedForward()>& weights,
                                         const ActivationSink& sink = {},
                                         const at::Tensor& place = {});

/// Rows for one of several feed-forwards that are computed together.
struct ExpertPiece {
    at::Tensor input;   ///< [m, d]
    at::Tensor output;  ///< [m, d] contiguous, of input's dtype
};

/// The same as feedForward() of each expert's piece, with one operation for all of them where that
/// can be. The experts have the same widths and activation. The sink gets a piece's activations.
void feedForwardTogether(
    std::span<const FeedForward> experts, std::span<const ExpertPiece> pieces,
    const std::function<void(std::size_t piece, const at::Tensor&)>& sink = {});

/// Which rows of a block go to one expert, and with what weight.
struct ExpertRows {
    at::Tensor rows;     ///< int64 [m], ascending
    at::Tensor weights;  ///< float32 [m]
};

/// Groups a block's assignments by expert; an expert without tokens has zero rows. On x's device.
[[nodiscard]] std::vector<ExpertRows> groupByExpert(const Routing& routing, int experts);
/// The same by operations on the device, for which the CPU waits once.
[[nodiscard]] std::vector<ExpertRows> groupBySorting(const Routing& routing, int experts);

/// sum[rows[i]] += weights[i] * outputs[i]; rows are distinct. Rounds to `sum`'s dtype after the
/// product and after the sum when that is the model's dtype, as the reference implementation does.
void addWeightedRows(at::Tensor& sum, const at::Tensor& outputs, const ExpertRows& group);

}  // namespace moescope::engine
