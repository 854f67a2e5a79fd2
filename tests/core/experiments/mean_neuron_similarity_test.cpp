// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/mean_neuron_similarity.h"

#include "tests/core/experiments/feed.h"
#include "tests/core/experiments/matrices.h"
#include "tests/support/catch.h"
#include "tests/support/paths.h"
#include "tests/support/reference_file.h"

#include <cmath>
#include <limits>

using namespace moescope;
using namespace moescope::tests;

namespace {

session::Part run(const WeightData& weights, int slab) {
    const auto probe = experiments::makeMeanNeuronSimilarity();
    return feed(*probe, weights, slab);
}

void checkFixture(const std::string& fixture, int layer, const std::string& baseline) {
    const ReferenceFile golden(referenceDir() / "experiments" / (fixture + ".safetensors"));
    const WeightData weights = referenceWeights(fixture, layer, baseline);
    for (const int slab : {1, 4, 1000}) {
        const session::Part part = run(weights, slab);
        for (const std::string role : {"gate", "up", "down"}) {
            CAPTURE(fixture, layer, role, slab);
            checkClose(quantity(part, role).values,
                       golden.array("mean_neuron_similarity." + std::to_string(layer) + "." + role),
                       1e-6);
            checkSimilarityMatrix(quantity(part, role));
        }
    }
}

}  // namespace

TEST_CASE("MeanNeuronSimilarity: golden values of the fixtures, slabs of any size",
          "[core][experiments]") {
    for (const int layer : {0, 1, 2}) {
        checkFixture("mixtral", layer, "mistral-baseline");
    }
    checkFixture("deepseek", 1, "");
    checkFixture("deepseek-variant", 4, "");
}

TEST_CASE("MeanNeuronSimilarity: shared experts of another width take part",
          "[core][experiments]") {
    const session::Part part = run(referenceWeights("deepseek", 2), 5);
    CHECK(quantity(part, "down").axes[1].labels.back() == "S");
}

TEST_CASE("MeanNeuronSimilarity: NaN weights give gaps and a warning", "[core][experiments]") {
    WeightData weights = referenceWeights("deepseek", 1);
    weights.matrices[2].back()[0] = std::numeric_limits<float>::infinity();
    const session::Part part = run(weights, 5);
    const auto& down = quantity(part, "down").values;
    CHECK(std::isnan(down.at(down.size() - 1)));
    CHECK_FALSE(std::isnan(down.at(0)));
    REQUIRE(part.warnings.size() == 1);
    CHECK_THAT(part.warnings[0], Catch::Contains("down weights of S"));
}

TEST_CASE("MeanNeuronSimilarity: random neurons spread as the baseline says",
          "[core][experiments]") {
    const auto probe = experiments::makeMeanNeuronSimilarity();
    const session::Part part = feed(*probe, randomWeights(24, 7, 50, false, 18), 100);
    const double expected = quantity(part, "random_deviation").values.at(0);
    CHECK(expected == Approx(1.0 / std::sqrt(50.0)));
    double squares = 0.0;
    for (std::uint64_t i = 0; i < 24; ++i) {
        for (std::uint64_t j = 0; j < i; ++j) {
            squares += std::pow(quantity(part, "down").values.at(i * 24 + j), 2.0);
        }
    }
    CHECK(std::sqrt(squares / 276.0) == Approx(expected).epsilon(0.15));
}
