// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/rope.h"

#include "core/base/error.h"
#include "tests/support/catch.h"

#include <cmath>
#include <numbers>

using namespace moescope;
using engine::ropeFrequencies;
using model::RopeScalingKind;
using model::RopeSpec;

namespace {

RopeSpec plainSpec(int dim, double theta) {
    RopeSpec spec;
    spec.rotaryDim = dim;
    spec.theta = theta;
    spec.maxPositions = 4096.0;
    return spec;
}

RopeSpec yarnSpec(double theta, double factor, double fast, double slow) {
    RopeSpec spec = plainSpec(64, theta);
    spec.scaling.kind = RopeScalingKind::Yarn;
    spec.scaling.factor = factor;
    spec.scaling.originalMaxPositions = 4096.0;
    spec.scaling.betaFast = fast;
    spec.scaling.betaSlow = slow;
    return spec;
}

}  // namespace

TEST_CASE("ropeFrequencies: plain frequencies fall from 1 as powers of theta", "[core][engine]") {
    const auto result = ropeFrequencies(plainSpec(8, 10000.0), 10);
    REQUIRE(result.inverse.size() == 4);
    CHECK(result.inverse[0] == Approx(1.0));
    CHECK(result.inverse[1] == Approx(0.1));
    CHECK(result.inverse[3] == Approx(0.001));
    CHECK(result.multiplier == 1.0);
}

TEST_CASE("ropeFrequencies: linear scaling divides", "[core][engine]") {
    RopeSpec spec = plainSpec(8, 10000.0);
    spec.scaling.kind = RopeScalingKind::Linear;
    spec.scaling.factor = 4.0;
    CHECK(ropeFrequencies(spec, 10).inverse[1] == Approx(0.025));
}

TEST_CASE("ropeFrequencies: dynamic scaling starts beyond the trained length", "[core][engine]") {
    RopeSpec spec = plainSpec(8, 10000.0);
    spec.scaling.kind = RopeScalingKind::Dynamic;
    spec.scaling.factor = 2.0;
    CHECK(ropeFrequencies(spec, 4096).inverse[1] == Approx(0.1));
    // theta * (2 * 2 - 1)^(8/6) at twice the trained length
    const double theta = 10000.0 * std::pow(3.0, 8.0 / 6.0);
    CHECK(ropeFrequencies(spec, 8192).inverse[2] == Approx(std::pow(theta, -0.5)));
}

TEST_CASE("ropeFrequencies: YaRN of gpt-oss, without truncation", "[core][engine]") {
    RopeSpec spec = yarnSpec(150000.0, 32.0, 32.0, 1.0);
    spec.scaling.truncate = false;
    const auto result = ropeFrequencies(spec, 10);
    CHECK(result.inverse[8] == Approx(0.0508133).epsilon(1e-5));
    CHECK(result.inverse[12] == Approx(0.00679496).epsilon(1e-5));
    CHECK(result.inverse[16] == Approx(0.000456484).epsilon(1e-5));
    CHECK(result.inverse[31] == Approx(3.02351e-7).epsilon(1e-5));
    CHECK(result.multiplier == Approx(1.3465736).epsilon(1e-7));
}

TEST_CASE("ropeFrequencies: YaRN of DeepSeek-V2 and V3", "[core][engine]") {
    RopeSpec spec = yarnSpec(10000.0, 40.0, 32.0, 1.0);
    spec.scaling.mscale = 1.0;
    spec.scaling.mscaleAllDim = 1.0;
    const auto result = ropeFrequencies(spec, 10);
    CHECK(result.inverse[12] == Approx(0.0268794).epsilon(1e-5));
    CHECK(result.inverse[16] == Approx(0.0055).epsilon(1e-5));
    CHECK(result.inverse[20] == Approx(7.905694e-4).epsilon(1e-5));
    CHECK(result.inverse[24] == Approx(2.5e-5).epsilon(1e-5));
    CHECK(result.multiplier == 1.0);
}

TEST_CASE("ropeFrequencies: YaRN of Kimi-K2, a ramp one step wide", "[core][engine]") {
    const RopeSpec spec = yarnSpec(50000.0, 32.0, 1.0, 1.0);
    const auto plain = ropeFrequencies(plainSpec(64, 50000.0), 10);
    const auto result = ropeFrequencies(spec, 10);
    CHECK(result.inverse[19] == Approx(plain.inverse[19]));
    CHECK(result.inverse[20] == Approx(plain.inverse[20] / 32.0));
}

TEST_CASE("ropeFrequencies: llama3 keeps short waves and divides long ones", "[core][engine]") {
    RopeSpec spec = plainSpec(128, 500000.0);
    spec.scaling.kind = RopeScalingKind::Llama3;
    spec.scaling.factor = 8.0;
    spec.scaling.originalMaxPositions = 8192.0;
    const auto plain = ropeFrequencies(plainSpec(128, 500000.0), 10);
    const auto result = ropeFrequencies(spec, 10);
    int kept = 0;
    int divided = 0;
    for (std::size_t j = 0; j < plain.inverse.size(); ++j) {
        const double wavelength = 2.0 * std::numbers::pi / plain.inverse[j];
        const double ratio = plain.inverse[j] / result.inverse[j];
        if (wavelength < 2048.0) {
            CHECK(ratio == 1.0);
            ++kept;
        } else if (wavelength > 8192.0) {
            CHECK(ratio == Approx(8.0));
            ++divided;
        } else {
            CHECK(ratio > 1.0);
            CHECK(ratio < 8.0);
        }
    }
    CHECK(kept > 20);
    CHECK(divided > 20);
    SECTION("equal low and high factors leave no middle branch to divide by zero") {
        spec.scaling.lowFreqFactor = 1.0;
        spec.scaling.highFreqFactor = 1.0;
        for (const double value : ropeFrequencies(spec, 10).inverse) {
            CHECK(std::isfinite(value));
        }
    }
}

TEST_CASE("ropeFrequencies: longrope chooses its factors by length", "[core][engine]") {
    RopeSpec spec = plainSpec(4, 10000.0);
    spec.maxPositions = 131072.0;
    spec.scaling.kind = RopeScalingKind::LongRope;
    spec.scaling.originalMaxPositions = 4096.0;
    spec.scaling.shortFactor = {1.0, 2.0};
    spec.scaling.longFactor = {4.0, 8.0};
    CHECK(ropeFrequencies(spec, 4096).inverse[1] == Approx(0.005));
    CHECK(ropeFrequencies(spec, 4097).inverse[0] == Approx(0.25));
    CHECK(ropeFrequencies(spec, 10).multiplier ==
          Approx(std::sqrt(1.0 + std::log(32.0) / std::log(4096.0))));
    spec.scaling.longFactor = {1.0};
    CHECK_THROWS_AS(ropeFrequencies(spec, 5000), Error);
}

TEST_CASE("ropeFrequencies: an odd rotary dimension is refused", "[core][engine]") {
    CHECK_THROWS_AS(ropeFrequencies(plainSpec(5, 10000.0), 1), Error);
}
