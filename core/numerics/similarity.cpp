// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/numerics/similarity.h"

#include "core/base/instruction_sets.h"
#include "core/numerics/require.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

namespace moescope::numerics {
namespace {

constexpr double kSmallestNorm = 1e-8;

// std::max(x, eps) would turn a NaN into eps: the order of the arguments matters.
double clampedNorm(double squared) noexcept {
    const double norm = std::sqrt(squared);
    return norm < kSmallestNorm ? kSmallestNorm : norm;
}

/// acos(x), the rational approximation of fdlibm's e_acos.c (Sun Microsystems, 1993) without its
/// branches, so that a loop of it becomes vectors; below 1e-15 off. |x| <= 1 or NaN.
[[gnu::always_inline]] inline double arcCosine(double x) noexcept {
    constexpr double kHalfPi = std::numbers::pi / 2.0;
    const double magnitude = std::abs(x);
    const bool isLarge = magnitude > 0.5;
    const double square = isLarge ? (1.0 - magnitude) * 0.5 : x * x;
    const double sine = isLarge ? std::sqrt(square) : magnitude;
    const double above =
        square * (1.66666666666666657415e-01 +
                  square * (-3.25565818622400915405e-01 +
                            square * (2.01212532134862925881e-01 +
                                      square * (-4.00555345006794114027e-02 +
                                                square * (7.91534994289814532176e-04 +
                                                          square * 3.47933107596021167570e-05)))));
    const double below = 1.0 + square * (-2.40339491173441421878e+00 +
                                         square * (2.02094576023350569471e+00 +
                                                   square * (-6.88283971605453293030e-01 +
                                                             square * 7.70381505559019352791e-02)));
    const double arcSine = sine + sine * (above / below);
    const double nearOne = x < 0.0 ? std::numbers::pi - 2.0 * arcSine : 2.0 * arcSine;
    const double nearZero = x < 0.0 ? kHalfPi + arcSine : kHalfPi - arcSine;
    return isLarge ? nearOne : nearZero;
}

[[gnu::always_inline]] inline void angularOfAll(std::span<double> cosines) noexcept {
    for (double& value : cosines) {
        // A NaN passes both comparisons.
        const double low = value < -1.0 ? -1.0 : value;
        const double clamped = low > 1.0 ? 1.0 : low;
        value = 1.0 - arcCosine(clamped) / std::numbers::pi;
    }
}

using ToAngular = void (*)(std::span<double>) noexcept;

void angularPortable(std::span<double> cosines) noexcept {
    angularOfAll(cosines);
}
MOESCOPE_TARGET_AVX2 void angularAvx2(std::span<double> cosines) noexcept {
    angularOfAll(cosines);
}
MOESCOPE_TARGET_AVX512 void angularAvx512(std::span<double> cosines) noexcept {
    angularOfAll(cosines);
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

void toAngularSimilarities(std::span<double> cosines) noexcept {
    static const ToAngular toAngular = bestForm(angularPortable, angularAvx2, angularAvx512);
    toAngular(cosines);
}

void addAngularSimilarities(std::span<const double> gram, std::size_t n, std::span<double> sums) {
    require(gram.size() == n * n && sums.size() == n * n, "addAngularSimilarities: not [n, n]");
    std::vector<double> scales(n);
    std::vector<double> row(n);
    for (std::size_t i = 0; i < n; ++i) {
        scales[i] = 1.0 / clampedNorm(gram[i * n + i]);
    }
    for (std::size_t i = 0; i < n; ++i) {
        const double own = gram[i * n + i];
        sums[i * n + i] += std::isfinite(own) ? 1.0 : own - own;
        const double* const dots = gram.data() + i * n;
        for (std::size_t j = 0; j < i; ++j) {
            row[j] = dots[j] * scales[i] * scales[j];
        }
        toAngularSimilarities(std::span(row).first(i));
        for (std::size_t j = 0; j < i; ++j) {
            sums[i * n + j] += row[j];
            sums[j * n + i] += row[j];
        }
    }
}

}  // namespace moescope::numerics
