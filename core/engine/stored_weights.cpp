// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/stored_weights.h"

#include "core/engine/opened_models.h"

#include <algorithm>

namespace moescope::engine {
namespace {

/// Of all columns together: some tenths of a second of work.
constexpr std::uint64_t kBandElements = std::uint64_t{1} << 26U;

struct Shape {
    std::uint64_t rows = 0, columns = 0;
};

Shape shapeOf(const LayerContext& layer, Role role, int column) {
    const auto hidden = static_cast<std::uint64_t>(layer.hiddenSize);
    const auto neurons = static_cast<std::uint64_t>(
        layer.columns[static_cast<std::size_t>(column)].intermediateSize);
    return role == Role::Down ? Shape{hidden, neurons} : Shape{neurons, hidden};
}

std::uint64_t bandRows(const Shape& shape, std::size_t matrices) {
    return std::clamp<std::uint64_t>(kBandElements / (shape.columns * matrices), 1, shape.rows);
}

bool isStoredBfloat16(const WeightReader& reader, const model::FeedForwardNames& names) {
    return reader.isStoredBfloat16(names.gate) && reader.isStoredBfloat16(names.up) &&
           reader.isStoredBfloat16(names.down);
}

}  // namespace

bool StoredWeights::suit(const LayerContext& layer, const LayerWork& work,
                         const OpenedModels& models, const ComputePlace& place) {
    const StaticNeeds needs = staticNeeds(work);
    if (!place.device.is_cpu() || !needs.sums() || needs.expertWeights) {
        return false;
    }
    const auto index = static_cast<std::size_t>(layer.layer.value);
    const WeightReader reader(models.model->checkpoint, place);
    const model::LayerNames& names = layer.model.layers[index].names;
    bool isStored = !layer.moe.shared || isStoredBfloat16(reader, names.shared);
    for (const model::FeedForwardNames& expert : names.experts) {
        isStored = isStored && isStoredBfloat16(reader, expert);
    }
    for (const auto& baseline : models.baselines) {
        isStored = isStored && isStoredBfloat16(WeightReader(baseline->checkpoint, place),
                                                baseline->spec.layers[index].names.dense);
    }
    return isStored;
}

std::uint64_t StoredWeights::steps(const LayerContext& layer) {
    std::uint64_t steps = 0;
    for (const Role role : {Role::Gate, Role::Up, Role::Down}) {
        for (const std::vector<int>& columns : columnGroups(layer)) {
            const Shape shape = shapeOf(layer, role, columns.front());
            const std::uint64_t band = bandRows(shape, columns.size());
            steps += (shape.rows + band - 1) / band;
        }
    }
    return steps;
}

void StoredWeights::run(WeightSummer& summer, const WeightStream::Poll& poll) const {
    for (const Role role : {Role::Gate, Role::Up, Role::Down}) {
        for (const std::vector<int>& columns : columnGroups(m_layer)) {
            group(role, columns, summer, poll);
        }
    }
    const WeightSums& sums = summer.sums();
    for (const Role role : {Role::Gate, Role::Up, Role::Down}) {
        for (std::size_t c = 0; c < m_columns.size(); ++c) {
            if (!sums.of(role).isFinite[c]) {
                m_columns[c].reader->lookThrough(matrixName(*m_columns[c].names, role));
            }
        }
    }
}

void StoredWeights::group(Role role, const std::vector<int>& columns, WeightSummer& summer,
                          const WeightStream::Poll& poll) const {
    const Shape shape = shapeOf(m_layer, role, columns.front());
    std::vector<const std::uint16_t*> begins;
    begins.reserve(columns.size());
    for (const int column : columns) {
        const ColumnWeights& from = m_columns[static_cast<std::size_t>(column)];
        begins.push_back(from.reader->storedBfloat16(matrixName(*from.names, role)).value().data());
    }
    const std::uint64_t band = bandRows(shape, columns.size());
    std::vector<const std::uint16_t*> at(begins.size());
    for (std::uint64_t row = 0; row < shape.rows; row += band) {
        poll();
        std::transform(begins.begin(), begins.end(), at.begin(),
                       [&](const std::uint16_t* begin) { return begin + row * shape.columns; });
        summer.add(role, columns,
                   {.floats = {},
                    .bfloat16 = at,
                    .rows = std::min(band, shape.rows - row),
                    .columns = shape.columns},
                   row);
    }
}

}  // namespace moescope::engine
