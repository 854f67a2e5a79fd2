// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/neuron_projection.h"

#include "tests/core/experiments/feed.h"
#include "tests/core/experiments/matrices.h"
#include "tests/core/experiments/projections.h"
#include "tests/support/catch.h"
#include "tests/support/paths.h"
#include "tests/support/reference_file.h"

#include <limits>

using namespace moescope;
using namespace moescope::tests;
using experiments::Scaling;

namespace {

session::Part run(const WeightData& weights, Scaling scaling = Scaling::Standardised) {
    const auto probe = experiments::makeNeuronProjection({.projection = scaling});
    return feed(*probe, weights);
}

}  // namespace

TEST_CASE("NeuronProjection: golden values of the fixtures", "[core][experiments]") {
    for (const GoldenFixture& fixture : goldenFixtures()) {
        const ReferenceFile golden(referenceDir() / "experiments" /
                                   (fixture.name + ".safetensors"));
        const int layer = fixture.layers.front();
        const WeightData weights = referenceWeights(fixture.name, layer, fixture.baseline);
        for (const auto& [kind, scaling] :
             {std::pair{"raw", Scaling::Raw}, {"standardised", Scaling::Standardised}}) {
            const session::Part part = run(weights, scaling);
            std::uint64_t role = 0;
            for (const std::string name : {"gate", "up", "down"}) {
                CAPTURE(fixture.name, kind, name);
                const std::string at =
                    std::string(".") + kind + "." + std::to_string(layer) + "." + name;
                const NdArray expected = golden.array("neuron_projection.explained" + at);
                for (std::uint64_t c = 0; c < 3; ++c) {
                    CHECK(quantity(part, "explained").values.at(role * 3 + c) ==
                          Approx(expected.at(c)).margin(1e-6));
                }
                checkSameProjection(quantity(part, name).values,
                                    golden.array("neuron_projection.scores" + at),
                                    expected.toDoubles(), 1e-4);
                const NdArray owner =
                    golden.array("neuron_projection.owner." + std::to_string(layer) + "." + name);
                std::uint64_t neuron = 0;
                const NdArray& counts = quantity(part, "neurons").values;
                for (std::uint64_t column = 0; column < counts.size(); ++column) {
                    for (double left = counts.at(column); left > 0.0; --left) {
                        CHECK(owner.at(neuron++) == static_cast<double>(column));
                    }
                }
                CHECK(neuron == owner.size());
                ++role;
            }
        }
    }
}

TEST_CASE("NeuronProjection: F and S of any width are among the points", "[core][experiments]") {
    const session::Part part = run(referenceWeights("deepseek", 1));
    const auto& neurons = quantity(part, "neurons");
    CHECK(neurons.axes[0].labels.back() == "S");
    CHECK(neurons.values.at(9) == 2 * neurons.values.at(0));
    const session::Part mixtral = run(referenceWeights("mixtral", 0, "mistral-baseline"));
    CHECK(quantity(mixtral, "neurons").axes[0].labels.back() == "F");
}

TEST_CASE("NeuronProjection: many tiles, and columns far from zero", "[core][experiments]") {
    // More neurons than a tile holds; a shift common to all neurons must move no point.
    const WeightData weights = randomWeights(2, 3000, 6, false, 7);
    WeightData shifted = weights;
    for (std::size_t role = 0; role < 2; ++role) {
        for (auto& matrix : shifted.matrices[role]) {
            for (std::size_t i = 0; i < matrix.size(); ++i) {
                matrix[i] += static_cast<float>(16 * (i % 6));
            }
        }
    }
    const Scaling scaling = GENERATE(Scaling::Raw, Scaling::Standardised);
    const session::Part a = run(weights, scaling);
    const session::Part b = run(shifted, scaling);
    std::vector<double> explained = quantity(a, "explained").values.toDoubles();
    explained.resize(3);
    checkSameProjection(quantity(b, "gate").values, quantity(a, "gate").values, explained, 1e-3);
    double variance = 0.0;
    for (std::uint64_t i = 0; i < 6000; ++i) {
        variance += std::pow(quantity(a, "gate").values.at(i * 3), 2.0) / 5999.0;
    }
    CHECK(variance / 6.0 == Approx(explained[0]).epsilon(scaling == Scaling::Raw ? 0.1 : 1e-3));
}

TEST_CASE("NeuronProjection: constant columns and too few dimensions", "[core][experiments]") {
    WeightData weights = randomWeights(3, 5, 2, false, 1);
    for (auto& matrix : weights.matrices[0]) {
        for (std::size_t i = 0; i < matrix.size(); i += 2) {
            matrix[i] = 0.3F;
        }
    }
    const session::Part part = run(weights);
    const NdArray& gate = quantity(part, "gate").values;
    REQUIRE(gate.shape() == Shape{15, 3});
    CHECK(quantity(part, "explained").values.at(0) == Approx(1.0));
    for (std::uint64_t i = 0; i < 15; ++i) {
        CHECK(std::abs(gate.at(i * 3 + 1)) < 1e-5);
        CHECK(gate.at(i * 3 + 2) == 0.0);
    }
}

TEST_CASE("NeuronProjection: NaN weights leave the role out", "[core][experiments]") {
    WeightData weights = randomWeights(3, 5, 4, false, 1);
    weights.matrices[2][1][3] = std::numeric_limits<float>::quiet_NaN();
    const session::Part part = run(weights);
    CHECK(std::isnan(quantity(part, "down").values.at(0)));
    CHECK(std::isnan(quantity(part, "explained").values.at(6)));
    CHECK_FALSE(std::isnan(quantity(part, "up").values.at(0)));
}
