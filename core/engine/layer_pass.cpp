// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/layer_pass.h"

#include "core/engine/columns.h"
#include "core/engine/device.h"
#include "core/engine/moe_block.h"
#include "core/engine/no_autograd.h"
#include "core/engine/router_trial.h"
#include "core/jobs/parallel_for.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>

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

std::size_t LayerPass::atOnce() const {
    const std::size_t devices = m_setup.devices.size();
    return devices > 1 ? devices : static_cast<std::size_t>(m_setup.limits.lanes);
}

void LayerPass::run(const LayerContext* context, const DynamicNeeds& needs,
                    const LayerIntervention* change, const Consumer& consumer) {
    attend();
    feedForwardBlocks(context, needs, change, consumer);
}

void LayerPass::onLanes(int lanes, std::size_t count,
                        const std::function<void(std::size_t)>& compute) {
    const DividedThreads threads(lanes);
    jobs::parallelFor(count, static_cast<unsigned>(lanes), jobs::CancelToken(), [&](std::size_t i) {
        threads.enter();
        const NoAutograd noAutograd;  // a thread has its own setting
        compute(i);
    });
}

std::vector<LayerPass::Group> LayerPass::groups() const {
    // Short documents share their projections; a long one is a group of its own.
    std::vector<Group> groups;
    std::size_t d = 0;
    for (const Stretch& stretch : m_setup.stretches) {
        const std::uint64_t end = stretch.firstToken + stretch.tokens;
        std::uint64_t first = stretch.firstToken;
        Group group;
        for (; d + 1 < m_setup.offsets.size() && m_setup.offsets[d] < end; ++d) {
            group.lengths.push_back(m_setup.offsets[d + 1] - m_setup.offsets[d]);
            const bool last = d + 2 == m_setup.offsets.size() || m_setup.offsets[d + 1] >= end;
            if (last || m_setup.offsets[d + 2] - first > m_setup.limits.attention.queryRows) {
                group.part = stretch.part;
                group.firstRow = stretch.firstRow + (first - stretch.firstToken);
                groups.push_back(std::exchange(group, {}));
                first = m_setup.offsets[d + 1];
            }
        }
    }
    return groups;
}

void LayerPass::attend(DeviceModels& models, const Group& group, const Poll& poll) const {
    const std::uint64_t tokens =
        std::accumulate(group.lengths.begin(), group.lengths.end(), std::uint64_t{0});
    const auto attendTo = [&](ModelStream& stream) {
        at::Tensor rows = stream.hidden.narrow(0, static_cast<std::int64_t>(group.firstRow),
                                               static_cast<std::int64_t>(tokens));
        stream.model->attend(rows, group.lengths, m_setup.limits.attention, poll,
                             models.model.model->relief());
    };
    attendTo(models.model);
    std::for_each(models.baselines.begin(), models.baselines.end(), attendTo);
}

LayerPass::Poll LayerPass::inTurns(std::mutex& mutex) const {
    return [this, &mutex] {
        const std::lock_guard lock(mutex);
        m_setup.poll();
    };
}

void LayerPass::attend() const {
    const std::vector<Group> all = groups();
    if (m_setup.devices.size() > 1) {
        std::mutex mutex;
        const Poll poll = inTurns(mutex);
        onLanes(static_cast<int>(m_setup.devices.size()), m_setup.devices.size(),
                [&](std::size_t part) {
                    for (const Group& group : all) {
                        if (group.part == part) {
                            attend(m_setup.devices[part], group, poll);
                        }
                    }
                });
        return;
    }
    DeviceModels& models = m_setup.devices.front();
    if (m_setup.limits.lanes == 1 || all.size() == 1) {
        std::for_each(all.begin(), all.end(),
                      [&](const Group& group) { attend(models, group, m_setup.poll); });
        return;
    }
    const auto step = static_cast<std::size_t>(m_setup.limits.lanes) * kGroupsPerLane;
    for (std::size_t first = 0; first < all.size(); first += step) {
        m_setup.poll();
        onLanes(m_setup.limits.lanes, std::min(step, all.size() - first),
                [&](std::size_t i) { attend(models, all[first + i], nobodyWaits()); });
    }
}

std::vector<LayerPass::Block> LayerPass::blocks() const {
    std::vector<Block> blocks;
    const std::uint64_t step = m_setup.limits.blockTokens;
    for (const Stretch& stretch : m_setup.stretches) {
        for (std::uint64_t at = 0; at < stretch.tokens; at += step) {
            Block& block = blocks.emplace_back();
            block.part = stretch.part;
            block.firstToken = stretch.firstToken + at;
            block.firstRow = static_cast<std::int64_t>(stretch.firstRow + at);
            block.count = static_cast<std::int64_t>(std::min(step, stretch.tokens - at));
        }
    }
    return blocks;
}

void LayerPass::feedForwardBlocks(const LayerContext* context, const DynamicNeeds& needs,
                                  const LayerIntervention* change, const Consumer& consumer) {
    const bool byDevice = m_setup.devices.size() > 1;
    std::mutex mutex;
    const Poll poll = byDevice ? inTurns(mutex) : nobodyWaits();
    const Work work{context, needs, change, consumer, poll};
    std::vector<ColumnOutputs> own;
    std::vector<ColumnOutputs>& columns = m_setup.kept != nullptr ? *m_setup.kept : own;
    columns.resize(atOnce());
    std::vector<Block> all = blocks();
    for (std::size_t next = 0; next < all.size();) {
        m_setup.poll();
        // As many as there are lanes, or until a device would get a second one.
        std::vector<Block*> round;
        const auto isFree = [&](const Block& block) {
            return !byDevice || std::none_of(round.begin(), round.end(), [&](const Block* other) {
                return other->part == block.part;
            });
        };
        for (; round.size() < atOnce() && next < all.size() && isFree(all[next]); ++next) {
            round.push_back(&all[next]);
        }
        const auto columnsOf = [&](std::size_t i) -> ColumnOutputs& {
            return columns[byDevice ? round[i]->part : i];
        };
        if (round.size() == 1) {
            compute(*round.front(), work, columnsOf(0), true);
        } else {
            onLanes(static_cast<int>(atOnce()), round.size(),
                    [&](std::size_t i) { compute(*round[i], work, columnsOf(i), false); });
        }
        for (std::size_t i = 0; i < round.size(); ++i) {
            if (context != nullptr) {
                deliver(*round[i], work, columnsOf(i));
            }
            *round[i] = {};  // its memory serves the next one
        }
    }
}

void LayerPass::compute(Block& block, const Work& work, ColumnOutputs& columns, bool alone) const {
    DeviceModels& models = m_setup.devices[block.part];
    const Relief relief = models.model.model->relief();
    if (work.context != nullptr) {
        if (work.needs.allColumns()) {
            withRelief(relief, [&] {
                columns.prepare(static_cast<int>(work.context->columns.size()), block.count,
                                models.model.hidden.size(1), work.needs.outputs,
                                models.model.hidden.options());
            });
        }
        routedBlock(block, work, columns, alone);
        return;
    }
    static_cast<void>(denseBlock(relief, models.model, block));
    for (ModelStream& baseline : models.baselines) {
        static_cast<void>(denseBlock(relief, baseline, block));
    }
}

at::Tensor LayerPass::denseBlock(const Relief& relief, ModelStream& stream, const Block& block,
                                 const ActivationSink& sink) {
    at::Tensor rows = stream.hidden.narrow(0, block.firstRow, block.count);
    at::Tensor output = feedForwardOnce(
        relief, [&] { return stream.model->feedForwardInput(rows); },
        [&] { return stream.model->weights().dense; }, sink);
    withRelief(relief, [&] { stream.model->addFeedForward(rows, output); });
    return output;
}

void LayerPass::routedBlock(Block& block, const Work& work, ColumnOutputs& columns,
                            bool alone) const {
    const LayerContext& context = *work.context;
    DeviceModels& models = m_setup.devices[block.part];
    ModelRun& model = *models.model.model;
    const Relief relief = model.relief();
    at::Tensor rows = models.model.hidden.narrow(0, block.firstRow, block.count);
    block.input = withRelief(relief, [&] { return model.feedForwardInput(rows); });
    const bool all = work.needs.allColumns();
    if (work.needs.activations) {
        columns.sink = [&](int column, const at::Tensor& values) {
            if (alone) {
                work.consumer.activations(
                    {.firstToken = block.firstToken, .column = column, .values = values}, relief);
            } else {
                block.activations.emplace_back(column,
                                               withRelief(relief, [&] { return values.clone(); }));
            }
        };
    }
    const ExpertSource source = model.experts(alone ? m_setup.poll : work.poll);
    const MoeBlock mixture(context.moe, model.weights(), source, work.change);
    block.result =
        mixture.forward(rows, block.input, all ? &columns : nullptr, sharedColumn(context.columns),
                        work.needs.chosenSizes ? &block.sizes : nullptr);
    for (std::size_t b = 0; b < models.baselines.size(); ++b) {
        const int column = context.experts() + static_cast<int>(b);
        const at::Tensor output = denseBlock(relief, models.baselines[b], block,
                                             all ? columns.sinkOf(column) : ActivationSink());
        if (all) {
            withRelief(relief, [&] { columns.set(column, output); });
        }
    }
    columns.sink = {};  // it refers to this call, the memory may outlive it
    if (all) {
        block.norms = withRelief(relief, [&] {
            columns.finish();
            return columns.norms.t().contiguous();
        });
    }
    withRelief(relief, [&] { model.addFeedForward(rows, block.result.output); });
}

void LayerPass::deliver(const Block& block, const Work& work, const ColumnOutputs& columns) const {
    const ModelRun& model = *m_setup.devices[block.part].model.model;
    for (const auto& [column, values] : block.activations) {
        work.consumer.activations(
            {.firstToken = block.firstToken, .column = column, .values = values}, model.relief());
    }
    const Routing& routing = block.result.routing;
    const ChosenSizes chosenSizes{block.sizes.norms, block.sizes.largest};
    const LayerRouterTrial trial(block.result.routerInput, model.weights().router,
                                 work.context->moe.router, work.context->moe.topK);
    work.consumer.block(
        {.firstToken = block.firstToken,
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
         .trial = &trial},
        model.relief());
}

}  // namespace moescope::engine
