// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/neuron_matching.h"

#include "core/experiments/tensor_host.h"
#include "core/numerics/assignment.h"
#include "core/numerics/correlation.h"
#include "core/numerics/similarity.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace moescope::experiments {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kSmallestNorm = 1e-8;
/// Tiles at once: one of each expert, as read and normalised.
constexpr std::uint64_t kTiles = 5;
/// Solving the assignment costs about this per entry, measured on similarities of random neurons.
constexpr double kAssignmentOperations = 400.0;

/// A tile is small beside the similarities of a large pair.
std::uint64_t tileRows(std::uint64_t tileBytes, std::uint64_t neurons, std::uint64_t hiddenSize) {
    return std::clamp<std::uint64_t>(tileBytes / (4 * hiddenSize), 1, neurons);
}

std::int64_t i64(std::uint64_t value) {
    return static_cast<std::int64_t>(value);
}

/// Calls use(first, count) for tiles of rows.
template <typename Use>
void forEachTile(const NeuronPair& pair, const engine::NeuronSource& source, const Use& use) {
    const std::uint64_t step = pair.tileRows > 0
                                   ? pair.tileRows
                                   : tileRows(source.tileBytes(), pair.neurons, pair.hiddenSize);
    for (std::uint64_t first = 0; first < pair.neurons; first += step) {
        use(first, std::min(step, pair.neurons - first));
    }
}

/// Rows of length one (shorter where a neuron is nearly zero) and the norms they were divided by.
struct Tile {
    at::Tensor rows;       // [count, d] float32
    at::Tensor norms;      // float64 [count], at least kSmallestNorm
    double squares = 0.0;  // sum of squares of the neurons
};

Tile tileOf(const engine::NeuronSource& source, int column, engine::Role role, std::uint64_t first,
            std::uint64_t count) {
    const at::Tensor rows = source.read(column, role, first, count);
    Tile tile;
    const at::Tensor norms = at::norm(rows, 2, {1}, false, at::kDouble);
    tile.squares = norms.square().sum().item<double>();
    tile.norms = norms.clamp_min(kSmallestNorm);
    tile.rows = rows / tile.norms.to(at::kFloat).unsqueeze(1);
    return tile;
}

/// The matrix of similarities of one role, and what turns its entries back into products.
struct RoleSide {
    std::vector<double> firstNorms, secondNorms;  // [m], as divided by
    double firstSquares = 0.0, secondSquares = 0.0;

    [[nodiscard]] bool isFinite() const {
        return std::isfinite(firstSquares) && std::isfinite(secondSquares);
    }
    [[nodiscard]] double cosine(double dot) const {
        return numerics::cosineFromDots(dot, firstSquares, secondSquares);
    }
};

void append(std::vector<double>& values, const at::Tensor& norms) {
    const at::Tensor host = toHost<double>(norms);
    const auto more = elements<double>(host);
    values.insert(values.end(), more.begin(), more.end());
}

/// similarities [m, m] += cosines of the neurons of a role.
RoleSide addSimilarities(const NeuronPair& pair, engine::Role role,
                         const engine::NeuronSource& source, at::Tensor& similarities,
                         const std::function<void()>& poll) {
    RoleSide side;
    forEachTile(pair, source, [&](std::uint64_t row, std::uint64_t rows) {
        const Tile a = tileOf(source, pair.first, role, row, rows);
        append(side.firstNorms, a.norms);
        side.firstSquares += a.squares;
        forEachTile(pair, source, [&](std::uint64_t column, std::uint64_t columns) {
            poll();
            const Tile b = tileOf(source, pair.second, role, column, columns);
            if (row == 0) {
                append(side.secondNorms, b.norms);
                side.secondSquares += b.squares;
            }
            at::Tensor part =
                similarities.narrow(0, i64(row), i64(rows)).narrow(1, i64(column), i64(columns));
            if (a.rows.is_cpu()) {
                part.addmm_(a.rows, b.rows.t());
            } else {
                part.add_(a.rows.mm(b.rows.t()).to(at::kCPU));
            }
        });
    });
    return side;
}

/// Sum over neurons n of first[n] . second[order[n]], from their weights.
double matchedDot(const NeuronPair& pair, engine::Role role, const engine::NeuronSource& source,
                  const std::vector<std::uint32_t>& order, const std::function<void()>& poll) {
    const at::Tensor second = source.read(pair.second, role, 0, pair.neurons);
    const std::vector<std::int64_t> wide(order.begin(), order.end());
    const at::Tensor places = at::tensor(wide, at::kLong).to(second.device());
    double dot = 0.0;
    forEachTile(pair, source, [&](std::uint64_t row, std::uint64_t rows) {
        poll();
        const at::Tensor a = source.read(pair.first, role, row, rows);
        const at::Tensor b = second.index_select(0, places.narrow(0, i64(row), i64(rows)));
        dot += (a * b).sum(at::kDouble).item<double>();
    });
    return dot;
}

std::vector<std::uint32_t> identity(std::uint64_t n) {
    std::vector<std::uint32_t> order(n);
    std::iota(order.begin(), order.end(), 0U);
    return order;
}

RoleMatch noMatch() {
    return {kNaN, kNaN, kNaN, kNaN, {}};
}

numerics::Assignment solve(const at::Tensor& similarities) {
    return numerics::maximumAssignment(elements<float>(similarities),
                                       static_cast<std::size_t>(similarities.size(0)));
}

/// Matched entries give the products back, so that no weight is read again.
RoleMatch matchAlone(const NeuronPair& pair, engine::Role role, const engine::NeuronSource& source,
                     const std::function<void()>& poll) {
    at::Tensor similarities = at::zeros({i64(pair.neurons), i64(pair.neurons)}, at::kFloat);
    const RoleSide side = addSimilarities(pair, role, source, similarities, poll);
    if (!side.isFinite()) {
        return noMatch();
    }
    numerics::Assignment found = solve(similarities);
    const auto values = elements<float>(similarities);
    double matched = 0.0;
    double plain = 0.0;
    for (std::size_t n = 0; n < pair.neurons; ++n) {
        const std::size_t other = found.columnOf[n];
        matched += static_cast<double>(values[n * pair.neurons + other]) * side.firstNorms[n] *
                   side.secondNorms[other];
        plain += static_cast<double>(values[n * pair.neurons + n]) * side.firstNorms[n] *
                 side.secondNorms[n];
    }
    RoleMatch match;
    match.similarity = side.cosine(matched);
    match.plain = side.cosine(plain);
    match.tau = numerics::kendallTau(found.columnOf);
    match.meanCosine = found.total / static_cast<double>(pair.neurons);
    match.permutation = std::move(found.columnOf);
    return match;
}

std::vector<RoleMatch> matchTogether(const NeuronPair& pair, const engine::NeuronSource& source,
                                     const std::function<void()>& poll) {
    std::vector<RoleSide> sides;
    numerics::Assignment found;
    {
        at::Tensor similarities = at::zeros({i64(pair.neurons), i64(pair.neurons)}, at::kFloat);
        for (const engine::Role role : pair.roles) {
            sides.push_back(addSimilarities(pair, role, source, similarities, poll));
        }
        if (!std::all_of(sides.begin(), sides.end(),
                         [](const RoleSide& side) { return side.isFinite(); })) {
            std::vector<RoleMatch> none(pair.roles.size(), noMatch());
            return none;
        }
        found = solve(similarities);
    }
    std::vector<RoleMatch> matches;
    const double tau = numerics::kendallTau(found.columnOf);
    const double entries =
        static_cast<double>(pair.neurons) * static_cast<double>(pair.roles.size());
    for (std::size_t r = 0; r < pair.roles.size(); ++r) {
        const engine::Role role = pair.roles[r];
        RoleMatch match;
        match.similarity = sides[r].cosine(matchedDot(pair, role, source, found.columnOf, poll));
        match.plain = sides[r].cosine(matchedDot(pair, role, source, identity(pair.neurons), poll));
        match.tau = tau;
        match.meanCosine = found.total / entries;
        match.permutation = found.columnOf;
        matches.push_back(std::move(match));
    }
    return matches;
}

}  // namespace

std::vector<RoleMatch> matchNeurons(const NeuronPair& pair, bool joint,
                                    const engine::NeuronSource& source,
                                    const std::function<void()>& poll) {
    if (joint) {
        return matchTogether(pair, source, poll);
    }
    std::vector<RoleMatch> matches;
    for (const engine::Role role : pair.roles) {
        matches.push_back(matchAlone(pair, role, source, poll));
    }
    return matches;
}

std::uint64_t matchingBytes(std::uint64_t neurons, std::uint64_t hiddenSize, bool joint) {
    // The solver needs some hundred bytes per row beside the matrix.
    constexpr std::uint64_t kPerNeuron = 400;
    const std::uint64_t tiles =
        kTiles * tileRows(engine::NeuronSource::kTileBytes, neurons, hiddenSize) * hiddenSize * 4;
    const std::uint64_t matching = neurons * neurons * 4 + neurons * kPerNeuron + tiles;
    return joint ? std::max(matching, neurons * hiddenSize * 8 + tiles) : matching;
}

double matchingOperations(std::uint64_t neurons, std::uint64_t hiddenSize) {
    const auto m = static_cast<double>(neurons);
    return m * m * (2.0 * static_cast<double>(hiddenSize) + kAssignmentOperations);
}

at::Tensor GaussianNeurons::read(int column, engine::Role role, std::uint64_t first,
                                 std::uint64_t count) const {
    // Each neuron has a seed of its own, so that any tile is the same part of one matrix. The
    // generator takes 32 bits of it.
    constexpr unsigned kSeedBits = 26;
    at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(std::uint64_t{0});
    at::Tensor rows = at::empty({i64(count), i64(m_hiddenSize)}, at::kFloat);
    for (std::uint64_t row = 0; row < count; ++row) {
        const std::uint64_t matrix =
            3 * static_cast<std::uint64_t>(column) + static_cast<std::uint64_t>(role);
        generator.set_current_seed((matrix << kSeedBits) + first + row);
        rows[i64(row)].normal_(0.0, 1.0, generator);
    }
    return rows;
}

}  // namespace moescope::experiments
