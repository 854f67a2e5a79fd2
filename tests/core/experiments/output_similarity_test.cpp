// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/output_similarity.h"

#include "core/numerics/similarity.h"
#include "tests/core/experiments/feed.h"
#include "tests/core/experiments/matrices.h"
#include "tests/support/catch.h"
#include "tests/support/paths.h"
#include "tests/support/reference_file.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

using namespace moescope;
using namespace moescope::tests;
using experiments::ExperimentOptions;

namespace {

session::Part run(const LayerData& layer, const ExperimentOptions& options = {},
                  std::size_t block = 7) {
    const auto probe = experiments::makeOutputSimilarity(options);
    return feed(*probe, layer, block);
}

std::vector<float> vectorOf(const LayerData& layer, std::size_t column, std::size_t token) {
    const float* begin = layer.output(column, token);
    return {begin, begin + layer.hiddenSize};
}

/// Mean angular similarity of two columns over the tokens, as the definition says.
double slowMean(const LayerData& layer, std::size_t a, std::size_t b, bool skipFirst) {
    double sum = 0.0;
    double count = 0.0;
    for (std::size_t t = 0; t < layer.tokens(); ++t) {
        const auto& offsets = layer.corpus.offsets;
        if (skipFirst && std::find(offsets.begin(), offsets.end(), t) != offsets.end()) {
            continue;
        }
        const double cosine = numerics::cosine(vectorOf(layer, a, t), vectorOf(layer, b, t));
        sum += a == b ? 1.0 : numerics::angularSimilarity(cosine);
        count += 1.0;
    }
    return sum / count;
}

void checkFixture(const std::string& fixture, int layer, const std::string& baseline) {
    CAPTURE(fixture, layer);
    const ReferenceFile golden(referenceDir() / "experiments" / (fixture + ".safetensors"));
    const LayerData data = referenceLayer(fixture, layer, baseline);
    const session::Part part = run(data);
    const std::string at = "." + std::to_string(layer);
    checkClose(quantity(part, "mean_angular").values,
               golden.array("output_similarity.angular" + at), 1e-5);
    checkClose(quantity(part, "token_cosine").values, golden.array("output_similarity.cosine" + at),
               1e-5);
    // The golden relative matrix has all columns; the experts come first.
    const NdArray all = golden.array("output_similarity.relative.angular" + at);
    const NdArray& relative = quantity(part, "mean_angular_relative").values;
    const std::uint64_t experts = relative.shape()[0];
    for (std::uint64_t i = 0; i < relative.size(); ++i) {
        CHECK(relative.at(i) ==
              Approx(all.at(i / experts * all.shape()[0] + i % experts)).margin(1e-5));
    }
    checkSimilarityMatrix(quantity(part, "mean_angular"));
    checkSimilarityMatrix(quantity(part, "mean_angular_relative"));
    CHECK(part.tokens == data.tokens());
}

}  // namespace

TEST_CASE("OutputSimilarity: golden values of the fixtures", "[core][experiments]") {
    for (const int layer : {0, 1, 2}) {
        checkFixture("mixtral", layer, "mistral-baseline");
    }
    checkFixture("deepseek", 2, "");
    checkFixture("deepseek-variant", 2, "");
}

TEST_CASE("OutputSimilarity: equals the definition, with and without first tokens",
          "[core][experiments]") {
    const LayerData layer = randomLayer(5, 2, 11, 40, true, 1);
    for (const bool skip : {false, true}) {
        const session::Part part = run(layer, {.skipFirstToken = skip});
        CHECK(part.tokens == (skip ? 38U : 40U));
        const NdArray& mean = quantity(part, "mean_angular").values;
        for (std::size_t i = 0; i < 36; ++i) {
            CHECK(mean.at(i) == Approx(slowMean(layer, i / 6, i % 6, skip)).margin(1e-6));
        }
    }
}

TEST_CASE("OutputSimilarity: blocks of any size give the same numbers", "[core][experiments]") {
    // Wide enough that a block is worked through in several chunks.
    const LayerData layer = randomLayer(8, 2, 4000, 70, false, 2);
    const session::Part whole = run(layer, {}, 1000);
    for (const std::size_t block : {1U, 13U}) {
        const session::Part parts = run(layer, {}, block);
        for (std::size_t i = 0; i < whole.quantities.size(); ++i) {
            checkClose(parts.quantities[i].values, whole.quantities[i].values, 1e-7);
        }
    }
}

TEST_CASE("OutputSimilarity: by LibTorch's operations, as on a device, the same numbers",
          "[core][experiments]") {
    for (const bool skip : {false, true}) {
        LayerData layer = randomLayer(8, 2, 4000, 70, true, 9);
        const auto at = [&](std::size_t column, std::size_t token) {
            return layer.outputs.begin() +
                   static_cast<std::ptrdiff_t>((column * layer.tokens() + token) * 4000);
        };
        std::fill_n(at(2, 7), 4000, 0.0F);
        std::copy_n(at(1, 9), 4000, at(3, 9));
        std::transform(at(1, 11), at(1, 11) + 4000, at(4, 11), std::negate<>());
        for (std::size_t expert = 1; expert < 8; ++expert) {  // nothing but their mean is left
            std::copy_n(at(0, 13), 4000, at(expert, 13));
        }
        const ExperimentOptions options{.skipFirstToken = skip, .keptTokenCount = 70};
        const session::Part ours = run(layer, options, 33);
        layer.wideOutputs = true;
        const session::Part theirs = run(layer, options, 33);
        REQUIRE(ours.quantities.size() == theirs.quantities.size());
        for (std::size_t i = 0; i < ours.quantities.size(); ++i) {
            checkClose(ours.quantities[i].values, theirs.quantities[i].values, 1e-7);
        }
        // What is not finite spreads to the same means and is counted alike.
        *at(5, 20) = std::numeric_limits<float>::infinity();
        *at(0, 30) = std::numeric_limits<float>::quiet_NaN();
        const session::Part broken = run(layer, options, 33);
        layer.wideOutputs = false;
        const session::Part plain = run(layer, options, 33);
        CHECK(broken.warnings == plain.warnings);
        const NdArray& a = quantity(broken, "mean_angular").values;
        const NdArray& b = quantity(plain, "mean_angular").values;
        for (std::size_t i = 0; i < a.size(); ++i) {
            CHECK(std::isnan(a.at(i)) == std::isnan(b.at(i)));
        }
    }
}

TEST_CASE("OutputSimilarity: maps of the kept tokens", "[core][experiments]") {
    const LayerData layer = randomLayer(3, 1, 5, 10, false, 3);
    const session::Part spread =
        run(layer, {.keptTokenCount = 4, .keptTokens = experiments::KeptTokens::Spread}, 3);
    const NdArray& maps = quantity(spread, "token_cosine").values;
    CHECK(maps.shape() == Shape{4, 3, 3});
    const std::vector<std::size_t> kept{0, 2, 5, 7};
    for (std::size_t i = 0; i < maps.size(); ++i) {
        const std::size_t token = kept[i / 9];
        const double slow =
            numerics::cosine(vectorOf(layer, i % 9 / 3, token), vectorOf(layer, i % 3, token));
        CHECK(maps.at(i) == Approx(slow).margin(1e-6));
    }
    CHECK(run(layer, {.keptTokenCount = 0}).quantities.size() == 2);
    CHECK(quantity(run(layer, {.keptTokenCount = 99}), "token_cosine").values.shape()[0] == 10);
}

TEST_CASE("OutputSimilarity: maps of named tokens are those of a run that keeps all",
          "[core][experiments]") {
    const LayerData layer = randomLayer(4, 1, 5, 40, true, 5);  // documents of 1 and 39 tokens
    const session::Part all = run(layer, {.keptTokenCount = 40}, 7);
    const session::Part some = run(layer,
                                   {.keptTokenCount = experiments::kEveryListed,
                                    .keptTokens = experiments::KeptTokens::Listed,
                                    .keptList = "3,17-19,38-",
                                    .keptDocuments = "0"},
                                   6);
    const std::vector<std::uint64_t> tokens{0, 3, 17, 18, 19, 38, 39};
    const NdArray& kept = quantity(some, "token_cosine").values;
    const NdArray& every = quantity(all, "token_cosine").values;
    const std::uint64_t map = every.shape()[1] * every.shape()[2];
    REQUIRE(kept.size() == tokens.size() * map);
    for (std::uint64_t i = 0; i < kept.size(); ++i) {
        CHECK(kept.at(i) == every.at(tokens[i / map] * map + i % map));
    }
    CHECK(quantity(some, "mean_angular").values == quantity(all, "mean_angular").values);
}

TEST_CASE("OutputSimilarity: NaN outputs give gaps and a warning, zero outputs do not",
          "[core][experiments]") {
    LayerData layer = randomLayer(4, 1, 6, 9, false, 4);
    std::fill_n(layer.outputs.begin(), 6, 0.0F);  // expert 0, token 0
    CHECK(run(layer).warnings.empty());
    CHECK(std::isfinite(quantity(run(layer), "mean_angular").values.at(1)));
    layer.outputs[2 * 9 * 6 + 3] = std::numeric_limits<float>::quiet_NaN();  // expert 2
    const session::Part part = run(layer);
    const NdArray& mean = quantity(part, "mean_angular").values;
    for (std::size_t i = 0; i < 16; ++i) {
        CHECK(std::isnan(mean.at(i)) == (i / 4 == 2 || i % 4 == 2));
    }
    REQUIRE(part.warnings.size() == 1);
    CHECK_THAT(part.warnings[0], Catch::Contains("of 1 tokens"));
}

TEST_CASE("OutputSimilarity: names the kept tokens once for the whole model",
          "[core][experiments]") {
    const auto probe = experiments::makeOutputSimilarity({.keptTokenCount = 2});
    CHECK(probe->hasModelPart());
    CHECK_FALSE(experiments::makeOutputSimilarity({.keptTokenCount = 0})->hasModelPart());
}
