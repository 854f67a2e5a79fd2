// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/chosen_outputs.h"

#include <ATen/ATen.h>

#include <tuple>
#include <utility>

namespace moescope::engine {
namespace {

/// Norms and largest magnitudes [m] of rows [m, d] in float32.
std::pair<at::Tensor, at::Tensor> sizesOf(const at::Tensor& rows) {
    return {at::linalg_vector_norm(rows, 2, {1}), rows.abs().amax(1)};
}

}  // namespace

void ChosenOutputSizes::prepare(const Routing& routing) {
    if (!norms.defined()) {
        norms = at::zeros_like(routing.weights);
        largest = at::zeros_like(routing.weights);
    }
}

void ChosenOutputSizes::set(const Routing& routing, int expert, const at::Tensor& rows,
                            const at::Tensor& outputs) {
    prepare(routing);
    const auto [ownNorms, ownLargest] = sizesOf(outputs.to(at::kFloat));
    const at::Tensor slots =
        routing.chosen.index_select(0, rows).eq(expert).to(at::kByte).argmax(1);
    norms.index_put_({rows, slots}, ownNorms);
    largest.index_put_({rows, slots}, ownLargest);
}

void ChosenOutputSizes::setChoice(const Routing& routing, const at::Tensor& slots,
                                  const at::Tensor& outputs) {
    prepare(routing);
    const auto [ownNorms, ownLargest] = sizesOf(outputs);
    norms.scatter_(1, slots, ownNorms.unsqueeze(1));
    largest.scatter_(1, slots, ownLargest.unsqueeze(1));
}

at::Tensor SortedAssignments::partOf(int expert, const at::Tensor& all) const {
    return all.narrow(0, bounds[static_cast<std::size_t>(expert)], count(expert));
}

SortedAssignments sortAssignments(const Routing& routing, int experts) {
    const at::Tensor chosen = routing.chosen.reshape({-1});
    const auto [sorted, order] = at::sort(chosen, /*stable=*/true, 0, /*descending=*/false);
    const at::Tensor bounds =
        at::searchsorted(sorted, at::arange(std::int64_t{experts} + 1, chosen.options())).cpu();
    SortedAssignments result;
    result.rows = at::div(order, routing.chosen.size(1), "floor");
    result.places = at::empty_like(order)
                        .scatter_(0, order, at::arange(order.size(0), order.options()))
                        .view(routing.chosen.sizes());
    const auto* bound = bounds.data_ptr<std::int64_t>();
    result.bounds.assign(bound, bound + experts + 1);
    return result;
}

at::Tensor weightedSum(const at::Tensor& outputs, const at::Tensor& places, const Routing& routing,
                       at::ScalarType sumType, ChosenOutputSizes* sizes) {
    const at::Tensor order = std::get<1>(at::sort(routing.chosen, 1));
    const at::Tensor inOrder = places.gather(1, order);
    const at::Tensor weights = routing.weights.gather(1, order);
    at::Tensor sum = at::zeros({places.size(0), outputs.size(1)}, outputs.options().dtype(sumType));
    for (std::int64_t choice = 0; choice < places.size(1); ++choice) {
        at::Tensor own = outputs.index_select(0, inOrder.select(1, choice)).to(at::kFloat);
        if (sizes != nullptr) {
            sizes->setChoice(routing, order.narrow(1, choice, 1), own);
        }
        sum.add_(own.mul_(weights.narrow(1, choice, 1)).to(sumType));
    }
    return sum;
}

}  // namespace moescope::engine
