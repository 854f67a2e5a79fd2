// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/numerics/similarity.h"

#include "tests/support/catch.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <random>
#include <stdexcept>
#include <vector>

using namespace moescope;

namespace {

using Vectors = std::vector<std::vector<float>>;

Vectors randomVectors(std::size_t count, std::size_t size, unsigned seed) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal;
    Vectors vectors(count, std::vector<float>(size));
    for (auto& vector : vectors) {
        std::generate(vector.begin(), vector.end(), [&] { return normal(generator); });
    }
    return vectors;
}

double slowDot(const std::vector<float>& a, const std::vector<float>& b) {
    long double sum = 0.0L;
    for (std::size_t i = 0; i < a.size(); ++i) {
        sum += static_cast<long double>(a[i]) * static_cast<long double>(b[i]);
    }
    return static_cast<double>(sum);
}

double slowCosine(const std::vector<float>& a, const std::vector<float>& b) {
    const double lengthA = std::max(std::sqrt(slowDot(a, a)), 1e-8);
    const double lengthB = std::max(std::sqrt(slowDot(b, b)), 1e-8);
    return slowDot(a, b) / (lengthA * lengthB);
}

std::vector<double> slowGram(const Vectors& vectors) {
    std::vector<double> gram;
    for (const auto& a : vectors) {
        for (const auto& b : vectors) {
            gram.push_back(slowDot(a, b));
        }
    }
    return gram;
}

}  // namespace

TEST_CASE("cosine: equals the definition for any length", "[core][numerics]") {
    for (const std::size_t size : {0U, 1U, 2U, 7U, 8U, 9U, 64U, 1001U}) {
        const Vectors v = randomVectors(2, size, 7U + static_cast<unsigned>(size));
        CHECK(numerics::cosine(v[0], v[1]) == Approx(slowCosine(v[0], v[1])).margin(1e-14));
        CHECK(numerics::dot(v[0], v[1]) == Approx(slowDot(v[0], v[1])).margin(1e-12));
    }
    CHECK_THROWS_AS(numerics::dot(std::vector<float>(2), std::vector<float>(3)),
                    std::invalid_argument);
}

TEST_CASE("cosine: zero vectors give 0 and NaN stays NaN", "[core][numerics]") {
    const std::vector<float> zero(4, 0.0F);
    const std::vector<float> ones(4, 1.0F);
    CHECK(numerics::cosine(zero, ones) == 0.0);
    CHECK(numerics::cosine(zero, zero) == 0.0);
    CHECK(numerics::cosine(ones, ones) == Approx(1.0).epsilon(1e-15));
    std::vector<float> broken = ones;
    broken[2] = std::numeric_limits<float>::quiet_NaN();
    CHECK(std::isnan(numerics::cosine(ones, broken)));
    CHECK(std::isnan(numerics::cosine(zero, broken)));
}

TEST_CASE("cosine: vectors shorter than 1e-8 are measured against 1e-8", "[core][numerics]") {
    const std::vector<float> tiny{1e-10F};
    const std::vector<float> one{1.0F};
    CHECK(numerics::cosine(tiny, one) == Approx(1e-2).epsilon(1e-6));
    CHECK(numerics::cosine(tiny, tiny) == Approx(1e-4).epsilon(1e-6));
}

TEST_CASE("cosinesFromGram: pairs, symmetry and an exact diagonal", "[core][numerics]") {
    Vectors vectors = randomVectors(6, 33, 3);
    std::fill(vectors[4].begin(), vectors[4].end(), 0.0F);
    std::vector<double> cosines(36);
    numerics::cosinesFromGram(slowGram(vectors), 6, cosines);
    for (std::size_t i = 0; i < 6; ++i) {
        for (std::size_t j = 0; j < 6; ++j) {
            CAPTURE(i, j);
            CHECK(cosines[i * 6 + j] == Approx(slowCosine(vectors[i], vectors[j])).margin(1e-14));
            CHECK(cosines[i * 6 + j] == cosines[j * 6 + i]);
        }
        CHECK(cosines[i * 6 + i] == (i == 4 ? 0.0 : 1.0));
    }
    CHECK_THROWS_AS(numerics::cosinesFromGram(std::vector<double>(4), 3, cosines),
                    std::invalid_argument);
}

TEST_CASE("cosinesFromGram: a vector with NaN spoils its own row and column only",
          "[core][numerics]") {
    Vectors vectors = randomVectors(3, 5, 4);
    vectors[1][0] = std::numeric_limits<float>::quiet_NaN();
    std::vector<double> cosines(9);
    numerics::cosinesFromGram(slowGram(vectors), 3, cosines);
    for (std::size_t i = 0; i < 9; ++i) {
        CAPTURE(i);
        CHECK(std::isnan(cosines[i]) == (i / 3 == 1 || i % 3 == 1));
    }
}

TEST_CASE("angularSimilarity: fixed points and clamping", "[core][numerics]") {
    CHECK(numerics::angularSimilarity(1.0) == 1.0);
    CHECK(numerics::angularSimilarity(1.0 + 1e-7) == 1.0);
    CHECK(numerics::angularSimilarity(0.0) == Approx(0.5));
    CHECK(numerics::angularSimilarity(-1.5) == Approx(0.0).margin(1e-15));
    CHECK(numerics::angularSimilarity(0.5) == Approx(1.0 - 1.0 / 3.0));
    CHECK(std::isnan(numerics::angularSimilarity(std::nan(""))));
}

TEST_CASE("addAngularSimilarities: sums over tokens, diagonal one per token", "[core][numerics]") {
    constexpr std::size_t kTokens = 5;
    constexpr std::size_t kExperts = 4;
    std::vector<double> sums(kExperts * kExperts);
    std::vector<double> slow(kExperts * kExperts);
    for (unsigned token = 0; token < kTokens; ++token) {
        Vectors vectors = randomVectors(kExperts, 9, 100 + token);
        if (token == 2) {
            std::fill(vectors[3].begin(), vectors[3].end(), 0.0F);
        }
        numerics::addAngularSimilarities(slowGram(vectors), kExperts, sums);
        for (std::size_t i = 0; i < kExperts; ++i) {
            for (std::size_t j = 0; j < kExperts; ++j) {
                const double c = std::clamp(slowCosine(vectors[i], vectors[j]), -1.0, 1.0);
                slow[i * kExperts + j] += i == j ? 1.0 : 1.0 - std::acos(c) / std::numbers::pi;
            }
        }
    }
    for (std::size_t i = 0; i < sums.size(); ++i) {
        CAPTURE(i);
        CHECK(sums[i] == Approx(slow[i]).margin(1e-12));
    }
    for (std::size_t i = 0; i < kExperts; ++i) {
        CHECK(sums[i * kExperts + i] == static_cast<double>(kTokens));
    }
}
