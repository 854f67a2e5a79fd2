// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/neuron_sums.h"

#include "core/experiments/gram.h"
#include "core/jobs/parallel_for.h"
#include "core/numerics/similarity.h"
#include "core/numerics/sums.h"

#include <ATen/Parallel.h>

namespace moescope::experiments {
namespace {

/// sums [columns, d] += the matrices [columns, ...] over their neurons, in main memory.
void addPlain(const at::Tensor& matrices, std::int64_t neuronAxis, const std::vector<int>& columns,
              at::Tensor& sums) {
    jobs::parallelFor(
        columns.size(), static_cast<unsigned>(at::get_num_threads()), jobs::CancelToken(),
        [&](std::size_t i) {
            const auto rows = static_cast<std::size_t>(matrices.size(1));
            const auto width = static_cast<std::size_t>(matrices.size(2));
            const numerics::RowsView matrix{matrices.data_ptr<float>() + i * rows * width, rows,
                                            width, width};
            const auto hidden = static_cast<std::size_t>(sums.size(1));
            const std::span<double> sum(
                sums.data_ptr<double>() + static_cast<std::size_t>(columns[i]) * hidden, hidden);
            (neuronAxis == 0 ? numerics::addRows : numerics::addColumns)(matrix, sum);
        });
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
    if (block.weights.is_cpu()) {
        addPlain(block.weights, block.neuronAxis() - 1, block.columns, sums);
        return;
    }
    for (std::size_t i = 0; i < block.columns.size(); ++i) {
        sums[block.columns[i]] += block.weights[static_cast<std::int64_t>(i)].sum(
            block.neuronAxis() - 1, false, at::kDouble);
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
    return sizeof(double) * kRoles.size() * layer.columns.size() * hidden;
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
    addGram(gram, rows.to(at::kDouble));  // short rows: products in float64 cost nothing
    const std::vector<double> products = toVector(gram);
    std::vector<double> cosines(products.size());
    numerics::cosinesFromGram(products, static_cast<std::size_t>(rows.size(0)), cosines);
    return cosines;
}

}  // namespace moescope::experiments
