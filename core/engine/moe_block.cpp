// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/moe_block.h"

#include <ATen/ATen.h>

namespace moescope::engine {

ColumnOutputs ColumnOutputs::make(int columns, std::int64_t tokens, std::int64_t hiddenSize,
                                  bool keepOutputs, at::Device device) {
    const auto options = at::TensorOptions().dtype(at::kFloat).device(device);
    ColumnOutputs result;
    result.norms = at::empty({columns, tokens}, options);
    if (keepOutputs) {
        result.outputs = at::empty({columns, tokens, hiddenSize}, options);
    }
    return result;
}

void ColumnOutputs::set(int column, const at::Tensor& output) {
    at::Tensor wide = output;
    if (outputs.defined()) {
        at::Tensor target = outputs.select(0, column);
        if (!target.is_same(output) && target.data_ptr() != output.data_ptr()) {
            target.copy_(output);
        }
        wide = target;
    } else {
        wide = output.to(at::kFloat);
    }
    norms.select(0, column).copy_(at::linalg_vector_norm(wide, 2, {1}));
}

at::Tensor MoeBlock::expertOutput(int expert, const at::Tensor& x) const {
    at::Tensor output = feedForward(x, m_experts.get(expert));
    if (m_change != nullptr && !m_change->outputFactor.empty()) {
        output.mul_(m_change->outputFactor[static_cast<std::size_t>(expert)]);
    }
    return output;
}

MoeBlock::Result MoeBlock::forward(const at::Tensor& x, ColumnOutputs* columns,
                                   int sharedColumn) const {
    Result result;
    result.routing = route(x, m_weights.router, m_spec.router, m_spec.topK, m_change);
    const std::vector<ExpertRows> groups = groupByExpert(result.routing, m_spec.experts);
    const at::ScalarType sumType =
        m_spec.router.castWeightsToModelDtype ? x.scalar_type() : at::kFloat;
    at::Tensor sum = at::zeros(x.sizes(), x.options().dtype(sumType));
    for (int expert = 0; expert < m_spec.experts; ++expert) {
        const ExpertRows& group = groups[static_cast<std::size_t>(expert)];
        const bool used = group.rows.size(0) > 0;
        if (columns != nullptr) {
            const at::Tensor output = expertOutput(expert, x);
            columns->set(expert, output);
            if (used) {
                addWeightedRows(sum, output.index_select(0, group.rows), group);
            }
        } else if (used) {
            addWeightedRows(sum, expertOutput(expert, x.index_select(0, group.rows)), group);
        }
    }
    result.output = sum.to(x.scalar_type());
    if (m_spec.shared) {
        const at::Tensor shared = feedForward(x, m_weights.shared);
        if (columns != nullptr && sharedColumn >= 0) {
            columns->set(sharedColumn, shared);
        }
        if (m_weights.sharedGate.weight.defined()) {
            const Linear& gate = m_weights.sharedGate;
            result.output.add_(shared * at::sigmoid(at::linear(x, gate.weight, gate.bias)));
        } else {
            result.output.add_(shared);
        }
    }
    return result;
}

}  // namespace moescope::engine
