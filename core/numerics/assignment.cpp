// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/numerics/assignment.h"

#include "core/numerics/assignment_candidates.h"
#include "core/numerics/assignment_core.h"
#include "core/numerics/assignment_dense.h"
#include "core/numerics/assignment_scan.h"
#include "core/numerics/require.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace moescope::numerics {
namespace {

using assignment::Core;
using assignment::kNone;
using assignment::State;

/// Below this the whole matrix is small enough.
constexpr std::size_t kDenseSize = 192;
/// Improving entries that a row may add in the first round; doubled in each further one.
constexpr std::size_t kFirstAdditions = 8;
constexpr std::size_t kMostRounds = 12;
/// Of float64 path sums, relative to the largest value.
constexpr double kRounding = 1e-12;

bool allFinite(std::span<const float> values) {
    constexpr std::uint32_t kExponent = 0x7f800000U;
    std::uint32_t found = 0;
    for (const float value : values) {
        found |= (std::bit_cast<std::uint32_t>(value) & kExponent) == kExponent ? 1U : 0U;
    }
    return found == 0;
}

float largestMagnitude(std::span<const float> values) {
    std::uint32_t largest = 0;
    for (const float value : values) {
        largest = std::max(largest, std::bit_cast<std::uint32_t>(value) & 0x7fffffffU);
    }
    return std::bit_cast<float>(largest);  // magnitudes order as their bits do
}

class SparseSolver {
public:
    SparseSolver(std::span<const float> values, std::size_t n)
        : m_values(values),
          m_n(n),
          m_state(n),
          m_core(assignment::firstCore(values, n)),
          m_marks(scan::maskWords(n)),
          m_scale(static_cast<double>(largestMagnitude(values))) {}

    State& solve(AssignmentEffort& effort) {
        startSparse(m_core, m_state);
        std::size_t most = kFirstAdditions;
        while (true) {
            finishSparse(m_core, m_state);
            ++effort.rounds;
            std::vector<Core::Addition> additions = improvements(most);
            effort.coreEntries = m_core.entryCount();
            if (additions.empty()) {
                return m_state;
            }
            const std::size_t grown = m_core.entryCount() + additions.size();
            if (effort.rounds >= kMostRounds || grown > m_n * m_n / 8) {
                effort.dense = true;
                finishDense(m_values, m_state);
                return m_state;
            }
            m_core.add(additions);
            most *= 2;
        }
    }

private:
    [[nodiscard]] const float* row(std::size_t i) const { return m_values.data() + i * m_n; }

    /// Entries cheaper than their row's match, the cheapest `most` of each row; their rows are set
    /// free.
    std::vector<Core::Addition> improvements(std::size_t most) {
        std::vector<float> prices(m_n);
        double largest = m_scale;
        for (std::size_t j = 0; j < m_n; ++j) {
            prices[j] = static_cast<float>(m_state.prices[j]);
            largest = std::max(largest, std::abs(m_state.prices[j]));
        }
        // In float32 first, with room for its rounding; what that marks is looked at in float64.
        const double slack =
            4.0 * static_cast<double>(std::numeric_limits<float>::epsilon()) * largest;
        const double tolerance = kRounding * largest;
        std::vector<Core::Addition> additions;
        std::vector<std::pair<double, std::uint32_t>> found;
        for (std::size_t i = 0; i < m_n; ++i) {
            const float* from = row(i);
            const std::uint32_t matched = m_state.columnOf[i];
            const double cost = m_state.prices[matched] - static_cast<double>(from[matched]);
            scan::markAbove(from, prices.data(), m_n, static_cast<float>(-cost - slack),
                            m_marks.data());
            found.clear();
            scan::forEachMarked(m_marks.data(), m_n, [&](std::size_t j) {
                const double other = m_state.prices[j] - static_cast<double>(from[j]);
                if (other < cost - tolerance) {
                    found.emplace_back(other, static_cast<std::uint32_t>(j));
                }
            });
            if (found.empty()) {
                continue;
            }
            if (found.size() > most) {
                std::nth_element(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(most),
                                 found.end());
                found.resize(most);
            }
            for (const auto& [other, j] : found) {
                additions.push_back({static_cast<std::uint32_t>(i), {j, from[j]}});
            }
            m_state.rowOf[matched] = kNone;
            m_state.columnOf[i] = kNone;
        }
        return additions;
    }

    std::span<const float> m_values;
    std::size_t m_n;
    State m_state;
    Core m_core;
    std::vector<scan::Mask> m_marks;
    double m_scale;
};

Assignment result(std::span<const float> values, State& state) {
    Assignment found;
    for (std::size_t i = 0; i < state.size(); ++i) {
        found.total += static_cast<double>(values[i * state.size() + state.columnOf[i]]);
    }
    found.columnOf = std::move(state.columnOf);
    return found;
}

}  // namespace

Assignment maximumAssignment(std::span<const float> values, std::size_t n,
                             AssignmentEffort* effort) {
    require(values.size() == n * n && n < kNone, "the matrix of an assignment must be square");
    require(allFinite(values), "the matrix of an assignment must be finite");
    AssignmentEffort ignored;
    AssignmentEffort& told = effort == nullptr ? ignored : *effort;
    told = {};
    if (n == 0) {
        return {};
    }
    if (n < kDenseSize) {
        State state(n);
        told.dense = true;
        startDense(values, state);
        finishDense(values, state);
        return result(values, state);
    }
    SparseSolver solver(values, n);
    return result(values, solver.solve(told));
}

}  // namespace moescope::numerics
