// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/moe_block.h"

#include "core/engine/device_memory.h"
#include "core/engine/element_loops.h"
#include "core/engine/memory_plan.h"
#include "core/engine/norm.h"
#include "core/engine/parallel_ranges.h"

#include <ATen/ATen.h>

#include <cstdint>
#include <utility>

namespace moescope::engine {

namespace {

/// L2 norms of rows of bfloat16 in main memory.
void normsOf(const at::Tensor& rows, const at::Tensor& norms) {
    const std::int64_t width = rows.size(1);
    const auto* from = static_cast<const Bfloat16Bits*>(rows.data_ptr());
    auto* const to = norms.data_ptr<float>();
    constexpr std::int64_t kGrain = 16;
    parallelRanges(rows.size(0), kGrain, [&](std::int64_t first, std::int64_t end) {
        for (std::int64_t row = first; row < end; ++row) {
            to[row] = rowNorm(from + row * width, static_cast<std::size_t>(width));
        }
    });
}

}  // namespace

ColumnOutputs ColumnOutputs::make(int columns, std::int64_t tokens, std::int64_t hiddenSize,
                                  bool keepOutputs, const at::TensorOptions& computeOptions) {
    ColumnOutputs result;
    result.norms = at::empty({columns, tokens}, computeOptions.dtype(at::kFloat));
    if (keepOutputs) {
        result.outputs = at::empty({columns, tokens, hiddenSize}, computeOptions);
    }
    return result;
}

void ColumnOutputs::prepare(int columns, std::int64_t tokens, std::int64_t hiddenSize,
                            bool keepOutputs, const at::TensorOptions& computeOptions) {
    sink = {};
    const bool fits = norms.defined() && norms.size(0) == columns && norms.size(1) == tokens &&
                      outputs.defined() == keepOutputs;
    if (!fits) {
        *this = {};  // first, so that both are never there at once
        *this = make(columns, tokens, hiddenSize, keepOutputs, computeOptions);
    }
}

at::Tensor ColumnOutputs::placeOf(int column) const {
    return outputs.defined() ? outputs.select(0, column) : at::Tensor();
}

void ColumnOutputs::set(int column, const at::Tensor& output) const {
    at::Tensor place = placeOf(column);
    if (place.defined() && place.data_ptr() != output.data_ptr()) {
        place.copy_(output);
    }
    at::Tensor norm = norms.select(0, column);
    if (output.is_cpu() && output.scalar_type() == at::kBFloat16 && output.is_contiguous()) {
        normsOf(output, norm);
        return;
    }
    if (output.is_cpu() || !outputs.defined()) {
        norm.copy_(at::linalg_vector_norm(output, 2, {1}, /*keepdim=*/false, at::kFloat));
    }
}

void ColumnOutputs::finish() const {
    if (outputs.defined() && !outputs.is_cpu()) {
        at::Tensor all = norms;
        at::linalg_vector_norm_out(all, outputs, 2, {2}, /*keepdim=*/false, at::kFloat);
    }
}

ActivationSink ColumnOutputs::sinkOf(int column) const {
    if (!sink) {
        return {};
    }
    return [this, column](const at::Tensor& activations) { sink(column, activations); };
}

at::Tensor MoeBlock::expertOutput(int expert, const at::Tensor& x, const ActivationSink& sink,
                                  const at::Tensor& place) const {
    at::Tensor output = feedForwardOnce(
        m_experts.relief(), [&] { return x; }, [&] { return m_experts.get(expert); }, sink, place);
    if (m_change != nullptr && !m_change->outputFactor.empty()) {
        output.mul_(m_change->outputFactor[static_cast<std::size_t>(expert)]);
    }
    return output;
}

at::Tensor MoeBlock::rowsOf(const at::Tensor& x, const ExpertRows& group) const {
    return withRelief(m_experts.relief(), [&] { return x.index_select(0, group.rows); });
}

at::Tensor MoeBlock::addExpert(at::Tensor& sum, int expert, const at::Tensor& x,
                               const at::Tensor& whole, const ExpertRows& group,
                               bool outputsWanted) const {
    const Relief& relief = m_experts.relief();
    const auto plain = [&] {
        return whole.defined() ? rowsOf(whole, group) : expertOutput(expert, rowsOf(x, group));
    };
    if (m_spec.scaleInput) {
        const at::Tensor scaled = withRelief(relief, [&] {
            const at::Tensor factors = group.weights.unsqueeze(1).to(x.scalar_type());
            return x.index_select(0, group.rows).mul_(factors);
        });
        const at::Tensor outputs = expertOutput(expert, scaled);
        withRelief(relief, [&] {
            addWeightedRows(sum, outputs, {group.rows, at::ones_like(group.weights)});
        });
        return outputsWanted ? plain() : at::Tensor();
    }
    at::Tensor outputs = plain();
    withRelief(relief, [&] { addWeightedRows(sum, outputs, group); });
    return outputs;
}

at::Tensor MoeBlock::sharedOutput(const at::Tensor& residual, const at::Tensor& x,
                                  ColumnOutputs* columns, int sharedColumn) const {
    const Relief& relief = m_experts.relief();
    const Norm& inputNorm = m_weights.sharedInputNorm;
    at::Tensor input = withRelief(
        relief, [&] { return inputNorm.present() ? normalise(residual, inputNorm) : x; });
    const bool wanted = columns != nullptr && sharedColumn >= 0;
    const at::Tensor plain = feedForwardOnce(
        relief, [&] { return input; }, [&] { return m_weights.shared; },
        wanted ? columns->sinkOf(sharedColumn) : ActivationSink());
    return withRelief(relief, [&] {
        if (wanted) {
            columns->set(sharedColumn, plain);
        }
        const Norm& outputNorm = m_weights.sharedOutputNorm;
        at::Tensor result = outputNorm.present() ? normalise(plain, outputNorm) : plain;
        if (m_weights.sharedGate.weight.defined()) {
            const Linear& gate = m_weights.sharedGate;
            result = result * at::sigmoid(at::linear(input, gate.weight, gate.bias));
        }
        return result;
    });
}

at::Tensor MoeBlock::oneByOne(const Routing& routing, const at::Tensor& x, at::ScalarType sumType,
                              ColumnOutputs* columns, ChosenOutputSizes* sizes) const {
    const Relief& relief = m_experts.relief();
    std::vector<ExpertRows> groups;
    at::Tensor sum;
    withRelief(relief, [&] {
        groups = groupByExpert(routing, m_spec.experts);
        sum = at::zeros(x.sizes(), x.options().dtype(sumType));
    });
    std::vector<bool> wanted;
    wanted.reserve(groups.size());
    for (const ExpertRows& group : groups) {
        wanted.push_back(columns != nullptr || group.rows.size(0) > 0);
    }
    m_experts.expect(std::move(wanted));
    for (int expert = 0; expert < m_spec.experts; ++expert) {
        const ExpertRows& group = groups[static_cast<std::size_t>(expert)];
        at::Tensor whole;
        if (columns != nullptr) {
            whole = expertOutput(expert, x, columns->sinkOf(expert), columns->placeOf(expert));
            withRelief(relief, [&] { columns->set(expert, whole); });
        }
        if (group.rows.size(0) > 0) {
            const at::Tensor own = addExpert(sum, expert, x, whole, group, sizes != nullptr);
            if (sizes != nullptr) {
                withRelief(relief, [&] { sizes->set(routing, expert, group.rows, own); });
            }
        }
    }
    return sum;
}

int MoeBlock::computeSome(int first, const std::vector<bool>& wanted,
                          const std::function<ExpertPiece(int)>& pieceOf, const ColumnSink& sink,
                          const std::function<void(int, const at::Tensor&)>& take) const {
    const int end = first + m_experts.together(first);
    std::vector<int> batch;
    int next = first;
    for (; next < end && static_cast<int>(batch.size()) < kExpertsTogether; ++next) {
        if (wanted[static_cast<std::size_t>(next)]) {
            batch.push_back(next);
        }
    }
    const std::vector<FeedForward> experts = m_experts.get(batch);
    std::vector<ExpertPiece> pieces;
    pieces.reserve(batch.size());
    for (const int expert : batch) {
        pieces.push_back(pieceOf(expert));
    }
    const auto toColumn = [&](std::size_t piece, const at::Tensor& activations) {
        sink(batch[piece], activations);
    };
    using Sink = std::function<void(std::size_t, const at::Tensor&)>;
    feedForwardTogether(experts, pieces, sink ? Sink(toColumn) : Sink());
    for (std::size_t i = 0; i < batch.size(); ++i) {
        if (m_change != nullptr && !m_change->outputFactor.empty()) {
            pieces[i].output.mul_(m_change->outputFactor[static_cast<std::size_t>(batch[i])]);
        }
        take(batch[i], pieces[i].output);
    }
    return next;
}

void MoeBlock::computeAll(const std::vector<bool>& wanted,
                          const std::function<ExpertPiece(int)>& pieceOf, const ColumnSink& sink,
                          const std::function<void(int, const at::Tensor&)>& take) const {
    m_experts.expect(wanted);
    std::vector<bool> seen(wanted.size(), false);
    const ColumnSink once = [&](int expert, const at::Tensor& activations) {
        if (!seen[static_cast<std::size_t>(expert)]) {
            sink(expert, activations);
            seen[static_cast<std::size_t>(expert)] = true;
        }
    };
    for (int next = 0; next < m_spec.experts;) {
        if (!wanted[static_cast<std::size_t>(next)]) {
            ++next;
            continue;
        }
        next = withRelief(m_experts.relief(), [&] {
            return computeSome(next, wanted, pieceOf, sink ? once : ColumnSink(), take);
        });
    }
}

at::Tensor MoeBlock::chosenOutputs(const SortedAssignments& sorted, const at::Tensor& x,
                                   ColumnOutputs* columns) const {
    at::Tensor inputs;
    at::Tensor outputs;
    withRelief(m_experts.relief(), [&] {
        inputs = columns == nullptr ? x.index_select(0, sorted.rows) : at::Tensor();
        outputs = at::empty({sorted.rows.size(0), x.size(1)}, x.options());
    });
    std::vector<bool> wanted;
    wanted.reserve(static_cast<std::size_t>(m_spec.experts));
    for (int expert = 0; expert < m_spec.experts; ++expert) {
        wanted.push_back(columns != nullptr || sorted.count(expert) > 0);
    }
    const auto pieceOf = [&](int expert) {
        return columns == nullptr
                   ? ExpertPiece{sorted.partOf(expert, inputs), sorted.partOf(expert, outputs)}
                   : ExpertPiece{x, at::empty_like(x)};
    };
    computeAll(wanted, pieceOf, columns == nullptr ? ColumnSink() : columns->sink,
               [&](int expert, const at::Tensor& output) {
                   if (columns != nullptr) {
                       columns->set(expert, output);
                       at::Tensor place = sorted.partOf(expert, outputs);
                       at::index_select_out(place, output, 0, sorted.partOf(expert, sorted.rows));
                   }
               });
    return outputs;
}

at::Tensor MoeBlock::together(const Routing& routing, const at::Tensor& x, at::ScalarType sumType,
                              ColumnOutputs* columns, ChosenOutputSizes* sizes) const {
    const Relief& relief = m_experts.relief();
    at::Tensor outputs;
    at::Tensor places;
    if (columns != nullptr && columns->outputs.defined()) {
        computeAll(
            std::vector<bool>(static_cast<std::size_t>(m_spec.experts), true),
            [&](int expert) {
                return ExpertPiece{x, columns->placeOf(expert)};
            },
            columns->sink,
            [&](int expert, const at::Tensor& output) { columns->set(expert, output); });
        outputs = columns->outputs.view({-1, x.size(1)});
        places = withRelief(relief, [&] {
            const at::Tensor tokens = at::arange(x.size(0), routing.chosen.options());
            return routing.chosen * x.size(0) + tokens.unsqueeze(1);
        });
    } else {
        const SortedAssignments sorted =
            withRelief(relief, [&] { return sortAssignments(routing, m_spec.experts); });
        outputs = chosenOutputs(sorted, x, columns);
        places = sorted.places;
    }
    return withRelief(relief,
                      [&] { return weightedSum(outputs, places, routing, sumType, sizes); });
}

MoeBlock::Result MoeBlock::forward(const at::Tensor& residual, const at::Tensor& x,
                                   ColumnOutputs* columns, int sharedColumn,
                                   ChosenOutputSizes* sizes) const {
    const Relief& relief = m_experts.relief();
    Result result;
    withRelief(relief, [&] {
        result.routerInput = routerInput(residual, x, m_weights.router);
        result.routing =
            route(result.routerInput, m_weights.router, m_spec.router, m_spec.topK, m_change);
    });
    const at::ScalarType sumType =
        m_spec.router.castWeightsToModelDtype ? x.scalar_type() : at::kFloat;
    // In the CPU's memory small operations cost little, and gathering them costs memory.
    const bool onDevice = relief || !x.is_cpu();
    const at::Tensor sum = onDevice && !m_spec.scaleInput
                               ? together(result.routing, x, sumType, columns, sizes)
                               : oneByOne(result.routing, x, sumType, columns, sizes);
    result.output = withRelief(relief, [&] {
        const at::Tensor output = sum.to(x.scalar_type());
        return m_weights.routedOutputNorm.present() ? normalise(output, m_weights.routedOutputNorm)
                                                    : output;
    });
    if (m_spec.shared) {
        result.output.add_(sharedOutput(residual, x, columns, sharedColumn));
    }
    return result;
}

}  // namespace moescope::engine
