// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/weight_similarity.h"

#include "core/base/error.h"
#include "core/numerics/similarity.h"
#include "tests/core/experiments/feed.h"
#include "tests/core/experiments/matrices.h"
#include "tests/support/catch.h"
#include "tests/support/paths.h"
#include "tests/support/reference_file.h"
#include "tests/support/throws.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace moescope;
using namespace moescope::tests;
using experiments::RelativeTo;

namespace {

session::Part run(const WeightData& weights, RelativeTo relativeTo = RelativeTo::Automatic,
                  int slab = 1000) {
    const auto probe = experiments::makeWeightSimilarity({.relativeTo = relativeTo});
    return feed(*probe, weights, slab);
}

}  // namespace

TEST_CASE("WeightSimilarity: golden values of the fixtures", "[core][experiments]") {
    for (const GoldenFixture& fixture : goldenFixtures()) {
        const ReferenceFile golden(referenceDir() / "experiments" /
                                   (fixture.name + ".safetensors"));
        for (const int layer : fixture.layers) {
            const WeightData weights = referenceWeights(fixture.name, layer, fixture.baseline);
            const session::Part part = run(weights, RelativeTo::Automatic, 5);
            const session::Part toMean = run(weights, RelativeTo::Mean, 5);
            for (const std::string role : {"gate", "up", "down"}) {
                CAPTURE(fixture.name, layer, role);
                const std::string at = "." + std::to_string(layer) + "." + role;
                checkClose(quantity(part, role).values, golden.array("weight_similarity" + at),
                           1e-6);
                checkSimilarityMatrix(quantity(part, role));
                const std::string against =
                    fixture.baseline.empty() ? "relative_to_mean" : "relative_to_baseline";
                checkClose(quantity(part, role + "_relative").values,
                           golden.array("weight_similarity." + against + at), 1e-6);
                checkClose(quantity(toMean, role + "_relative").values,
                           golden.array("weight_similarity.relative_to_mean" + at), 1e-6);
                checkSimilarityMatrix(quantity(toMean, role + "_relative"));
            }
            CHECK(part.warnings.empty());
        }
    }
}

TEST_CASE("WeightSimilarity: labels name F, and S only where its shape is equal",
          "[core][experiments]") {
    const auto labels = [](const session::Part& part, const std::string& name) {
        return quantity(part, name).axes[0].labels;
    };
    const session::Part mixtral = run(referenceWeights("mixtral", 0, "mistral-baseline"));
    CHECK(labels(mixtral, "up").back() == "F");
    CHECK(labels(mixtral, "up_relative").back() == "6");
    CHECK(labels(run(referenceWeights("deepseek", 1)), "down").back() == "8");
    CHECK(labels(run(referenceWeights("deepseek-variant", 2)), "down").back() == "S");
}

TEST_CASE("WeightSimilarity: slabs of any size give the same numbers", "[core][experiments]") {
    const WeightData weights = referenceWeights("mixtral", 1, "mistral-baseline");
    const session::Part whole = run(weights);
    for (const int slab : {1, 3, 13}) {
        const session::Part parts = run(weights, RelativeTo::Automatic, slab);
        for (std::size_t i = 0; i < whole.quantities.size(); ++i) {
            checkClose(parts.quantities[i].values, whole.quantities[i].values, 1e-7);
        }
    }
}

TEST_CASE("WeightSimilarity: permuting the experts permutes the matrix", "[core][experiments]") {
    const WeightData weights = referenceWeights("mixtral", 1);
    WeightData reversed = weights;
    for (auto& role : reversed.matrices) {
        std::reverse(role.begin(), role.end());
    }
    const auto a = run(weights);
    const auto b = run(reversed);
    const auto n = static_cast<std::uint64_t>(weights.experts);
    for (const std::string name : {"gate", "down_relative"}) {
        for (std::uint64_t i = 0; i < n * n; ++i) {
            const std::uint64_t mirrored = (n - 1 - i / n) * n + (n - 1 - i % n);
            CHECK(quantity(a, name).values.at(i) ==
                  Approx(quantity(b, name).values.at(mirrored)).margin(1e-6));
        }
    }
}

TEST_CASE("WeightSimilarity: near copies keep their digits relative to the mean",
          "[core][experiments]") {
    // Experts that differ in the fifth digit: differences of Gram entries would be noise here.
    WeightData weights = referenceWeights("mixtral", 0);
    const WeightData other = referenceWeights("mixtral", 1);
    for (std::size_t role = 0; role < 3; ++role) {
        for (std::size_t e = 0; e < weights.matrices[role].size(); ++e) {
            auto& matrix = weights.matrices[role][e];
            for (std::size_t i = 0; i < matrix.size(); ++i) {
                matrix[i] = weights.matrices[role][0][i] * 100.0F + other.matrices[role][e][i];
            }
        }
    }
    const auto part = run(weights);
    const auto& matrices = weights.matrices[0];
    std::vector<std::vector<float>> differences = matrices;
    for (std::size_t i = 0; i < matrices[0].size(); ++i) {
        double mean = 0.0;
        for (const auto& matrix : matrices) {
            mean += static_cast<double>(matrix[i]) / static_cast<double>(matrices.size());
        }
        for (auto& difference : differences) {
            difference[i] = static_cast<float>(static_cast<double>(difference[i]) - mean);
        }
    }
    for (std::size_t a = 0; a < matrices.size(); ++a) {
        for (std::size_t b = 0; b < matrices.size(); ++b) {
            CHECK(quantity(part, "gate_relative").values.at(a * matrices.size() + b) ==
                  Approx(numerics::cosine(differences[a], differences[b])).margin(1e-5));
        }
    }
}

TEST_CASE("WeightSimilarity: random matrices spread as the baseline says", "[core][experiments]") {
    const session::Part part = run(randomWeights(24, 10, 20, false, 17));
    const double expected = quantity(part, "random_deviation").values.at(0);
    CHECK(expected == Approx(1.0 / std::sqrt(200.0)));
    double squares = 0.0;
    for (std::uint64_t i = 0; i < 24; ++i) {
        for (std::uint64_t j = 0; j < i; ++j) {
            squares += std::pow(quantity(part, "up").values.at(i * 24 + j), 2.0);
        }
    }
    CHECK(std::sqrt(squares / 276.0) == Approx(expected).epsilon(0.15));
}

TEST_CASE("WeightSimilarity: NaN weights give gaps and a warning", "[core][experiments]") {
    WeightData weights = referenceWeights("mixtral", 0, "mistral-baseline");
    weights.matrices[1][2][7] = std::numeric_limits<float>::quiet_NaN();
    const session::Part part = run(weights);
    const auto& up = quantity(part, "up").values;
    for (std::uint64_t i = 0; i < 64; ++i) {
        CHECK(std::isnan(up.at(i)) == (i / 8 == 2 || i % 8 == 2));
    }
    CHECK_FALSE(std::isnan(quantity(part, "gate").values.at(2)));
    REQUIRE(part.warnings.size() == 1);
    CHECK_THAT(part.warnings[0], Catch::Contains("up weights of 2"));
}

TEST_CASE("WeightSimilarity: asking for a baseline that is not there is refused",
          "[core][experiments]") {
    checkThrows([] { run(referenceWeights("mixtral", 0), RelativeTo::Baseline); },
                ErrorCode::BaselineMismatch, {"--baseline"});
}
