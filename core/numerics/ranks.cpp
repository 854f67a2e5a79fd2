// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/numerics/ranks.h"

#include "core/numerics/require.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace moescope::numerics {
namespace {

float orderable(float value) noexcept {
    return std::isnan(value) ? -std::numeric_limits<float>::infinity() : value;
}

void rankOrderable(const float* values, std::size_t n, std::uint32_t* ranks) noexcept {
    for (std::size_t i = 0; i < n; ++i) {
        const float own = values[i];
        std::uint32_t below = 0;
        for (std::size_t j = 0; j < i; ++j) {
            below += values[j] <= own ? 1U : 0U;
        }
        for (std::size_t j = i + 1; j < n; ++j) {
            below += values[j] < own ? 1U : 0U;
        }
        ranks[i] = below + 1;
    }
}

// An infinity of the input and a NaN mapped to one tie, which the index then breaks.
void rankRow(std::span<const float> values, std::vector<float>& scratch,
             std::span<std::uint32_t> ranks) {
    scratch.resize(values.size());
    std::transform(values.begin(), values.end(), scratch.begin(), orderable);
    rankOrderable(scratch.data(), scratch.size(), ranks.data());
}

}  // namespace

void ranksAscending(std::span<const float> values, std::span<std::uint32_t> ranks) {
    require(values.size() == ranks.size(), "ranksAscending: sizes differ");
    std::vector<float> scratch;
    rankRow(values, scratch, ranks);
}

void addRankCounts(std::span<const float> scores, std::span<const float> norms, std::size_t experts,
                   std::span<std::uint64_t> counts) {
    require(experts > 0 && scores.size() == norms.size() && scores.size() % experts == 0 &&
                counts.size() == experts * experts,
            "addRankCounts: sizes do not fit");
    std::vector<float> scratch;
    std::vector<std::uint32_t> scoreRanks(experts);
    std::vector<std::uint32_t> normRanks(experts);
    for (std::size_t row = 0; row < scores.size(); row += experts) {
        rankRow(scores.subspan(row, experts), scratch, scoreRanks);
        rankRow(norms.subspan(row, experts), scratch, normRanks);
        for (std::size_t e = 0; e < experts; ++e) {
            ++counts[(scoreRanks[e] - 1) * experts + (normRanks[e] - 1)];
        }
    }
}

RankAgreement rankAgreement(std::span<const std::uint64_t> counts, std::size_t experts) {
    require(counts.size() == experts * experts, "rankAgreement: not [experts, experts]");
    RankAgreement result;
    const double middle = (static_cast<double>(experts) - 1.0) / 2.0;
    double total = 0.0;
    double diagonal = 0.0;
    double products = 0.0;
    double squares = 0.0;
    for (std::size_t norm = 0; norm < experts; ++norm) {
        std::size_t mode = 0;
        for (std::size_t score = 0; score < experts; ++score) {
            const auto count = static_cast<double>(counts[score * experts + norm]);
            const double s = static_cast<double>(score) - middle;
            total += count;
            diagonal += score == norm ? count : 0.0;
            products += count * s * (static_cast<double>(norm) - middle);
            squares += count * s * s;
            if (counts[score * experts + norm] > counts[mode * experts + norm]) {
                mode = score;
            }
        }
        result.agreeingRanks += mode == norm && counts[norm * experts + norm] > 0 ? 1 : 0;
    }
    constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
    result.diagonalShare = total > 0.0 ? diagonal / total : kNaN;
    result.spearman = squares > 0.0 ? products / squares : kNaN;
    return result;
}

void topK(std::span<const float> values, std::span<std::uint32_t> chosen) {
    require(chosen.size() <= values.size(), "topK: k is larger than the number of values");
    std::vector<std::uint32_t> order(values.size());
    std::iota(order.begin(), order.end(), 0U);
    const auto before = [&](std::uint32_t a, std::uint32_t b) {
        const float x = orderable(values[a]);
        const float y = orderable(values[b]);
        return x > y || (x == y && a < b);
    };
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(chosen.size()),
                      order.end(), before);
    std::copy_n(order.begin(), chosen.size(), chosen.begin());
}

}  // namespace moescope::numerics
