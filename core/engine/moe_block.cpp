// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/moe_block.h"

#include "core/engine/norm.h"

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

void ChosenOutputSizes::set(const Routing& routing, int expert, const at::Tensor& rows,
                            const at::Tensor& outputs) {
    if (!norms.defined()) {
        norms = at::zeros_like(routing.weights);
        largest = at::zeros_like(routing.weights);
    }
    const at::Tensor wide = outputs.to(at::kFloat);
    const at::Tensor slots =
        routing.chosen.index_select(0, rows).eq(expert).to(at::kByte).argmax(1);
    norms.index_put_({rows, slots}, at::linalg_vector_norm(wide, 2, {1}));
    largest.index_put_({rows, slots}, wide.abs().amax(1));
}

ActivationSink ColumnOutputs::sinkOf(int column) const {
    if (!sink) {
        return {};
    }
    return [this, column](const at::Tensor& activations) { sink(column, activations); };
}

at::Tensor MoeBlock::expertOutput(int expert, const at::Tensor& x,
                                  const ActivationSink& sink) const {
    at::Tensor output = feedForward(x, m_experts.get(expert), sink);
    if (m_change != nullptr && !m_change->outputFactor.empty()) {
        output.mul_(m_change->outputFactor[static_cast<std::size_t>(expert)]);
    }
    return output;
}

at::Tensor MoeBlock::addExpert(at::Tensor& sum, int expert, const at::Tensor& x,
                               const at::Tensor& whole, const ExpertRows& group,
                               bool outputsWanted) const {
    const auto plain = [&] {
        return whole.defined() ? whole.index_select(0, group.rows)
                               : expertOutput(expert, x.index_select(0, group.rows));
    };
    if (m_spec.scaleInput) {
        const at::Tensor factors = group.weights.unsqueeze(1).to(x.scalar_type());
        const at::Tensor scaled = x.index_select(0, group.rows).mul_(factors);
        addWeightedRows(sum, expertOutput(expert, scaled),
                        {group.rows, at::ones_like(group.weights)});
        return outputsWanted ? plain() : at::Tensor();
    }
    const at::Tensor outputs = plain();
    addWeightedRows(sum, outputs, group);
    return outputs;
}

at::Tensor MoeBlock::sharedOutput(const at::Tensor& residual, const at::Tensor& x,
                                  ColumnOutputs* columns, int sharedColumn) const {
    const Norm& inputNorm = m_weights.sharedInputNorm;
    const at::Tensor input = inputNorm.present() ? normalise(residual, inputNorm) : x;
    const bool wanted = columns != nullptr && sharedColumn >= 0;
    at::Tensor output = feedForward(input, m_weights.shared,
                                    wanted ? columns->sinkOf(sharedColumn) : ActivationSink());
    if (wanted) {
        columns->set(sharedColumn, output);
    }
    const Norm& outputNorm = m_weights.sharedOutputNorm;
    if (outputNorm.present()) {
        output = normalise(output, outputNorm);
    }
    if (m_weights.sharedGate.weight.defined()) {
        const Linear& gate = m_weights.sharedGate;
        output = output * at::sigmoid(at::linear(input, gate.weight, gate.bias));
    }
    return output;
}

MoeBlock::Result MoeBlock::forward(const at::Tensor& residual, const at::Tensor& x,
                                   ColumnOutputs* columns, int sharedColumn,
                                   ChosenOutputSizes* sizes) const {
    Result result;
    result.routerInput = routerInput(residual, x, m_weights.router);
    result.routing =
        route(result.routerInput, m_weights.router, m_spec.router, m_spec.topK, m_change);
    const std::vector<ExpertRows> groups = groupByExpert(result.routing, m_spec.experts);
    const at::ScalarType sumType =
        m_spec.router.castWeightsToModelDtype ? x.scalar_type() : at::kFloat;
    at::Tensor sum = at::zeros(x.sizes(), x.options().dtype(sumType));
    for (int expert = 0; expert < m_spec.experts; ++expert) {
        const ExpertRows& group = groups[static_cast<std::size_t>(expert)];
        at::Tensor whole;
        if (columns != nullptr) {
            whole = expertOutput(expert, x, columns->sinkOf(expert));
            columns->set(expert, whole);
        }
        if (group.rows.size(0) > 0) {
            const at::Tensor own = addExpert(sum, expert, x, whole, group, sizes != nullptr);
            if (sizes != nullptr) {
                sizes->set(result.routing, expert, group.rows, own);
            }
        }
    }
    result.output = sum.to(x.scalar_type());
    if (m_weights.routedOutputNorm.present()) {
        result.output = normalise(result.output, m_weights.routedOutputNorm);
    }
    if (m_spec.shared) {
        result.output.add_(sharedOutput(residual, x, columns, sharedColumn));
    }
    return result;
}

}  // namespace moescope::engine
