// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/numerics/expert_use.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace moescope::numerics {
namespace {

constexpr double kPercentile = 0.995;
constexpr double kOfLargest = 0.1;
constexpr double kFirstLayers = 0.75;

}  // namespace

ExpertUse::ExpertUse(int experts)
    : tokens(static_cast<std::size_t>(experts)),
      weights(tokens.size()),
      norms(tokens.size()),
      weightedNorms(tokens.size()) {}

void addUse(const Choices& choices, std::span<const float> weights, std::span<const float> norms,
            ExpertUse& use) {
    for (std::size_t i = 0; i < choices.ids.size(); ++i) {
        const std::size_t expert = choices.ids[i];
        const auto weight = static_cast<double>(weights[i]);
        ++use.tokens[expert];
        use.weights[expert] += weight;
        if (!norms.empty()) {
            use.norms[expert] += static_cast<double>(norms[i]);
            use.weightedNorms[expert] += weight * static_cast<double>(norms[i]);
        }
    }
}

std::vector<double> measureOf(const ExpertUse& use, UseMeasure measure, std::uint64_t tokens) {
    std::vector<double> values(use.tokens.size());
    const auto all = static_cast<double>(tokens);
    for (std::size_t e = 0; e < values.size(); ++e) {
        const auto own = static_cast<double>(use.tokens[e]);
        if (use.tokens[e] == 0) {
            continue;
        }
        switch (measure) {
            case UseMeasure::Load:
                values[e] = own / all;
                break;
            case UseMeasure::WeightMass:
                values[e] = use.weights[e] / all;
                break;
            case UseMeasure::MeanWeight:
                values[e] = use.weights[e] / own;
                break;
            case UseMeasure::EanSum:
                values[e] = use.norms[e];
                break;
            case UseMeasure::EanMean:
                values[e] = use.norms[e] / own;
                break;
            case UseMeasure::Reap:
                values[e] = use.weightedNorms[e] / own;
                break;
        }
    }
    return values;
}

std::size_t prunedCount(double share, int experts, int topK) {
    // A share written in decimals, of many experts, must not lose one to rounding.
    constexpr double kSlack = 1e-9;
    const auto wanted = static_cast<int>(std::floor(share * experts + kSlack));
    return static_cast<std::size_t>(std::clamp(wanted, 0, std::max(experts - topK, 0)));
}

std::vector<std::size_t> lowestPlaces(std::span<const double> scores, std::size_t count) {
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < scores.size(); ++i) {
        if (!std::isnan(scores[i])) {
            places.push_back(i);
        }
    }
    std::stable_sort(places.begin(), places.end(),
                     [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
    places.resize(std::min(count, places.size()));
    return places;
}

double quantile(std::vector<double> values, double share) {
    std::erase_if(values, [](double value) { return std::isnan(value); });
    if (values.empty()) {
        return std::numeric_limits<double>::quiet_NaN();
    }
    std::sort(values.begin(), values.end());
    const double place = share * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, values.size() - 1);
    return values[below] + (place - static_cast<double>(below)) * (values[above] - values[below]);
}

std::vector<std::vector<std::uint8_t>> superExperts(
    const std::vector<std::vector<double>>& largest) {
    std::vector<double> all;
    for (const std::vector<double>& layer : largest) {
        all.insert(all.end(), layer.begin(), layer.end());
    }
    const double most = std::accumulate(all.begin(), all.end(), 0.0,
                                        [](double a, double b) { return std::fmax(a, b); });
    const double limit = quantile(all, kPercentile);
    const auto first =
        static_cast<std::size_t>(std::ceil(kFirstLayers * static_cast<double>(largest.size())));
    std::vector<std::vector<std::uint8_t>> flags;
    for (std::size_t l = 0; l < largest.size(); ++l) {
        flags.emplace_back(largest[l].size());
        for (std::size_t e = 0; e < largest[l].size() && l < first; ++e) {
            flags[l][e] = largest[l][e] > limit && largest[l][e] > kOfLargest * most ? 1 : 0;
        }
    }
    return flags;
}

}  // namespace moescope::numerics
