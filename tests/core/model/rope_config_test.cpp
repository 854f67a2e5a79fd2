// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/rope_config.h"

#include "tests/support/catch.h"
#include "tests/support/throws.h"

using namespace moescope;
using namespace moescope::model;
using tests::checkThrows;

namespace {

RopeSpec read(const std::string& json) {
    const Config config(json, "config.json");
    return readRope(config, {.headDim = 8, .theta = 10000.0, .maxPositions = 2048.0});
}

}  // namespace

TEST_CASE("RoPE config: defaults and plain theta", "[core][model]") {
    const auto plain = read("{}");
    CHECK(plain.theta == 10000.0);
    CHECK(plain.rotaryDim == 8);
    CHECK(plain.maxPositions == 2048.0);
    CHECK(plain.scaling.kind == RopeScalingKind::None);
    CHECK(read(R"({"rope_theta": 1000000, "rope_scaling": null})").theta == 1e6);
    CHECK(read(R"({"rope_scaling": {"type": "default"}})").scaling.kind == RopeScalingKind::None);
}

TEST_CASE("RoPE config: both spellings of every type", "[core][model]") {
    const auto linear = read(R"({"rope_scaling": {"type": "linear", "factor": 2.5}})");
    CHECK(linear.scaling.kind == RopeScalingKind::Linear);
    CHECK(linear.scaling.factor == 2.5);
    const auto dynamic = read(R"({"rope_scaling": {"rope_type": "dynamic", "factor": 2}})");
    CHECK(dynamic.scaling.kind == RopeScalingKind::Dynamic);
    CHECK(dynamic.scaling.originalMaxPositions == 2048.0);

    const auto llama3 = read(
        R"({"rope_parameters": {"rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0,
            "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}})");
    CHECK(llama3.scaling.kind == RopeScalingKind::Llama3);
    CHECK(llama3.theta == 500000.0);
    CHECK(llama3.scaling.originalMaxPositions == 8192.0);
    CHECK(llama3.scaling.highFreqFactor == 4.0);

    const auto yarn = read(
        R"({"rope_scaling": {"type": "yarn", "factor": 40, "original_max_position_embeddings": 4096,
            "beta_fast": 16, "beta_slow": 2, "mscale": 0.707, "mscale_all_dim": 0.5, "truncate": false}})");
    CHECK(yarn.scaling.kind == RopeScalingKind::Yarn);
    CHECK(yarn.scaling.betaFast == 16.0);
    CHECK(yarn.scaling.mscale == 0.707);
    CHECK(yarn.scaling.mscaleAllDim == 0.5);
    CHECK_FALSE(yarn.scaling.truncate);
    CHECK_FALSE(yarn.scaling.attentionFactor.has_value());

    const auto longrope = read(
        R"({"original_max_position_embeddings": 1024, "rope_scaling": {"type": "longrope",
            "short_factor": [1, 1, 1, 1], "long_factor": [1, 2, 3, 4]}})");
    CHECK(longrope.scaling.longFactor == std::vector<double>{1, 2, 3, 4});
    CHECK(longrope.scaling.originalMaxPositions == 1024.0);

    CHECK(read(R"({"rope_parameters": {"partial_rotary_factor": 0.5}})").rotaryDim == 4);
}

TEST_CASE("RoPE config: alpha raises theta for good", "[core][model]") {
    const Config config(R"({"rope_scaling": {"type": "dynamic", "alpha": 1000.0, "factor": 1.0,
        "beta_fast": 32, "beta_slow": 1, "mscale": 1.0, "mscale_all_dim": 1.0}})",
                        "config.json");
    const auto rope =
        readRope(config, {.headDim = 128, .rotatedShare = {}, .theta = 1e4, .maxPositions = 32768});
    CHECK(rope.theta == Approx(11158839.9));
    CHECK(rope.scaling.kind == RopeScalingKind::None);
}

TEST_CASE("RoPE config: a part of each head, where the family rotates a part", "[core][model]") {
    const auto dimensions = [](const std::string& json, std::optional<double> share) {
        const Config config(json, "config.json");
        return readRope(config, {.headDim = 16, .rotatedShare = share}).rotaryDim;
    };
    CHECK(dimensions("{}", 0.5) == 8);
    CHECK(dimensions(R"({"partial_rotary_factor": 0.25})", 0.5) == 4);
    CHECK(dimensions(R"({"rotary_dim": 12})", 1.0) == 12);
    CHECK(dimensions(R"({"partial_rotary_factor": 0.25})", std::nullopt) == 16);
    CHECK_THROWS_AS(dimensions(R"({"rotary_dim": 18})", 1.0), Error);
    CHECK_THROWS_AS(dimensions(R"({"partial_rotary_factor": 2})", 1.0), Error);
}

TEST_CASE("RoPE config: what is not understood is an error", "[core][model]") {
    const auto unsupported = [](const std::string& json, const std::string& word) {
        checkThrows([&] { (void)read(json); }, ErrorCode::Unsupported, {"config.json", word});
    };
    unsupported(R"({"rope_scaling": {"type": "spiral", "factor": 2}})", "spiral");
    unsupported(R"({"rope_scaling": {"type": "linear", "factor": 2, "beta_fast": 3}})",
                "beta_fast");
    unsupported(R"({"rope_parameters": {"full_attention": {"rope_theta": 1}}})", "full_attention");

    const auto bad = [](const std::string& json, const std::string& word) {
        checkThrows([&] { (void)read(json); }, ErrorCode::BadCheckpoint, {"config.json", word});
    };
    bad(R"({"rope_scaling": {"type": "linear"}})", "factor");
    bad(R"({"rope_scaling": {"type": "linear", "factor": 0}})", "factor");
    bad(R"({"rope_scaling": {"type": "linear", "factor": "2"}})", "factor");
    bad(R"({"rope_scaling": {"type": 3}})", "type");
    bad(R"({"rope_scaling": "linear"})", "rope_scaling");
    bad(R"({"rope_scaling": {"type": "llama3", "factor": 8}})", "low_freq_factor");
    bad(R"({"rope_scaling": {"type": "longrope", "short_factor": [1], "long_factor": [1, 1, 1, 1]}})",
        "short_factor");
    bad(R"({"rope_scaling": {"type": "longrope", "short_factor": [1, 1, 1, 1], "long_factor": [1, 1, 1, 0]}})",
        "long_factor");
    bad(R"({"rope_scaling": {"type": "linear", "factor": 2, "alpha": 1000}})", "alpha");
    bad(R"({"rope_scaling": {"type": "dynamic", "factor": 2, "alpha": -3}})", "alpha");
    bad(R"({"rope_theta": -1})", "rope_theta");
    bad(R"({"max_position_embeddings": 0})", "max_position_embeddings");
    bad(R"({"rope_parameters": {"partial_rotary_factor": 1.5}})", "partial_rotary_factor");
    bad(R"({"rope_parameters": {"partial_rotary_factor": 0.4}})", "even");
}
