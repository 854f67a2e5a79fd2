// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/numerics/similarity.h"

#include "core/numerics/require.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace moescope::numerics {
namespace {

constexpr double kSmallestNorm = 1e-8;

// std::max(x, eps) would turn a NaN into eps: the order of the arguments matters.
double clampedNorm(double squared) noexcept {
    const double norm = std::sqrt(squared);
    return norm < kSmallestNorm ? kSmallestNorm : norm;
}

}  // namespace

double cosineFromDots(double ab, double aa, double bb) noexcept {
    const double value = ab / (clampedNorm(aa) * clampedNorm(bb));
    return value > 1.0 ? 1.0 : (value < -1.0 ? -1.0 : value);
}

double dot(std::span<const float> a, std::span<const float> b) {
    require(a.size() == b.size(), "dot: vectors of different length");
    // Independent sums let the compiler keep several vector registers busy without being
    // allowed to reorder floating-point additions.
    constexpr std::size_t kLanes = 8;
    double sums[kLanes] = {};
    const std::size_t whole = a.size() / kLanes * kLanes;
    for (std::size_t i = 0; i < whole; i += kLanes) {
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
            sums[lane] += static_cast<double>(a[i + lane]) * static_cast<double>(b[i + lane]);
        }
    }
    double rest = 0.0;
    for (std::size_t i = whole; i < a.size(); ++i) {
        rest += static_cast<double>(a[i]) * static_cast<double>(b[i]);
    }
    return ((sums[0] + sums[4]) + (sums[1] + sums[5])) +
           ((sums[2] + sums[6]) + (sums[3] + sums[7])) + rest;
}

double cosine(std::span<const float> a, std::span<const float> b) {
    return cosineFromDots(dot(a, b), dot(a, a), dot(b, b));
}

void cosinesFromGram(std::span<const double> gram, std::size_t n, std::span<double> cosines) {
    require(gram.size() == n * n && cosines.size() == n * n, "cosinesFromGram: not [n, n]");
    for (std::size_t i = 0; i < n; ++i) {
        const double own = gram[i * n + i];
        // sqrt(x)^2 / x may be 1 - 1e-16; the definition says 1.
        cosines[i * n + i] = own >= kSmallestNorm * kSmallestNorm && std::isfinite(own)
                                 ? 1.0
                                 : cosineFromDots(own, own, own);
        for (std::size_t j = 0; j < i; ++j) {
            const double value = cosineFromDots(gram[i * n + j], own, gram[j * n + j]);
            cosines[i * n + j] = value;
            cosines[j * n + i] = value;
        }
    }
}

double angularSimilarity(double cosine) noexcept {
    const double clamped = cosine > 1.0 ? 1.0 : (cosine < -1.0 ? -1.0 : cosine);
    return 1.0 - std::acos(clamped) / std::numbers::pi;
}

void addAngularSimilarities(std::span<const double> gram, std::size_t n, std::span<double> sums) {
    require(gram.size() == n * n && sums.size() == n * n, "addAngularSimilarities: not [n, n]");
    for (std::size_t i = 0; i < n; ++i) {
        const double own = gram[i * n + i];
        sums[i * n + i] += std::isfinite(own) ? 1.0 : own - own;
        for (std::size_t j = 0; j < i; ++j) {
            const double value =
                angularSimilarity(cosineFromDots(gram[i * n + j], own, gram[j * n + j]));
            sums[i * n + j] += value;
            sums[j * n + i] += value;
        }
    }
}

}  // namespace moescope::numerics
