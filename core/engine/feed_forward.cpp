// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/feed_forward.h"

#include "core/engine/element_loops.h"
#include "core/engine/parallel_ranges.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace moescope::engine {
namespace {

/// Elements that are worth a thread.
constexpr std::int64_t kElementGrain = 1 << 15;

Bfloat16Bits* bitsOf(const at::Tensor& tensor) {
    return static_cast<Bfloat16Bits*>(tensor.data_ptr());
}

/// Both in one pass where LibTorch would take several.
bool siluTimesUp(at::Tensor& hidden, const at::Tensor& up) {
    if (!hidden.is_cpu() || hidden.scalar_type() != at::kBFloat16 || !hidden.is_contiguous() ||
        !up.is_contiguous()) {
        return false;
    }
    parallelRanges(hidden.numel(), kElementGrain, [&](std::int64_t first, std::int64_t end) {
        siluTimes(bitsOf(hidden) + first, bitsOf(up) + first,
                  static_cast<std::size_t>(end - first));
    });
    return true;
}

void activate(at::Tensor& x, model::Activation activation) {
    switch (activation) {
        case model::Activation::Silu:
            at::silu_(x);
            break;
        case model::Activation::GeluErf:
            x = at::gelu(x);
            break;
        case model::Activation::GeluTanh:
            x = at::gelu(x, "tanh");
            break;
    }
}

at::Tensor intermediate(const at::Tensor& x, const FeedForward& weights,
                        const ActivationSink& sink) {
    at::Tensor hidden = at::linear(x, weights.gate.weight, weights.gate.bias);
    at::Tensor up = at::linear(x, weights.up.weight, weights.up.bias);
    if (weights.clamped) {
        const double limit = weights.clamped->limit;
        hidden.clamp_max_(limit);
        hidden.mul_((hidden * weights.clamped->slope).sigmoid_());
        if (sink) {
            sink(hidden);
        }
        return hidden.mul_(up.clamp_(-limit, limit).add_(1.0));
    }
    if (!sink && weights.activation == model::Activation::Silu && siluTimesUp(hidden, up)) {
        return hidden;
    }
    activate(hidden, weights.activation);
    if (sink) {
        sink(hidden);
    }
    return hidden.mul_(up);
}

void addRow(float* sum, const float* row, float weight, std::int64_t width) {
    for (std::int64_t j = 0; j < width; ++j) {
        sum[j] += row[j] * weight;
    }
}

void addRow(at::BFloat16* sum, const at::BFloat16* row, float weight, std::int64_t width) {
    addWeightedRow(reinterpret_cast<Bfloat16Bits*>(sum), reinterpret_cast<const Bfloat16Bits*>(row),
                   weight, static_cast<std::size_t>(width));
}

/// A token is in a group once: its rows can be shared out among threads.
template <typename Scalar>
void addRows(at::Tensor& sum, const at::Tensor& outputs, const ExpertRows& group) {
    const std::int64_t width = sum.size(1);
    const auto* rows = group.rows.data_ptr<std::int64_t>();
    const auto* weights = group.weights.data_ptr<float>();
    const auto* from = outputs.data_ptr<Scalar>();
    auto* to = sum.data_ptr<Scalar>();
    const std::int64_t grain =
        std::max<std::int64_t>(1, kElementGrain / std::max<std::int64_t>(width, 1));
    parallelRanges(group.rows.size(0), grain, [&](std::int64_t first, std::int64_t end) {
        for (std::int64_t i = first; i < end; ++i) {
            addRow(to + rows[i] * width, from + i * width, weights[i], width);
        }
    });
}

}  // namespace

at::Tensor feedForward(const at::Tensor& x, const FeedForward& weights, const ActivationSink& sink,
                       const at::Tensor& place) {
    const at::Tensor hidden = intermediate(x, weights, sink);
    if (!place.defined()) {
        return at::linear(hidden, weights.down.weight, weights.down.bias);
    }
    at::Tensor output = place;
    at::linear_out(output, hidden, weights.down.weight, weights.down.bias);
    return output;
}

at::Tensor feedForwardOnce(const Relief& relief, const std::function<at::Tensor()>& input,
                           const std::function<FeedForward()>& weights, const ActivationSink& sink,
                           const at::Tensor& place) {
    const auto compute = [&](const ActivationSink& seenBy) {
        return withRelief(relief, [&] { return feedForward(input(), weights(), seenBy, place); });
    };
    if (!relief || !sink) {
        return compute(sink);
    }
    bool seen = false;
    return compute([&](const at::Tensor& activations) {
        if (!seen) {
            sink(activations);
            seen = true;
        }
    });
}

std::vector<ExpertRows> groupBySorting(const Routing& routing, int experts) {
    const at::Tensor chosen = routing.chosen.reshape({-1});
    const auto [sorted, order] = at::sort(chosen, /*stable=*/true, 0, /*descending=*/false);
    const at::Tensor rows = at::div(order, routing.chosen.size(1), "floor");
    const at::Tensor weights = routing.weights.reshape({-1}).index_select(0, order);
    const at::Tensor bounds =
        at::searchsorted(sorted, at::arange(std::int64_t{experts} + 1, chosen.options())).cpu();
    const auto* bound = bounds.data_ptr<std::int64_t>();
    std::vector<ExpertRows> groups;
    groups.reserve(static_cast<std::size_t>(experts));
    for (int e = 0; e < experts; ++e) {
        const std::int64_t count = bound[e + 1] - bound[e];
        groups.push_back({rows.narrow(0, bound[e], count), weights.narrow(0, bound[e], count)});
    }
    return groups;
}

std::vector<ExpertRows> groupByExpert(const Routing& routing, int experts) {
    if (!routing.chosen.is_cpu()) {
        return groupBySorting(routing, experts);
    }
    const at::Tensor chosen = routing.chosen.contiguous();
    const at::Tensor weights = routing.weights.contiguous();
    const std::int64_t tokens = chosen.size(0);
    const std::int64_t k = chosen.size(1);
    const std::int64_t* ids = chosen.data_ptr<std::int64_t>();
    const float* values = weights.data_ptr<float>();

    std::vector<std::vector<std::int64_t>> rows(static_cast<std::size_t>(experts));
    std::vector<std::vector<float>> factors(static_cast<std::size_t>(experts));
    for (std::int64_t t = 0; t < tokens; ++t) {
        for (std::int64_t slot = 0; slot < k; ++slot) {
            const auto expert = static_cast<std::size_t>(ids[t * k + slot]);
            rows[expert].push_back(t);
            factors[expert].push_back(values[t * k + slot]);
        }
    }
    std::vector<ExpertRows> groups(static_cast<std::size_t>(experts));
    for (std::size_t e = 0; e < groups.size(); ++e) {
        groups[e].rows = at::tensor(rows[e], at::kLong);
        groups[e].weights = at::tensor(factors[e], at::kFloat);
    }
    return groups;
}

void addWeightedRows(at::Tensor& sum, const at::Tensor& outputs, const ExpertRows& group) {
    const bool sameType = sum.scalar_type() == outputs.scalar_type();
    if (sum.is_cpu() && sameType && sum.is_contiguous() && outputs.is_contiguous()) {
        if (sum.scalar_type() == at::kFloat) {
            addRows<float>(sum, outputs, group);
            return;
        }
        if (sum.scalar_type() == at::kBFloat16) {
            addRows<at::BFloat16>(sum, outputs, group);
            return;
        }
    }
    const at::Tensor weights = group.weights.unsqueeze(1);
    sum.index_add_(0, group.rows, (outputs.to(at::kFloat) * weights).to(sum.scalar_type()));
}

}  // namespace moescope::engine
