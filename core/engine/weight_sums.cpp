// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/weight_sums.h"

#include "core/base/error.h"
#include "core/jobs/parallel_for.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace moescope::engine {
namespace {

using Reference = StaticNeeds::Reference;
using Points = StaticNeeds::Points;

/// Elements of each matrix that LibTorch makes float64 copies of at once.
constexpr std::int64_t kSlabElements = 1 << 16;

template <typename Choice>
Choice one(Choice a, Choice b) {
    if (a != Choice::Nothing && b != Choice::Nothing && a != b) {
        throw Error(ErrorCode::Internal, "two probes want weights compared in two ways");
    }
    return a != Choice::Nothing ? a : b;
}

void addTo(std::vector<double>& sums, const double* more, std::size_t count) {
    sums.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
        sums[i] += more[i];
    }
}

/// sums += a tensor's elements, brought to main memory.
void addTo(std::vector<double>& sums, const at::Tensor& more) {
    const at::Tensor host = more.to(at::kCPU, at::kDouble).contiguous();
    addTo(sums, host.data_ptr<double>(), static_cast<std::size_t>(host.numel()));
}

void addTo(std::vector<double>& sums, const std::vector<double>& more) {
    if (!more.empty()) {
        addTo(sums, more.data(), more.size());
    }
}

at::Tensor gramOf(const at::Tensor& x) {
    return x.mm(x.t());
}

}  // namespace

SummingMeans summingMeans(at::Device device) {
    return device.is_cpu() ? SummingMeans::Loops : SummingMeans::Tensors;
}

StaticNeeds together(const StaticNeeds& a, const StaticNeeds& b) {
    return {.expertWeights = a.expertWeights || b.expertWeights,
            .router = a.router || b.router,
            .products = a.products || b.products,
            .relativeTo = one(a.relativeTo, b.relativeTo),
            .points = one(a.points, b.points),
            .neurons = a.neurons || b.neurons};
}

WeightSummer::WeightSummer(const LayerContext& layer, const StaticNeeds& needs, SummingMeans means)
    : m_needs(needs),
      m_means(means),
      m_experts(static_cast<std::size_t>(layer.experts())),
      m_hiddenSize(static_cast<std::size_t>(layer.hiddenSize)) {
    const int width = layer.columns.front().intermediateSize;
    for (std::size_t c = 0; c < layer.columns.size(); ++c) {
        const Column& column = layer.columns[c];
        if (column.intermediateSize != width) {
            continue;
        }
        const bool isBaseline = column.kind == Column::Kind::Baseline;
        if (isBaseline && m_sums.reference < 0 && needs.relativeTo == Reference::BaselineOrMean) {
            m_sums.reference = static_cast<int>(m_sums.columns.size());
        }
        m_sums.points += column.kind == Column::Kind::Shared ? 0 : 1;
        m_sums.columns.push_back(static_cast<int>(c));
    }
    for (WeightSums::OfRole& role : m_sums.roles) {
        role.isFinite.assign(layer.columns.size(), true);
        role.neurons.resize(needs.neurons ? layer.columns.size() * m_hiddenSize : 0);
    }
}

numerics::MatrixSumsOptions WeightSummer::optionsFor(bool compared, Role role) const {
    numerics::MatrixSumsOptions options;
    options.threads = jobs::loopThreads();
    if (m_needs.neurons) {
        options.along = role == Role::Down ? numerics::SumAlong::Columns : numerics::SumAlong::Rows;
    }
    if (!compared) {
        return options;
    }
    options.products = m_needs.products;
    options.compared = m_needs.relativeTo == Reference::Nothing ? 0 : m_experts;
    if (m_sums.reference >= 0) {
        options.reference = static_cast<std::size_t>(m_sums.reference);
    }
    options.points = m_needs.points == Points::Nothing ? 0 : m_sums.points;
    options.standardised = m_needs.points == Points::Standardised;
    return options;
}

void WeightSummer::add(Role role, const std::vector<int>& columns, const numerics::Matrices& rows,
                       std::uint64_t firstRow) {
    const bool compared = columns.front() == 0;
    WeightSums::OfRole& sums = m_sums.roles[static_cast<std::size_t>(role)];
    numerics::MatrixSums more;
    if (compared) {
        more.products = std::move(sums.products);
        more.relative = std::move(sums.relative);
        more.columnwise = std::move(sums.points);
    }
    numerics::addMatrixSums(rows, optionsFor(compared, role), more);
    addNeurons(role, columns, firstRow, more.along);
    if (compared) {
        sums.products = std::move(more.products);
        sums.relative = std::move(more.relative);
        sums.points = std::move(more.columnwise);
    }
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (more.nonFinite[i] != 0) {
            sums.isFinite[static_cast<std::size_t>(columns[i])] = false;
        }
    }
}

void WeightSummer::addNeurons(Role role, const std::vector<int>& columns, std::uint64_t firstRow,
                              const std::vector<double>& along) {
    std::vector<double>& neurons = m_sums.roles[static_cast<std::size_t>(role)].neurons;
    const std::size_t width = along.size() / columns.size();
    const std::size_t first = role == Role::Down ? firstRow : 0;
    for (std::size_t i = 0; i < columns.size() && !along.empty(); ++i) {
        double* const to =
            neurons.data() + static_cast<std::size_t>(columns[i]) * m_hiddenSize + first;
        for (std::size_t k = 0; k < width; ++k) {
            to[k] += along[i * width + k];
        }
    }
}

void WeightSummer::add(const WeightBlock& block) {
    if (m_means == SummingMeans::Tensors) {
        addTensors(block);
    } else {
        addHere(block);
    }
}

void WeightSummer::addHere(const WeightBlock& block) {
    const auto size = static_cast<std::size_t>(block.weights[0].numel());
    std::vector<const float*> floats;
    floats.reserve(block.columns.size());
    for (std::size_t i = 0; i < block.columns.size(); ++i) {
        floats.push_back(block.weights.data_ptr<float>() + i * size);
    }
    add(block.role, block.columns,
        {.floats = floats,
         .bfloat16 = {},
         .rows = static_cast<std::size_t>(block.weights.size(1)),
         .columns = static_cast<std::size_t>(block.weights.size(2))},
        0);
}

void WeightSummer::addTensors(const WeightBlock& block) {
    // All of it first: memory may run out on the way.
    WeightSums::OfRole more;
    std::vector<double> neurons;
    if (m_needs.neurons) {
        // Column by column: of all at once LibTorch would make a float64 copy.
        std::vector<at::Tensor> along;
        along.reserve(block.columns.size());
        for (const at::Tensor& matrix : block.weights.unbind(0)) {
            along.push_back(matrix.sum(block.neuronAxis() - 1, false, at::kDouble));
        }
        addTo(neurons, at::stack(along));
    }
    const at::Tensor x = block.weights.flatten(1);
    // In float32: weights do not add up to infinity, and NaN and infinity remain in any sum.
    const at::Tensor finite = at::isfinite(x.sum(1)).to(at::kCPU);
    const bool compared = block.columns.front() == 0;
    for (std::int64_t first = 0; compared && first < x.size(1); first += kSlabElements) {
        const std::int64_t size = std::min(kSlabElements, x.size(1) - first);
        addCompared(more, x.narrow(1, first, size).to(at::kDouble));
    }
    WeightSums::OfRole& sums = m_sums.roles[static_cast<std::size_t>(block.role)];
    addTo(sums.products, more.products);
    addTo(sums.relative, more.relative);
    addTo(sums.points, more.points);
    addNeurons(block.role, block.columns, 0, neurons);
    for (std::size_t i = 0; i < block.columns.size(); ++i) {
        if (!finite.data_ptr<bool>()[i]) {
            sums.isFinite[static_cast<std::size_t>(block.columns[i])] = false;
        }
    }
}

/// x [C, elements] in float64.
void WeightSummer::addCompared(WeightSums::OfRole& sums, const at::Tensor& x) const {
    if (m_needs.products) {
        addTo(sums.products, gramOf(x));
    }
    if (m_needs.relativeTo != Reference::Nothing) {
        const at::Tensor experts = x.narrow(0, 0, static_cast<std::int64_t>(m_experts));
        const at::Tensor base =
            m_sums.reference < 0 ? experts.mean(0, true) : x.narrow(0, m_sums.reference, 1);
        addTo(sums.relative, gramOf(experts - base));
    }
    if (m_needs.points != Points::Nothing) {
        const at::Tensor rows = x.narrow(0, 0, static_cast<std::int64_t>(m_sums.points));
        at::Tensor centred = rows - rows.mean(0, true);
        if (m_needs.points == Points::Standardised) {
            const double degrees = std::max(1.0, static_cast<double>(m_sums.points) - 1.0);
            const at::Tensor deviation = centred.norm(2, {0}).div_(std::sqrt(degrees));
            // Equal float32 values have a float64 mean without rounding: exactly constant is 0.
            centred.div_(deviation.masked_fill(deviation.eq(0), 1.0));
        }
        addTo(sums.points, gramOf(centred));
    }
}

Effort WeightSummer::effort(const LayerContext& layer, const StaticNeeds& needs, bool isStored) {
    const WeightSummer summer(layer, needs, SummingMeans::Loops);
    const double matrix = static_cast<double>(layer.hiddenSize) *
                          static_cast<double>(layer.columns.front().intermediateSize);
    // Each pair once, and each with itself; of all roles.
    const auto pairs = [&](std::size_t count) {
        const auto n = static_cast<double>(count);
        return static_cast<double>(kRoleCount) * n * (n + 1.0) * matrix;
    };
    Effort effort;
    if (needs.products) {
        (isStored ? effort.modelOperations : effort.operations) +=
            pairs(summer.m_sums.columns.size());
    }
    if (needs.relativeTo != Reference::Nothing) {
        effort.operations += pairs(summer.m_experts);
    }
    if (needs.points != Points::Nothing) {
        effort.operations += pairs(summer.m_sums.points);
    }
    if (needs.neurons) {
        double neurons = 0.0;
        for (const Column& column : layer.columns) {
            neurons += column.intermediateSize;
        }
        effort.elements += static_cast<double>(kRoleCount) * neurons * layer.hiddenSize;
    }
    return effort;
}

std::uint64_t WeightSummer::bytes(const LayerContext& layer, const StaticNeeds& needs,
                                  SummingMeans means) {
    if (!needs.sums()) {
        return 0;
    }
    const WeightSummer summer(layer, needs, means);
    const std::size_t compared = summer.m_sums.columns.size();
    const auto hidden = static_cast<std::size_t>(layer.hiddenSize);
    const auto width = static_cast<std::size_t>(layer.columns.front().intermediateSize);
    const std::size_t results =
        3 * compared * compared + (needs.neurons ? layer.columns.size() * hidden : 0);
    const std::uint64_t working =
        means == SummingMeans::Tensors
            ? 4 * compared * std::min<std::size_t>(kSlabElements, width * hidden) * sizeof(double)
            : std::max(numerics::matrixSumsBytes(compared, width, hidden,
                                                 summer.optionsFor(true, Role::Gate)),
                       numerics::matrixSumsBytes(compared, hidden, width,
                                                 summer.optionsFor(true, Role::Down)));
    return kRoleCount * results * sizeof(double) + working;
}

}  // namespace moescope::engine
