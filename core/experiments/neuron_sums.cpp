// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/neuron_sums.h"

#include "core/experiments/gram.h"
#include "core/numerics/similarity.h"

namespace moescope::experiments {

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
    const at::Tensor blockSums = block.weights.sum(block.neuronAxis(), false, at::kDouble);
    for (std::size_t i = 0; i < block.columns.size(); ++i) {
        sums[block.columns[i]] += blockSums[static_cast<std::int64_t>(i)];
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
    return sizeof(double) * kRoles.size() * layer.columns.size() *
           static_cast<std::uint64_t>(layer.hiddenSize);
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
