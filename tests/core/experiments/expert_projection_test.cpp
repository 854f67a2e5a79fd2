// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/expert_projection.h"

#include "tests/core/experiments/feed.h"
#include "tests/core/experiments/matrices.h"
#include "tests/core/experiments/projections.h"
#include "tests/support/catch.h"
#include "tests/support/paths.h"
#include "tests/support/reference_file.h"

#include <algorithm>
#include <limits>

using namespace moescope;
using namespace moescope::tests;
using experiments::ExperimentOptions;
using experiments::Scaling;

namespace {

session::Part run(const WeightData& weights, const ExperimentOptions& options = {},
                  int slab = 1000) {
    const auto probe = experiments::makeExpertProjection(options);
    return feed(*probe, weights, slab);
}

std::vector<double> rowOf(const NdArray& matrix, std::size_t row) {
    const std::uint64_t width = matrix.shape()[1];
    std::vector<double> values;
    for (std::uint64_t i = 0; i < width; ++i) {
        values.push_back(matrix.at(row * width + i));
    }
    return values;
}

}  // namespace

TEST_CASE("ExpertProjection: golden values of the fixtures", "[core][experiments]") {
    const std::vector<std::string> roles{"gate", "up", "down"};
    for (const GoldenFixture& fixture : goldenFixtures()) {
        const ReferenceFile golden(referenceDir() / "experiments" /
                                   (fixture.name + ".safetensors"));
        for (const int layer : fixture.layers) {
            const WeightData weights = referenceWeights(fixture.name, layer, fixture.baseline);
            for (const auto& [kind, scaling] :
                 {std::pair{"raw", Scaling::Raw}, {"standardised", Scaling::Standardised}}) {
                const session::Part published = run(weights, {.projection = scaling}, 3);
                const session::Part narrow = run(
                    weights, {.projection = scaling, .outlierRadius = 6.0, .outlierNeighbours = 3});
                for (std::size_t role = 0; role < 3; ++role) {
                    CAPTURE(fixture.name, layer, kind, roles[role]);
                    const std::string at =
                        std::string(".") + kind + "." + std::to_string(layer) + "." + roles[role];
                    const auto explained = rowOf(quantity(published, "explained").values, role);
                    const NdArray expected = golden.array("expert_projection.explained" + at);
                    CHECK(explained[0] == Approx(expected.at(0)).margin(1e-6));
                    CHECK(explained[1] == Approx(expected.at(1)).margin(1e-6));
                    NdArray scores = golden.array("expert_projection.scores" + at);
                    checkSameProjection(quantity(published, roles[role]).values, scores, explained,
                                        1e-4);
                    CHECK(rowOf(quantity(published, "cluster").values, role) ==
                          golden.array("expert_projection.clusters_published" + at).toDoubles());
                    CHECK(rowOf(quantity(narrow, "cluster").values, role) ==
                          golden.array("expert_projection.clusters_narrow" + at).toDoubles());
                }
                CHECK(published.warnings.empty());
            }
        }
    }
}

TEST_CASE("ExpertProjection: the points are experts and F, never S", "[core][experiments]") {
    const auto labels = [](const session::Part& part) {
        return quantity(part, "up").axes[0].labels;
    };
    CHECK(labels(run(referenceWeights("mixtral", 0, "mistral-baseline"))).back() == "F");
    CHECK(labels(run(referenceWeights("deepseek", 1))).back() == "8");
    CHECK(labels(run(referenceWeights("deepseek-variant", 2))).back() == "4");
}

TEST_CASE("ExpertProjection: slabs of any size give the same points", "[core][experiments]") {
    const Scaling scaling = GENERATE(Scaling::Raw, Scaling::Standardised);
    const WeightData weights = randomWeights(8, 13, 11, true, 5);
    const session::Part whole = run(weights, {.projection = scaling});
    for (const int slab : {1, 3, 12}) {
        const session::Part parts = run(weights, {.projection = scaling}, slab);
        for (std::size_t i = 0; i < whole.quantities.size(); ++i) {
            checkClose(parts.quantities[i].values, whole.quantities[i].values, 1e-4);
        }
    }
}

TEST_CASE("ExpertProjection: the order of experts permutes the points, a common shift moves none",
          "[core][experiments]") {
    const WeightData weights = randomWeights(6, 5, 7, false, 8);
    WeightData changed = weights;
    for (auto& role : changed.matrices) {
        std::reverse(role.begin(), role.end());
        for (auto& matrix : role) {
            for (std::size_t i = 0; i < matrix.size(); ++i) {
                matrix[i] += static_cast<float>(i % 5);
            }
        }
    }
    const session::Part a = run(weights);
    const session::Part b = run(changed);
    for (const std::string role : {"gate", "up", "down"}) {
        const NdArray& x = quantity(a, role).values;
        const NdArray& y = quantity(b, role).values;
        for (std::uint64_t i = 0; i < 12; ++i) {
            CHECK(x.at(i) == Approx(y.at((5 - i / 2) * 2 + i % 2)).margin(1e-3));
        }
    }
}

TEST_CASE("ExpertProjection: the largest score of a component is positive, few points pad with 0",
          "[core][experiments]") {
    const session::Part part = run(randomWeights(9, 4, 6, false, 3));
    const NdArray& points = quantity(part, "down").values;
    for (std::uint64_t c = 0; c < 2; ++c) {
        double most = 0.0;
        for (std::uint64_t i = 0; i < 9; ++i) {
            const double value = points.at(i * 2 + c);
            most = std::abs(value) > std::abs(most) ? value : most;
        }
        CHECK(most > 0.0);
    }
    const session::Part one = run(randomWeights(1, 4, 6, false, 3));
    CHECK(quantity(one, "gate").values.toDoubles() == std::vector<double>{0.0, 0.0});
    CHECK(quantity(one, "explained").values.at(0) == 0.0);
    WeightData same = randomWeights(3, 4, 6, false, 3);
    same.matrices[0][1] = same.matrices[0][0];
    same.matrices[0][2] = same.matrices[0][0];
    CHECK(quantity(run(same), "gate").values.toDoubles() == std::vector<double>(6, 0.0));
}

TEST_CASE("ExpertProjection: NaN weights leave the role out and are named", "[core][experiments]") {
    WeightData weights = randomWeights(4, 3, 5, true, 3);
    weights.matrices[1][2][4] = std::numeric_limits<float>::infinity();
    const session::Part part = run(weights);
    CHECK(std::isnan(quantity(part, "up").values.at(0)));
    CHECK(std::isnan(quantity(part, "explained").values.at(2)));
    CHECK(quantity(part, "cluster").values.at(5) == -1.0);
    CHECK_FALSE(std::isnan(quantity(part, "gate").values.at(0)));
    REQUIRE(part.warnings.size() == 1);
    CHECK_THAT(part.warnings[0], Catch::Contains("up weights of 2"));
}
