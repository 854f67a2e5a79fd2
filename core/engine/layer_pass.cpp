// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/layer_pass.h"

#include "core/engine/columns.h"
#include "core/engine/device.h"
#include "core/engine/moe_block.h"
#include "core/engine/router_trial.h"
#include "core/jobs/parallel_for.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace moescope::engine {
namespace {

/// Between two looks at whether the run is to stop.
constexpr std::size_t kGroupsPerLane = 4;

/// In a lane nobody is told how far it is.
const LayerPass::Poll& nobodyWaits() {
    static const LayerPass::Poll nothing = [] {};
    return nothing;
}

}  // namespace

void LayerPass::run(const LayerContext* context, const DynamicNeeds& needs,
                    const LayerIntervention* change, const Consumer& consumer) {
    attend(m_model);
    for (ModelStream& baseline : m_baselines) {
        attend(baseline);
    }
    feedForwardBlocks(context, needs, change, consumer);
}

void LayerPass::onLanes(std::size_t count, const std::function<void(std::size_t)>& compute) const {
    const DividedThreads threads(m_limits.lanes);
    jobs::parallelFor(count, static_cast<unsigned>(m_limits.lanes), jobs::CancelToken(),
                      [&](std::size_t i) {
                          threads.enter();
                          const at::NoGradGuard noGradients;  // a thread has its own setting
                          compute(i);
                      });
}

void LayerPass::attend(ModelStream& stream) const {
    // Short documents share their projections; a long one is a group of its own.
    struct Group {
        std::uint64_t start = 0, end = 0;
        std::vector<std::uint64_t> lengths;
    };
    std::vector<Group> groups;
    Group group{m_offsets.front(), 0, {}};
    for (std::size_t d = 0; d + 1 < m_offsets.size(); ++d) {
        group.lengths.push_back(m_offsets[d + 1] - m_offsets[d]);
        group.end = m_offsets[d + 1];
        const bool last = d + 2 == m_offsets.size();
        if (last || m_offsets[d + 2] - group.start > m_limits.attention.queryRows) {
            groups.push_back(std::move(group));
            group = {m_offsets[d + 1], 0, {}};
        }
    }
    const auto attendTo = [&](const Group& one, const Poll& poll) {
        at::Tensor rows = stream.hidden.narrow(0, static_cast<std::int64_t>(one.start),
                                               static_cast<std::int64_t>(one.end - one.start));
        stream.model->attend(rows, one.lengths, m_limits.attention, poll);
    };
    if (m_limits.lanes == 1 || groups.size() == 1) {
        std::for_each(groups.begin(), groups.end(),
                      [&](const Group& one) { attendTo(one, m_poll); });
        return;
    }
    const auto step = static_cast<std::size_t>(m_limits.lanes) * kGroupsPerLane;
    for (std::size_t first = 0; first < groups.size(); first += step) {
        m_poll();
        onLanes(std::min(step, groups.size() - first),
                [&](std::size_t i) { attendTo(groups[first + i], nobodyWaits()); });
    }
}

void LayerPass::feedForwardBlocks(const LayerContext* context, const DynamicNeeds& needs,
                                  const LayerIntervention* change, const Consumer& consumer) {
    const std::int64_t tokens = m_model.hidden.size(0);
    const auto step = static_cast<std::int64_t>(m_limits.blockTokens);
    const auto lanes = static_cast<std::size_t>(m_limits.lanes);
    const Work work{context, needs, change, consumer};
    std::vector<ColumnOutputs> own;
    std::vector<ColumnOutputs>& columns = m_kept != nullptr ? *m_kept : own;
    columns.resize(lanes);
    for (std::int64_t first = 0; first < tokens;) {
        m_poll();
        std::vector<Block> blocks;
        for (; blocks.size() < lanes && first < tokens; first += step) {
            Block& block = blocks.emplace_back();
            block.first = first;
            block.count = std::min(step, tokens - first);
        }
        if (blocks.size() == 1) {
            compute(blocks.front(), work, columns.front(), true);
        } else {
            onLanes(blocks.size(),
                    [&](std::size_t i) { compute(blocks[i], work, columns[i], false); });
        }
        for (std::size_t i = 0; context != nullptr && i < blocks.size(); ++i) {
            deliver(blocks[i], work, columns[i]);
            blocks[i] = {};  // its memory serves the next one
        }
    }
}

void LayerPass::compute(Block& block, const Work& work, ColumnOutputs& columns, bool alone) {
    if (work.context != nullptr) {
        if (work.needs.allColumns()) {
            columns.prepare(static_cast<int>(work.context->columns.size()), block.count,
                            m_model.hidden.size(1), work.needs.outputs, m_model.hidden.options());
        }
        routedBlock(block, work, columns, alone);
        return;
    }
    static_cast<void>(denseBlock(m_model, block.first, block.count));
    for (ModelStream& baseline : m_baselines) {
        static_cast<void>(denseBlock(baseline, block.first, block.count));
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

void LayerPass::routedBlock(Block& block, const Work& work, ColumnOutputs& columns, bool alone) {
    const LayerContext& context = *work.context;
    at::Tensor rows = m_model.hidden.narrow(0, block.first, block.count);
    block.input = m_model.model->feedForwardInput(rows);
    const bool all = work.needs.allColumns();
    if (work.needs.activations) {
        columns.sink = [&](int column, const at::Tensor& values) {
            if (alone) {
                work.consumer.activations({.firstToken = static_cast<std::uint64_t>(block.first),
                                           .column = column,
                                           .values = values});
            } else {
                block.activations.emplace_back(column, values.clone());
            }
        };
    }
    const ExpertSource source = m_model.model->experts(alone ? m_poll : nobodyWaits());
    const MoeBlock mixture(context.moe, m_model.model->weights(), source, work.change);
    block.result =
        mixture.forward(rows, block.input, all ? &columns : nullptr, sharedColumn(context.columns),
                        work.needs.chosenSizes ? &block.sizes : nullptr);
    for (std::size_t b = 0; b < m_baselines.size(); ++b) {
        const int column = context.experts() + static_cast<int>(b);
        const at::Tensor output = denseBlock(m_baselines[b], block.first, block.count,
                                             all ? columns.sinkOf(column) : ActivationSink());
        if (all) {
            columns.set(column, output);
        }
    }
    columns.sink = {};  // it refers to this call, the memory may outlive it
    if (all) {
        block.norms = columns.norms.t().contiguous();
    }
    m_model.model->addFeedForward(rows, block.result.output);
}

void LayerPass::deliver(const Block& block, const Work& work, const ColumnOutputs& columns) const {
    for (const auto& [column, values] : block.activations) {
        work.consumer.activations({.firstToken = static_cast<std::uint64_t>(block.first),
                                   .column = column,
                                   .values = values});
    }
    const Routing& routing = block.result.routing;
    const ChosenSizes chosenSizes{block.sizes.norms, block.sizes.largest};
    const LayerRouterTrial trial(block.result.routerInput, m_model.model->weights().router,
                                 work.context->moe.router, work.context->moe.topK);
    work.consumer.block(
        {.firstToken = static_cast<std::uint64_t>(block.first),
         .count = static_cast<std::uint64_t>(block.count),
         .input = block.input,
         .logits = routing.logits,
         .scores = routing.scores,
         .selection = routing.selection,
         .chosen = routing.chosen,
         .weights = routing.weights,
         .norms = block.norms.defined() ? &block.norms : nullptr,
         .outputs = block.norms.defined() && work.needs.outputs ? &columns.outputs : nullptr,
         .chosenSizes = work.needs.chosenSizes ? &chosenSizes : nullptr,
         .trial = &trial});
}

}  // namespace moescope::engine
