// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/feed_forward.h"

#include "core/engine/chosen_outputs.h"
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

/// act(hidden) * up, or the clamped form; `hidden` and `up` are changed.
at::Tensor gated(at::Tensor hidden, const at::Tensor& up, const FeedForward& weights,
                 const ActivationSink& sink) {
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

at::Tensor intermediate(const at::Tensor& x, const FeedForward& weights,
                        const ActivationSink& sink) {
    return gated(at::linear(x, weights.gate.weight, weights.gate.bias),
                 at::linear(x, weights.up.weight, weights.up.bias), weights, sink);
}

void linearInto(at::Tensor place, const at::Tensor& x, const Linear& linear) {
    at::linear_out(place, x, linear.weight, linear.bias);
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
    linearInto(place, hidden, weights.down);
    return place;
}

void feedForwardTogether(std::span<const FeedForward> experts, std::span<const ExpertPiece> pieces,
                         const std::function<void(std::size_t, const at::Tensor&)>& sink) {
    std::vector<std::int64_t> first{0};
    for (const ExpertPiece& piece : pieces) {
        first.push_back(first.back() + piece.input.size(0));
    }
    const auto partOf = [&](const at::Tensor& all, std::size_t i) {
        return all.narrow(0, first[i], first[i + 1] - first[i]);
    };
    const at::Tensor hidden = at::empty({first.back(), experts.front().gate.weight.size(0)},
                                        pieces.front().input.options());
    const at::Tensor up = at::empty_like(hidden);
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        linearInto(partOf(hidden, i), pieces[i].input, experts[i].gate);
        linearInto(partOf(up, i), pieces[i].input, experts[i].up);
    }
    const auto gatedPart = [&](std::size_t i) {
        const ActivationSink own = [&](const at::Tensor& values) { sink(i, values); };
        return gated(partOf(hidden, i), partOf(up, i), experts[i], sink ? own : ActivationSink());
    };
    const auto gatedAll = [&] {
        return gated(hidden, up, experts.front(), [&](const at::Tensor& values) {
            for (std::size_t i = 0; sink && i < pieces.size(); ++i) {
                sink(i, partOf(values, i));
            }
        });
    };
    // The CPU's vectorised loops round the last values of a tensor otherwise: what an expert gives
    // would depend on those beside it.
    const at::Tensor together = hidden.is_cpu() ? at::Tensor() : gatedAll();
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        linearInto(pieces[i].output, together.defined() ? partOf(together, i) : gatedPart(i),
                   experts[i].down);
    }
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
    const SortedAssignments sorted = sortAssignments(routing, experts);
    const at::Tensor given = routing.weights.reshape({-1});
    const at::Tensor weights =
        at::empty_like(given).scatter_(0, sorted.places.reshape({-1}), given);
    std::vector<ExpertRows> groups;
    groups.reserve(static_cast<std::size_t>(experts));
    for (int e = 0; e < experts; ++e) {
        groups.push_back({sorted.partOf(e, sorted.rows), sorted.partOf(e, weights)});
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
