// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/weight_stream.h"

#include "core/engine/device_memory.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <limits>

namespace moescope::engine {

const model::TensorRef& matrixName(const model::FeedForwardNames& names, Role role) {
    switch (role) {
        case Role::Gate:
            return names.gate;
        case Role::Up:
            return names.up;
        case Role::Down:
            break;
    }
    return names.down;
}

std::vector<std::vector<int>> columnGroups(const LayerContext& layer) {
    std::vector<std::vector<int>> groups(1);
    const int width = layer.columns.front().intermediateSize;
    for (std::size_t c = 0; c < layer.columns.size(); ++c) {
        if (layer.columns[c].intermediateSize == width) {
            groups.front().push_back(static_cast<int>(c));
        } else {
            groups.push_back({static_cast<int>(c)});
        }
    }
    return groups;
}

void WeightStream::run(std::uint64_t slabNeurons, const Consumer& consumer,
                       const Poll& poll) const {
    std::uint64_t step = slabNeurons == 0 ? std::numeric_limits<std::uint64_t>::max() : slabNeurons;
    for (const Role role : {Role::Gate, Role::Up, Role::Down}) {
        for (const std::vector<int>& columns : columnGroups(m_layer)) {
            group(role, columns, step, consumer, poll);
        }
    }
}

void WeightStream::group(Role role, const std::vector<int>& columns, std::uint64_t& step,
                         const Consumer& consumer, const Poll& poll) const {
    const auto& leading = m_layer.columns[static_cast<std::size_t>(columns.front())];
    const auto total = static_cast<std::uint64_t>(leading.intermediateSize);
    const auto hidden = static_cast<std::uint64_t>(m_layer.hiddenSize);
    const auto count = static_cast<std::int64_t>(columns.size());
    // One buffer for all slabs: new memory costs a page fault per 4 KiB.
    // Page-locked for a device, which then reads it at the speed of the bus.
    const at::Tensor buffer =
        pageLocked(count * static_cast<std::int64_t>(std::min(step, total) * hidden), at::kFloat,
                   !m_device.is_cpu());
    for (std::uint64_t at = 0; at < total;) {
        poll();
        const std::uint64_t neurons = std::min(step, total - at);
        const auto rows = static_cast<std::int64_t>(role == Role::Down ? hidden : neurons);
        const auto width = static_cast<std::int64_t>(role == Role::Down ? neurons : hidden);
        const at::Tensor slab =
            buffer.narrow(0, 0, count * rows * width).view({count, rows, width});
        const std::uint64_t size = neurons * hidden;
        std::vector<WeightReader::SlabPart> parts;
        parts.reserve(columns.size());
        for (std::size_t c = 0; c < columns.size(); ++c) {
            const ColumnWeights& from = m_columns[static_cast<std::size_t>(columns[c])];
            parts.push_back({from.reader,
                             &matrixName(*from.names, role),
                             {slab.data_ptr<float>() + c * size, size}});
        }
        WeightReader::loadSlabs(parts, role == Role::Down, at, neurons);
        const Taken taken = consumer({.role = role,
                                      .columns = columns,
                                      .firstNeuron = at,
                                      .neurons = neurons,
                                      .weights = slab});
        if (taken == Taken::Yes) {
            at += neurons;
        } else {
            step = std::max<std::uint64_t>(neurons / 2, 1);
        }
    }
}

}  // namespace moescope::engine
