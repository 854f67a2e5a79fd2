// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/device_ranks.h"

#include <limits>

namespace moescope::experiments {
namespace {

/// Ranks from 0 within rows, int64 [n, E].
at::Tensor ranksOf(const at::Tensor& values) {
    constexpr double kSmallest = -std::numeric_limits<double>::infinity();
    const at::Tensor orderable = values.masked_fill(at::isnan(values), kSmallest);
    const at::Tensor order =
        std::get<1>(at::sort(orderable, /*stable=*/true, /*dim=*/1, /*descending=*/false));
    const at::Tensor places = at::arange(values.size(1), order.options()).expand_as(order);
    return at::empty_like(order).scatter_(1, order, places);
}

}  // namespace

at::Tensor rankCountsOf(const at::Tensor& scores, const at::Tensor& norms) {
    const std::int64_t experts = scores.size(1);
    const at::Tensor pairs = ranksOf(scores).mul_(experts).add_(ranksOf(norms)).flatten();
    // bincount() would wait for the device to learn the largest entry.
    return at::zeros({experts * experts}, pairs.options())
        .scatter_add_(0, pairs, at::ones_like(pairs));
}

at::Tensor nonFiniteRows(const at::Tensor& scores, const at::Tensor& norms) {
    const at::Tensor finite = at::isfinite(scores).logical_and_(at::isfinite(norms)).all(1);
    return finite.logical_not().sum().view({1});
}

}  // namespace moescope::experiments
