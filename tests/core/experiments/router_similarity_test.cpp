// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/router_similarity.h"

#include "core/checkpoint/checkpoint.h"
#include "core/experiments/weight_similarity.h"
#include "core/numerics/correlation.h"
#include "tests/core/experiments/feed.h"
#include "tests/core/experiments/matrices.h"
#include "tests/support/catch.h"
#include "tests/support/paths.h"
#include "tests/support/reference_file.h"

#include <algorithm>
#include <limits>
#include <map>

using namespace moescope;
using namespace moescope::tests;
using experiments::WeightMeasure;

namespace {

constexpr double kMargin = 1e-5;

session::Part run(const WeightData& weights, WeightMeasure against = WeightMeasure::MeanNeuron,
                  int slab = 1000) {
    const auto probe = experiments::makeRouterSimilarity({.routerAgainst = against});
    return feed(*probe, weights, slab);
}

/// Layers that a run has stored.
class Stored final : public engine::PartSource {
public:
    std::map<int, session::Part> parts;
    [[nodiscard]] NdArray read(LayerId layer, std::string_view name) const override {
        return quantity(parts.at(layer.value), std::string(name)).values;
    }
    [[nodiscard]] std::vector<LayerId> layers() const override {
        std::vector<LayerId> ids;
        for (const auto& [layer, part] : parts) {
            ids.emplace_back(layer);
        }
        return ids;
    }
};

/// The entries below the diagonal.
std::vector<double> below(const NdArray& matrix) {
    const std::uint64_t n = matrix.shape()[0];
    std::vector<double> values;
    for (std::uint64_t i = 1; i < n; ++i) {
        for (std::uint64_t j = 0; j < i; ++j) {
            values.push_back(matrix.at(i * matrix.shape()[1] + j));
        }
    }
    return values;
}

}  // namespace

TEST_CASE("RouterSimilarity: golden values of the fixtures", "[core][experiments]") {
    const std::vector<std::string> roles{"gate", "up", "down"};
    for (const GoldenFixture& fixture : goldenFixtures()) {
        const ReferenceFile golden(referenceDir() / "experiments" /
                                   (fixture.name + ".safetensors"));
        Stored stored;
        for (const int layer : fixture.layers) {
            CAPTURE(fixture.name, layer);
            const WeightData weights = referenceWeights(fixture.name, layer, fixture.baseline);
            const session::Part part = run(weights, WeightMeasure::MeanNeuron, 5);
            const std::string at = std::to_string(layer);
            checkClose(quantity(part, "router").values,
                       golden.array("router_similarity.router." + at), kMargin);
            checkSimilarityMatrix(quantity(part, "router"));
            const NdArray& found = quantity(part, "regression").values;
            REQUIRE(found.shape() == Shape{3, 6});
            for (std::size_t role = 0; role < 3; ++role) {
                const NdArray expected =
                    golden.array("router_similarity.regression." + at + "." + roles[role]);
                for (std::uint64_t i = 0; i < 6; ++i) {
                    CAPTURE(roles[role], i);
                    CHECK(found.at(role * 6 + i) == Approx(expected.at(i)).margin(kMargin));
                }
            }
            CHECK(part.warnings.empty());
            stored.parts[layer] = part;
        }
        const model::ModelSpec spec;
        const auto probe = experiments::makeRouterSimilarity({});
        CHECK(probe->hasModelPart());
        // A look at the headers is not needed: the stored layers say all.
        const checkpoint::Checkpoint folder(referenceDir() / "models" / fixture.name);
        const text::TokenizedCorpus none;
        const auto whole = probe->finishModel({spec, folder, none}, stored);
        REQUIRE(whole);
        for (std::size_t role = 0; role < 3; ++role) {
            CHECK(quantity(*whole, "mean_r2").values.at(role) ==
                  Approx(golden.array("router_similarity.mean_r2." + roles[role]).at(0))
                      .margin(kMargin));
        }
    }
}

TEST_CASE("RouterSimilarity: against whole matrices the regression is on A1",
          "[core][experiments]") {
    const WeightData weights = randomWeights(6, 5, 8, true, 1);
    const session::Part part = run(weights, WeightMeasure::Matrix, 2);
    const auto a1 = experiments::makeWeightSimilarity({});
    const session::Part similarity = feed(*a1, weights, 100);
    const auto y = below(quantity(part, "router").values);
    const NdArray& found = quantity(part, "regression").values;
    for (const auto& [role, name] : {std::pair{0U, "gate"}, {1U, "up"}, {2U, "down"}}) {
        std::vector<double> x;
        const NdArray& matrix = quantity(similarity, name).values;
        for (std::uint64_t i = 1; i < 6; ++i) {
            for (std::uint64_t j = 0; j < i; ++j) {
                x.push_back(matrix.at(i * 7 + j));  // F is the seventh
            }
        }
        CHECK(found.at(role * 6 + 2) == Approx(numerics::pearson(x, y)).margin(1e-5));
    }
}

TEST_CASE("RouterSimilarity: slabs, scales and the order of experts do not change the fit",
          "[core][experiments]") {
    const WeightMeasure against = GENERATE(WeightMeasure::MeanNeuron, WeightMeasure::Matrix);
    const WeightData weights = randomWeights(7, 6, 9, false, 4);
    const NdArray whole = quantity(run(weights, against), "regression").values;
    // Whole matrices are summed in float32 over a slab (numerics/matrix_sums.h).
    const double margin = against == WeightMeasure::Matrix ? 1e-6 : 1e-9;
    checkClose(quantity(run(weights, against, 1), "regression").values, whole, margin);
    WeightData changed = weights;
    for (auto& role : changed.matrices) {
        std::reverse(role.begin(), role.end());
        for (float& value : role[2]) {
            value *= 4.0F;
        }
    }
    std::vector<float> router;
    for (int e = 6; e >= 0; --e) {
        router.insert(router.end(), weights.router.begin() + e * 9L,
                      weights.router.begin() + (e + 1) * 9L);
    }
    changed.router = router;
    checkClose(quantity(run(changed, against), "regression").values, whole, 1e-6);
}

TEST_CASE("RouterSimilarity: two experts have nothing to fit, NaN leaves a gap",
          "[core][experiments]") {
    const session::Part two = run(randomWeights(2, 4, 5, false, 2));
    CHECK(std::isnan(quantity(two, "regression").values.at(0)));
    WeightData broken = randomWeights(4, 4, 5, false, 3);
    broken.router[7] = std::numeric_limits<float>::quiet_NaN();
    const session::Part part = run(broken);
    CHECK(std::isnan(quantity(part, "router").values.at(1)));
    CHECK_FALSE(std::isnan(quantity(part, "router").values.at(2)));
    CHECK(std::isnan(quantity(part, "regression").values.at(3)));
    REQUIRE(part.warnings.size() == 1);
    CHECK_THAT(part.warnings[0], Catch::Contains("router rows of 1"));
    // Weights that are no numbers: the regression of their role is missing, and it is said.
    for (const WeightMeasure against : {WeightMeasure::MeanNeuron, WeightMeasure::Matrix}) {
        WeightData holed = randomWeights(4, 4, 5, false, 3);
        holed.matrices[1][2][3] = std::numeric_limits<float>::infinity();
        const session::Part gap = run(holed, against);
        CHECK_FALSE(std::isnan(quantity(gap, "regression").values.at(3)));
        CHECK(std::isnan(quantity(gap, "regression").values.at(6 + 3)));
        REQUIRE(gap.warnings.size() == 1);
        CHECK_THAT(gap.warnings[0],
                   Catch::Contains("up weights of 2") && Catch::Contains("regression"));
    }
}
