// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/neuron_means.h"

#include "core/experiments/tensor_host.h"
#include "core/numerics/similarity.h"

namespace moescope::experiments {

at::Tensor neuronMeans(const engine::WeightSums& sums, engine::Role role,
                       const std::vector<engine::Column>& columns) {
    const std::vector<double>& neurons = sums.of(role).neurons;
    const auto count = static_cast<std::int64_t>(columns.size());
    at::Tensor means = at::empty({count, static_cast<std::int64_t>(neurons.size()) / count},
                                 at::TensorOptions().dtype(at::kDouble));
    std::copy(neurons.begin(), neurons.end(), means.data_ptr<double>());
    for (std::int64_t i = 0; i < count; ++i) {
        means[i].div_(columns[static_cast<std::size_t>(i)].intermediateSize);
    }
    return means;
}

engine::Effort neuronEffort(const engine::LayerContext& layer) {
    double neurons = 0.0;
    for (const engine::Column& column : layer.columns) {
        neurons += column.intermediateSize;
    }
    return {.elements = 3.0 * neurons * layer.hiddenSize};
}

std::vector<double> rowCosines(const at::Tensor& rows) {
    const at::Tensor wide = rows.to(at::kDouble);
    const at::Tensor gram = toHost<double>(wide.mm(wide.t()));
    std::vector<double> cosines(static_cast<std::size_t>(gram.numel()));
    numerics::cosinesFromGram(elements<double>(gram), static_cast<std::size_t>(rows.size(0)),
                              cosines);
    return cosines;
}

}  // namespace moescope::experiments
