// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/router.h"

#include "core/engine/norm.h"

#include <ATen/ATen.h>

#include <cmath>
#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace moescope::engine {
namespace {

/// k rounds over one row; k and E are small.
void chooseRow(std::span<const float> row, std::span<std::int64_t> chosen,
               std::vector<bool>& taken) {
    taken.assign(row.size(), false);
    for (std::int64_t& slot : chosen) {
        std::size_t best = row.size();
        for (std::size_t e = 0; e < row.size(); ++e) {
            if (taken[e]) {
                continue;
            }
            const bool better = best == row.size() || row[e] > row[best] ||
                                (std::isnan(row[best]) && !std::isnan(row[e]));
            if (better) {
                best = e;
            }
        }
        taken[best] = true;
        slot = static_cast<std::int64_t>(best);
    }
}

at::Tensor perExpert(const std::vector<float>& values, const at::Tensor& like) {
    return at::tensor(values, at::kFloat).to(like.device());
}

at::Tensor linearLogits(const at::Tensor& x, const Linear& router, bool fp32) {
    if (!fp32) {
        return at::linear(x, router.weight, router.bias).to(at::kFloat);
    }
    const at::Tensor bias = router.bias.defined() ? router.bias.to(at::kFloat) : at::Tensor();
    return at::linear(x.to(at::kFloat), router.weight.to(at::kFloat), bias);
}

/// Each chosen expert's share among those not yet taken and near to it. An entry that is not a
/// number (0 against 0) counts as near, as in transformers models/phimoe.
at::Tensor sparseMixerWeights(const Routing& routing, double jitter) {
    constexpr double kLow = -std::numeric_limits<double>::infinity();
    const at::Tensor& logits = routing.logits;
    at::Tensor left = logits;
    std::vector<at::Tensor> weights;
    for (std::int64_t slot = 0; slot < routing.chosen.size(1); ++slot) {
        const at::Tensor taken = routing.chosen.narrow(1, slot, 1);
        const at::Tensor best = left.gather(1, taken);
        const at::Tensor distance = (best - logits) / at::maximum(logits.abs(), best);
        const at::Tensor near = left.masked_fill(distance > 2.0 * jitter, kLow);
        weights.push_back(at::softmax(near, -1).gather(1, taken));
        left = left.scatter(1, taken, kLow);
    }
    return at::cat(weights, 1);
}

at::Tensor chosenWeights(const Routing& routing, const model::RouterSpec& spec, int topK) {
    if (spec.unitWeights) {
        return at::ones(routing.chosen.sizes(), routing.scores.options());
    }
    if (spec.sparseMixerJitter) {
        return sparseMixerWeights(routing, *spec.sparseMixerJitter);
    }
    if (spec.softmaxOverSelected) {
        return at::softmax(routing.logits.gather(1, routing.chosen), -1) * spec.scale;
    }
    at::Tensor weights = routing.scores.gather(1, routing.chosen);
    if (spec.renormalise == model::Renormalise::Sum) {
        weights = weights / weights.sum(-1, /*keepdim=*/true).clamp_min(spec.renormaliseFloor);
    } else if (spec.renormalise == model::Renormalise::SumEps && topK > 1) {
        weights = weights / (weights.sum(-1, /*keepdim=*/true) + 1e-20);
    }
    return spec.scale == 1.0 ? weights : weights * spec.scale;
}

int choicesOf(int topK, const LayerIntervention* change) {
    return change != nullptr && change->topK ? *change->topK : topK;
}

constexpr double kNever = -std::numeric_limits<double>::infinity();

/// Groups [n, G] that a token does not choose from.
at::Tensor excludedGroups(const at::Tensor& grouped, const model::RouterSpec& spec) {
    const int summed = spec.groupScore == model::GroupScore::TopTwoSum ? 2 : 1;
    const at::Tensor scores = std::get<0>(grouped.topk(summed, -1)).sum(-1);
    const at::Tensor best = std::get<1>(scores.topk(spec.keptGroups, -1));
    return at::ones_like(scores, at::kBool).scatter_(1, best, false);
}

/// The same where some experts are gone: a group's score is that of the experts it has left, one
/// without any comes last, and further groups join the kept ones until k experts are there.
at::Tensor excludedGroups(const at::Tensor& grouped, const at::Tensor& gone, int k,
                          const model::RouterSpec& spec) {
    const int summed = spec.groupScore == model::GroupScore::TopTwoSum ? 2 : 1;
    const at::Tensor best = std::get<0>(grouped.masked_fill(gone, kNever).topk(summed, -1));
    const at::Tensor left = gone.logical_not().sum(-1);  // [n, G]
    const at::Tensor scores =
        best.masked_fill(best.eq(kNever), 0.0).sum(-1).masked_fill(left.eq(0), kNever);
    const at::Tensor order = std::get<1>(at::sort(scores, /*stable=*/true, -1, true));
    const at::Tensor ordered = left.gather(1, order);
    const at::Tensor before = ordered.cumsum(1) - ordered;
    const at::Tensor rank = at::arange(spec.groups, before.options());
    const at::Tensor kept = rank.lt(spec.keptGroups).logical_or(before.lt(k));
    return at::ones_like(scores, at::kBool).scatter_(1, order, kept.logical_not());
}

/// The selection scores with those outside the best groups replaced; `gone` [n, E] are removed
/// experts, undefined: none.
at::Tensor limitToGroups(const at::Tensor& selection, const at::Tensor& gone, int k,
                         const model::RouterSpec& spec) {
    const at::Tensor grouped = selection.view({selection.size(0), spec.groups, -1});
    const at::Tensor excluded = gone.defined()
                                    ? excludedGroups(grouped, gone.view(grouped.sizes()), k, spec)
                                    : excludedGroups(grouped, spec);
    return grouped.masked_fill(excluded.unsqueeze(2), spec.excludedScore).view(selection.sizes());
}

}  // namespace

at::Tensor chooseTop(const at::Tensor& selection, int k) {
    if (!selection.is_cpu()) {
        const at::Tensor ordered =
            at::nan_to_num(selection, -std::numeric_limits<double>::infinity());
        return std::get<1>(at::sort(ordered, /*stable=*/true, -1, /*descending=*/true))
            .narrow(1, 0, k)
            .contiguous();
    }
    const at::Tensor rows = selection.contiguous();
    const std::int64_t tokens = rows.size(0);
    const std::int64_t experts = rows.size(1);
    at::Tensor chosen = at::empty({tokens, k}, rows.options().dtype(at::kLong));
    const auto* from = rows.data_ptr<float>();
    auto* to = chosen.data_ptr<std::int64_t>();
    std::vector<bool> taken;
    for (std::int64_t t = 0; t < tokens; ++t) {
        chooseRow({from + t * experts, static_cast<std::size_t>(experts)},
                  {to + t * k, static_cast<std::size_t>(k)}, taken);
    }
    return chosen;
}

at::Tensor routerInput(const at::Tensor& residual, const at::Tensor& x, const Router& router) {
    if (!router.inputNorm.present()) {
        return x;
    }
    const double rootSize = std::sqrt(static_cast<double>(residual.size(1)));
    return normalise(residual, router.inputNorm).mul_(router.inputScale).mul_(1.0 / rootSize);
}

Routing chooseFrom(at::Tensor logits, const Router& router, const model::RouterSpec& spec, int topK,
                   const LayerIntervention* change) {
    Routing routing;
    routing.logits = std::move(logits);
    at::Tensor gone;
    if (change != nullptr && !change->logitBias.empty()) {
        routing.logits = routing.logits + perExpert(change->logitBias, routing.logits);
        gone = routing.logits.eq(kNever);
    }
    const int k = choicesOf(topK, change);
    routing.scores = spec.score == model::RouterScore::Softmax ? at::softmax(routing.logits, -1)
                                                               : at::sigmoid(routing.logits);
    const bool onLogits = spec.selectOnLogits || spec.softmaxOverSelected;
    routing.selection = onLogits ? routing.logits : routing.scores;
    if (router.selectionBias.defined()) {
        routing.selection = routing.selection + router.selectionBias;
    }
    if (spec.groups > 1) {
        routing.selection = limitToGroups(routing.selection, gone, k, spec);
    }
    if (gone.defined()) {
        // A score of 0 may still be chosen where a bias is added to it.
        routing.selection = routing.selection.masked_fill(gone, kNever);
    }
    if (change != nullptr && !change->selectionBias.empty()) {
        routing.selection = routing.selection + perExpert(change->selectionBias, routing.logits);
    }
    routing.chosen = chooseTop(routing.selection, k);
    return routing;
}

Routing route(const at::Tensor& x, const Router& router, const model::RouterSpec& spec, int topK,
              const LayerIntervention* change) {
    Routing routing =
        chooseFrom(linearLogits(x, router.linear, spec.fp32Matmul), router, spec, topK, change);
    routing.weights = chosenWeights(routing, spec, choicesOf(topK, change));
    if (router.perExpertScale.defined()) {
        routing.weights = routing.weights * router.perExpertScale.index({routing.chosen});
    }
    if (change != nullptr && !change->weightFactor.empty()) {
        const at::Tensor factors = perExpert(change->weightFactor, routing.weights);
        routing.weights = routing.weights * factors.index({routing.chosen});
    }
    if (spec.castWeightsToModelDtype) {
        routing.weights = routing.weights.to(x.scalar_type()).to(at::kFloat);
    }
    return routing;
}

}  // namespace moescope::engine
