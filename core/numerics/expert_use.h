// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/numerics/routing.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

/// What experts do for the tokens that choose them, and which would go first. Pure functions; safe
/// from any thread.
namespace moescope::numerics {

/// Sums over an expert's own tokens, [E] each.
struct ExpertUse {
    explicit ExpertUse(int experts = 0);
    std::vector<std::uint64_t> tokens;
    std::vector<double> weights;        ///< routing weights
    std::vector<double> norms;          ///< L2 norms of its outputs, before the weight
    std::vector<double> weightedNorms;  ///< weight times norm
};
/// `weights` and `norms` are [tokens, topK] beside the choices; empty norms leave both sums as they
/// are.
void addUse(const Choices& choices, std::span<const float> weights, std::span<const float> norms,
            ExpertUse& use);

/// Measures of how much an expert matters.
enum class UseMeasure {
    Load,        ///< its share of the tokens
    WeightMass,  ///< sum of its weights over all tokens
    MeanWeight,  ///< over its own
    EanSum,      ///< sum of its norms: expert activation norm
    EanMean,     ///< over its own tokens
    Reap         ///< mean of weight times norm, over its own tokens (arXiv 2510.13999)
};
inline constexpr std::array<std::pair<UseMeasure, std::string_view>, 6> kUseMeasures{{
    {UseMeasure::Load, "load"},
    {UseMeasure::WeightMass, "weight_mass"},
    {UseMeasure::MeanWeight, "mean_weight"},
    {UseMeasure::EanSum, "ean_sum"},
    {UseMeasure::EanMean, "ean_mean"},
    {UseMeasure::Reap, "reap"},
}};
/// [E], of a text of so many tokens; 0 for an expert that none of them chooses.
[[nodiscard]] std::vector<double> measureOf(const ExpertUse& use, UseMeasure measure,
                                            std::uint64_t tokens);

/// Shares of a layer's experts whose removal is measured.
inline constexpr std::array<double, 6> kPrunedShares{0.125, 0.25, 0.375, 0.5, 0.625, 0.75};
/// How many of a layer's experts go at a share of them: rounded down, and never so many that fewer
/// than topK are left.
[[nodiscard]] std::size_t prunedCount(double share, int experts, int topK);
/// Places of the `count` lowest scores, lowest first, ties to the lower place. NaN never goes:
/// fewer places where there are too many.
[[nodiscard]] std::vector<std::size_t> lowestPlaces(std::span<const double> scores,
                                                    std::size_t count);

/// Value below which a share of the values lies, by linear interpolation between neighbours
/// (NumPy's default). NaN without values.
[[nodiscard]] double quantile(std::vector<double> values, double share);

/// 1 for super experts (arXiv 2507.23279): the largest magnitude of the expert's outputs is above
/// the 99.5th percentile of all, and above a tenth of the largest, within the first ceil(0.75 L)
/// layers. [layers][experts], as given.
[[nodiscard]] std::vector<std::vector<std::uint8_t>> superExperts(
    const std::vector<std::vector<double>>& largest);

}  // namespace moescope::numerics
