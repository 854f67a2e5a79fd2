// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/layer_pass.h"

#include "core/engine/columns.h"
#include "core/engine/moe_block.h"
#include "core/engine/router_trial.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace moescope::engine {

void LayerPass::run(const LayerContext* context, const DynamicNeeds& needs,
                    const LayerIntervention* change, const Consumer& consumer) {
    attend(m_model);
    for (ModelStream& baseline : m_baselines) {
        attend(baseline);
    }
    feedForwardBlocks(context, needs, change, consumer);
}

void LayerPass::attend(ModelStream& stream) const {
    // Short documents share their projections; a long one is a group of its own.
    std::vector<std::uint64_t> lengths;
    std::uint64_t start = m_offsets.front();
    for (std::size_t d = 0; d + 1 < m_offsets.size(); ++d) {
        lengths.push_back(m_offsets[d + 1] - m_offsets[d]);
        const std::uint64_t end = m_offsets[d + 1];
        const bool last = d + 2 == m_offsets.size();
        if (!last && m_offsets[d + 2] - start <= m_limits.attention.queryRows) {
            continue;
        }
        at::Tensor group = stream.hidden.narrow(0, static_cast<std::int64_t>(start),
                                                static_cast<std::int64_t>(end - start));
        stream.model->attend(group, lengths, m_limits.attention, m_poll);
        lengths.clear();
        start = end;
    }
}

void LayerPass::feedForwardBlocks(const LayerContext* context, const DynamicNeeds& needs,
                                  const LayerIntervention* change, const Consumer& consumer) {
    const std::int64_t tokens = m_model.hidden.size(0);
    const auto step = static_cast<std::int64_t>(m_limits.blockTokens);
    ColumnOutputs own;
    ColumnOutputs& columns = m_kept != nullptr ? *m_kept : own;
    for (std::int64_t first = 0; first < tokens; first += step) {
        m_poll();
        const std::int64_t count = std::min(step, tokens - first);
        if (context != nullptr) {
            if (needs.allColumns()) {
                columns.prepare(static_cast<int>(context->columns.size()), count,
                                m_model.hidden.size(1), needs.outputs, m_model.hidden.options());
            }
            routedBlock(first, count, *context, needs, change, consumer, columns);
            continue;
        }
        static_cast<void>(denseBlock(m_model, first, count));
        for (ModelStream& baseline : m_baselines) {
            static_cast<void>(denseBlock(baseline, first, count));
        }
    }
}

at::Tensor LayerPass::denseBlock(ModelStream& stream, std::int64_t first, std::int64_t count,
                                 const ActivationSink& sink) {
    at::Tensor block = stream.hidden.narrow(0, first, count);
    at::Tensor output =
        feedForward(stream.model->feedForwardInput(block), stream.model->weights().dense, sink);
    stream.model->addFeedForward(block, output);
    return output;
}

void LayerPass::routedBlock(std::int64_t first, std::int64_t count, const LayerContext& context,
                            const DynamicNeeds& needs, const LayerIntervention* change,
                            const Consumer& consumer, ColumnOutputs& columns) {
    at::Tensor block = m_model.hidden.narrow(0, first, count);
    const at::Tensor input = m_model.model->feedForwardInput(block);
    const bool all = needs.allColumns();
    const int experts = context.experts();
    if (needs.activations) {
        columns.sink = [&](int column, const at::Tensor& values) {
            consumer.activations({.firstToken = static_cast<std::uint64_t>(first),
                                  .column = column,
                                  .values = values});
        };
    }
    const ExpertSource source = m_model.model->experts(m_poll);
    const MoeBlock mixture(context.moe, m_model.model->weights(), source, change);
    ChosenOutputSizes sizes;
    const MoeBlock::Result result =
        mixture.forward(block, input, all ? &columns : nullptr, sharedColumn(context.columns),
                        needs.chosenSizes ? &sizes : nullptr);
    for (std::size_t b = 0; b < m_baselines.size(); ++b) {
        const int column = experts + static_cast<int>(b);
        const at::Tensor output = denseBlock(m_baselines[b], first, count, columns.sinkOf(column));
        if (all) {
            columns.set(column, output);
        }
    }
    const at::Tensor norms = all ? columns.norms.t().contiguous() : at::Tensor();
    const Routing& routing = result.routing;
    const ChosenSizes chosenSizes{sizes.norms, sizes.largest};
    const LayerRouterTrial trial(result.routerInput, m_model.model->weights().router,
                                 context.moe.router, context.moe.topK);
    consumer.block({.firstToken = static_cast<std::uint64_t>(first),
                    .count = static_cast<std::uint64_t>(count),
                    .input = input,
                    .logits = routing.logits,
                    .scores = routing.scores,
                    .selection = routing.selection,
                    .chosen = routing.chosen,
                    .weights = routing.weights,
                    .norms = all ? &norms : nullptr,
                    .outputs = columns.outputs.defined() ? &columns.outputs : nullptr,
                    .chosenSizes = needs.chosenSizes ? &chosenSizes : nullptr,
                    .trial = &trial});
    m_model.model->addFeedForward(block, result.output);
}

}  // namespace moescope::engine
