// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/matched_similarity.h"

#include "core/experiments/neuron_matching.h"
#include "core/experiments/roles.h"
#include "core/experiments/weight_similarity.h"
#include "core/numerics/similarity.h"
#include "tests/core/experiments/feed.h"
#include "tests/core/experiments/matrices.h"
#include "tests/support/catch.h"
#include "tests/support/paths.h"
#include "tests/support/reference_file.h"
#include "tests/support/throws.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <random>

using namespace moescope;
using namespace moescope::tests;
using experiments::ExperimentOptions;
using experiments::kRoles;
using experiments::Matching;
using experiments::RoleMatch;

namespace {

constexpr double kMargin = 1e-5;

session::Part run(const WeightData& weights, const ExperimentOptions& options = {}) {
    const auto probe = experiments::makeMatchedSimilarity(options);
    return feed(*probe, weights);
}

std::vector<RoleMatch> match(const WeightData& weights, int first, int second, bool joint,
                             std::uint64_t tile = 0) {
    const auto m = static_cast<std::uint64_t>(weights.columns.front().intermediateSize);
    return experiments::matchNeurons(
        {first, second, m, static_cast<std::uint64_t>(weights.hiddenSize), kRoles, tile}, joint,
        *neuronsOf(weights), [] {});
}

/// Neuron n of a column as numbers.
std::vector<float> neuron(const WeightData& weights, std::size_t role, int column, std::size_t n) {
    const auto d = static_cast<std::size_t>(weights.hiddenSize);
    const auto m = static_cast<std::size_t>(weights.columns.front().intermediateSize);
    const auto& matrix = weights.matrices[role][static_cast<std::size_t>(column)];
    std::vector<float> values(d);
    for (std::size_t i = 0; i < d; ++i) {
        values[i] = role == 2 ? matrix[i * m + n] : matrix[n * d + i];
    }
    return values;
}

/// Sum of the cosines of matched neurons.
template <typename Order>
double objective(const WeightData& weights, std::size_t role, int a, int b, const Order& order) {
    double sum = 0.0;
    for (std::size_t n = 0; n < order.size(); ++n) {
        sum += numerics::cosine(neuron(weights, role, a, n),
                                neuron(weights, role, b, static_cast<std::size_t>(order[n])));
    }
    return sum;
}

std::vector<float> permuted(const WeightData& weights, std::size_t role, int column,
                            const std::vector<std::size_t>& order) {
    const auto d = static_cast<std::size_t>(weights.hiddenSize);
    const std::size_t m = order.size();
    std::vector<float> matrix(m * d);
    for (std::size_t n = 0; n < m; ++n) {
        const auto values = neuron(weights, role, column, order[n]);
        for (std::size_t i = 0; i < d; ++i) {
            matrix[role == 2 ? i * m + n : n * d + i] = values[i];
        }
    }
    return matrix;
}

}  // namespace

TEST_CASE("MatchedSimilarity: golden values of the fixtures", "[core][experiments]") {
    for (const GoldenFixture& fixture : goldenFixtures()) {
        const ReferenceFile golden(referenceDir() / "experiments" /
                                   (fixture.name + ".safetensors"));
        for (const int layer : fixture.layers) {
            const WeightData weights = referenceWeights(fixture.name, layer, fixture.baseline);
            const session::Part separate = run(weights);
            const session::Part joint = run(weights, {.matching = Matching::Joint});
            for (const engine::Role role : kRoles) {
                const std::string name = experiments::roleName(role);
                CAPTURE(fixture.name, layer, name);
                const std::string at = "." + std::to_string(layer) + "." + name;
                const std::string jointAt = "." + name + "." + std::to_string(layer);
                // No two permutations of the fixtures are equally good.
                checkClose(quantity(separate, name).values,
                           golden.array("matched_similarity.similarity" + at), kMargin);
                checkClose(quantity(separate, name + "_tau").values,
                           golden.array("matched_similarity.kendall_tau" + at), kMargin);
                checkClose(quantity(joint, name).values,
                           golden.array("matched_similarity.joint.similarity" + jointAt), kMargin);
                checkClose(
                    quantity(joint, name + "_tau").values,
                    golden.array("matched_similarity.joint.kendall_tau." + std::to_string(layer)),
                    kMargin);
                checkSimilarityMatrix(quantity(separate, name));
                checkSimilarityMatrix(quantity(joint, name + "_tau"));
            }
        }
    }
}

TEST_CASE("MatchedSimilarity: the permutations are as good as SciPy's", "[core][experiments]") {
    const ReferenceFile golden(referenceDir() / "experiments/mixtral.safetensors");
    const WeightData weights = referenceWeights("mixtral", 1, "mistral-baseline");
    const auto m = static_cast<std::size_t>(weights.columns.front().intermediateSize);
    for (int i = 0; i < 8; ++i) {
        for (int j = i + 1; j < 8; ++j) {
            const auto matches = match(weights, i, j, false);
            for (std::size_t role = 0; role < 3; ++role) {
                const NdArray all = golden.array("matched_similarity.permutation.1." +
                                                 experiments::roleName(kRoles[role]));
                std::vector<std::size_t> order(m);
                for (std::size_t n = 0; n < m; ++n) {
                    order[n] = static_cast<std::size_t>(all.at(
                        (static_cast<std::size_t>(i) * 8 + static_cast<std::size_t>(j)) * m + n));
                }
                const double best = objective(weights, role, i, j, order);
                CHECK(objective(weights, role, i, j, matches[role].permutation) ==
                      Approx(best).epsilon(1e-6));
                CHECK(matches[role].meanCosine ==
                      Approx(best / static_cast<double>(m)).epsilon(1e-5));
            }
        }
    }
}

TEST_CASE("MatchedSimilarity: growth is over A1", "[core][experiments]") {
    const WeightData weights = randomWeights(4, 9, 12, true, 3);
    const auto probe = experiments::makeWeightSimilarity({});
    const session::Part plain = feed(*probe, weights, 100);
    const Matching matching = GENERATE(Matching::Separate, Matching::Joint);
    const session::Part part = run(weights, {.matching = matching});
    for (const std::string name : {"gate", "up", "down"}) {
        const NdArray& matched = quantity(part, name).values;
        for (std::uint64_t i = 0; i < matched.size(); ++i) {
            CHECK(quantity(part, name + "_growth").values.at(i) ==
                  Approx(matched.at(i) - quantity(plain, name).values.at(i)).margin(1e-6));
        }
    }
}

TEST_CASE("matchNeurons: tiles of any size give the same", "[core][experiments]") {
    const bool joint = GENERATE(false, true);
    const WeightData weights = randomWeights(2, 23, 10, false, 6);
    const auto whole = match(weights, 0, 1, joint);
    for (const std::uint64_t tile : {1U, 5U, 22U, 100U}) {
        const auto tiled = match(weights, 0, 1, joint, tile);
        for (std::size_t role = 0; role < 3; ++role) {
            CHECK(tiled[role].permutation == whole[role].permutation);
            CHECK(tiled[role].similarity == Approx(whole[role].similarity).margin(1e-6));
            CHECK(tiled[role].plain == Approx(whole[role].plain).margin(1e-6));
            CHECK(tiled[role].tau == whole[role].tau);
        }
    }
}

TEST_CASE("matchNeurons: finds a hidden order again", "[core][experiments]") {
    WeightData weights = randomWeights(2, 40, 16, false, 9);
    std::vector<std::size_t> order(40);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::shuffle(order.begin(), order.end(), std::mt19937(4));
    for (std::size_t role = 0; role < 3; ++role) {
        weights.matrices[role][1] = permuted(weights, role, 0, order);
        for (float& value : weights.matrices[role][1]) {
            value *= 3.0F;
        }
    }
    const bool joint = GENERATE(false, true);
    for (const RoleMatch& found : match(weights, 0, 1, joint)) {
        CHECK(found.similarity == Approx(1.0).margin(1e-6));
        CHECK(found.meanCosine == Approx(1.0).margin(1e-6));
        CHECK(found.plain < 0.5);
        for (std::size_t n = 0; n < 40; ++n) {
            CHECK(order[found.permutation[n]] == n);
        }
    }
}

TEST_CASE("MatchedSimilarity: exchanging experts permutes the maps, scaling changes nothing",
          "[core][experiments]") {
    const WeightData weights = randomWeights(5, 12, 8, false, 12);
    WeightData changed = weights;
    for (auto& role : changed.matrices) {
        std::reverse(role.begin(), role.end());
        for (float& value : role[1]) {
            value *= 0.25F;
        }
    }
    const session::Part a = run(weights);
    const session::Part b = run(changed);
    for (const std::string name : {"gate", "up_tau", "down_neurons", "gate_growth"}) {
        for (std::uint64_t i = 0; i < 25; ++i) {
            CHECK(quantity(a, name).values.at(i) ==
                  Approx(quantity(b, name).values.at((4 - i / 5) * 5 + 4 - i % 5)).margin(1e-6));
        }
    }
}

TEST_CASE("MatchedSimilarity: only the roles and pairs asked for", "[core][experiments]") {
    const WeightData weights = randomWeights(3, 6, 5, true, 2);
    const session::Part part =
        run(weights, {.matchRoles = {"up"}, .matchPairs = {{"F", "0"}, {"1", "2"}}});
    CHECK_THROWS_AS(quantity(part, "gate"), std::out_of_range);
    const NdArray& up = quantity(part, "up").values;
    for (std::uint64_t i = 0; i < 4; ++i) {
        for (std::uint64_t j = 0; j < 4; ++j) {
            const bool wanted = i == j || i + j == 3;  // 0 with F, 1 with 2
            CHECK(std::isnan(up.at(i * 4 + j)) != wanted);
        }
    }
    checkThrows(
        [&] {
            run(weights, {.matchPairs = {{"0", "9"}}});
        },
        ErrorCode::Usage, {"0:9", "0, 1, 2, F"});
}

TEST_CASE("MatchedSimilarity: S is matched only where it is as wide", "[core][experiments]") {
    const auto labels = [](const session::Part& part) {
        return quantity(part, "gate").axes[0].labels;
    };
    CHECK(labels(run(referenceWeights("deepseek", 1))).back() == "8");
    CHECK(labels(run(referenceWeights("deepseek-variant", 2))).back() == "S");
}

TEST_CASE("MatchedSimilarity: NaN weights leave gaps, zero neurons do not", "[core][experiments]") {
    WeightData weights = randomWeights(3, 6, 5, false, 2);
    weights.matrices[0][1][3] = std::numeric_limits<float>::quiet_NaN();
    std::fill_n(weights.matrices[1][2].begin(), 5, 0.0F);
    const session::Part part = run(weights);
    CHECK(std::isnan(quantity(part, "gate").values.at(1)));
    CHECK(std::isnan(quantity(part, "gate_tau").values.at(5)));
    CHECK_FALSE(std::isnan(quantity(part, "gate").values.at(2)));
    CHECK_FALSE(std::isnan(quantity(part, "up").values.at(5)));
    const session::Part joint = run(weights, {.matching = Matching::Joint});
    CHECK(std::isnan(quantity(joint, "up").values.at(1)));
}

TEST_CASE("MatchedSimilarity: random matrices match above 0, and as the baseline says",
          "[core][experiments]") {
    const Matching matching = GENERATE(Matching::Separate, Matching::Joint);
    const session::Part part = run(randomWeights(6, 40, 30, false, 21), {.matching = matching});
    const double random = quantity(part, "random").values.at(0);
    double mean = 0.0;
    for (std::uint64_t i = 1; i < 36; ++i) {
        mean += i % 7 == 0 ? 0.0 : quantity(part, "gate").values.at(i) / 30.0;
    }
    CHECK(random > 0.1);
    CHECK(mean == Approx(random).margin(0.05));
    const experiments::GaussianNeurons gaussian(30);
    CHECK(run(randomWeights(2, 40, 30, false, 5), {.matching = matching})
              .quantities.back()
              .values.at(0) == random);
}
