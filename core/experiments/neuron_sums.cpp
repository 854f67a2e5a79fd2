// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/neuron_sums.h"

#include "core/experiments/gram.h"
#include "core/numerics/similarity.h"

#include <algorithm>

namespace moescope::experiments {
namespace {

/// Elements summed at once.
constexpr std::int64_t kChunkElements = 1 << 18;

/// sum [d] += a column's matrix over its neurons. LibTorch makes a float64 copy of what it sums, so
/// some rows at a time.
void addNeurons(const at::Tensor& matrix, std::int64_t neuronAxis, at::Tensor& sum) {
    const std::int64_t step = std::max<std::int64_t>(1, kChunkElements / matrix.size(1));
    for (std::int64_t first = 0; first < matrix.size(0); first += step) {
        const std::int64_t rows = std::min(step, matrix.size(0) - first);
        const at::Tensor sums = matrix.narrow(0, first, rows).sum(neuronAxis, false, at::kDouble);
        (neuronAxis == 0 ? sum : sum.narrow(0, first, rows)) += sums;
    }
}

}  // namespace

void NeuronSums::begin(const engine::LayerContext& layer) {
    m_columns = layer.columns;
    m_hiddenSize = layer.hiddenSize;
    m_sums = {};
}

void NeuronSums::add(const engine::WeightBlock& block) {
    at::Tensor& sums = m_sums[static_cast<std::size_t>(block.role)];
    if (!sums.defined()) {
        sums = at::zeros({static_cast<std::int64_t>(m_columns.size()), m_hiddenSize},
                         block.weights.options().dtype(at::kDouble));
    }
    for (std::size_t i = 0; i < block.columns.size(); ++i) {
        at::Tensor sum = sums[block.columns[i]];
        addNeurons(block.weights[static_cast<std::int64_t>(i)], block.neuronAxis() - 1, sum);
    }
}

at::Tensor NeuronSums::means(engine::Role role) const {
    at::Tensor means = m_sums[static_cast<std::size_t>(role)].clone();
    for (std::size_t i = 0; i < m_columns.size(); ++i) {
        means[static_cast<std::int64_t>(i)].div_(m_columns[i].intermediateSize);
    }
    return means;
}

std::uint64_t NeuronSums::bytes(const engine::LayerContext& layer) {
    const auto hidden = static_cast<std::uint64_t>(layer.hiddenSize);
    std::uint64_t largest = 0;
    for (const engine::Column& column : layer.columns) {
        largest = std::max(largest, hidden * static_cast<std::uint64_t>(column.intermediateSize));
    }
    return sizeof(double) * (kRoles.size() * layer.columns.size() * hidden +
                             std::min<std::uint64_t>(kChunkElements, largest));
}

engine::Effort NeuronSums::effort(const engine::LayerContext& layer) {
    double neurons = 0.0;
    for (const engine::Column& column : layer.columns) {
        neurons += column.intermediateSize;
    }
    return {.elements = 2.0 * 3.0 * neurons * layer.hiddenSize,
            .calls = 3.0 * 6.0 * static_cast<double>(layer.columns.size())};
}

std::vector<double> rowCosines(const at::Tensor& rows) {
    at::Tensor gram = at::zeros({rows.size(0), rows.size(0)}, rows.options().dtype(at::kDouble));
    addGram(gram, rows);
    const std::vector<double> products = toVector(gram);
    std::vector<double> cosines(products.size());
    numerics::cosinesFromGram(products, static_cast<std::size_t>(rows.size(0)), cosines);
    return cosines;
}

}  // namespace moescope::experiments
