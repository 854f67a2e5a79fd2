// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/norms_scores.h"

#include "tests/core/experiments/feed.h"
#include "tests/core/experiments/matrices.h"
#include "tests/support/catch.h"
#include "tests/support/paths.h"
#include "tests/support/reference_file.h"

#include <limits>

using namespace moescope;
using namespace moescope::tests;

TEST_CASE("NormsScores: keeps the fixture's norms and scores for any block size",
          "[core][experiments]") {
    const ReferenceFile golden(referenceDir() / "models/mixtral/expected.safetensors");
    for (const std::size_t block : {1U, 8U, 1000U}) {
        const auto probe = experiments::makeNormsScores();
        const session::Part part =
            feed(*probe, referenceLayer("mixtral", 1, "mistral-baseline"), block);
        checkClose(quantity(part, "norm").values, golden.array("layers.1.expert_output_norms"),
                   1e-6);
        CHECK(quantity(part, "score").values == golden.array("layers.1.scores"));
        CHECK(quantity(part, "norm").axes[0].name == "token");
        CHECK(part.tokens == 30);
        CHECK(part.warnings.empty());
        for (const auto& [name, rows] : {std::pair("mean_norm", "layers.1.expert_output_norms"),
                                         std::pair("mean_score", "layers.1.scores")}) {
            const NdArray& means = quantity(part, name).values;
            const NdArray values = golden.array(rows);
            REQUIRE(means.shape() == Shape{values.shape().back()});
            for (std::uint64_t e = 0; e < means.size(); ++e) {
                double sum = 0.0;
                for (std::uint64_t t = 0; t < 30; ++t) {
                    sum += values.at(t * means.size() + e);
                }
                CHECK(means.at(e) == Approx(sum / 30.0).epsilon(1e-6));
            }
        }
    }
}

TEST_CASE("NormsScores: keeps rows of some tokens when all do not fit", "[core][experiments]") {
    using experiments::KeptTokens;
    const LayerData layer = randomLayer(4, 1, 3, 20, true, 1);
    const session::Part all = feed(*experiments::makeNormsScores(), layer, 1000);
    for (const auto which : {KeptTokens::First, KeptTokens::Spread}) {
        for (const std::size_t block : {1U, 3U, 1000U}) {
            // A token takes 4 experts x 2 numbers x 4 bytes: 5 of them fit, and one more does not.
            const auto probe =
                experiments::makeNormsScores({.keptBytes = 5 * 32 + 31, .keptTokens = which});
            const session::Part part = feed(*probe, layer, block);
            CHECK(part.tokens == 5);
            // Of all tokens, also those that have no row.
            CHECK(quantity(part, "mean_norm").values == quantity(all, "mean_norm").values);
            CHECK(quantity(part, "mean_score").values == quantity(all, "mean_score").values);
            const NdArray& kept = quantity(part, "kept_tokens").values;
            REQUIRE(kept.size() == 5);
            for (const char* name : {"norm", "score"}) {
                const session::Quantity& rows = quantity(part, name);
                CHECK(rows.axes[0].name == "kept_token");
                REQUIRE(rows.values.shape() == Shape{5, 4});
                for (std::uint64_t i = 0; i < 5; ++i) {
                    const auto token = static_cast<std::uint64_t>(kept.at(i));
                    CHECK(token == (which == KeptTokens::First ? i : 4 * i));
                    for (std::uint64_t e = 0; e < 4; ++e) {
                        CHECK(rows.values.at(4 * i + e) ==
                              quantity(all, name).values.at(4 * token + e));
                    }
                }
            }
        }
    }
    const session::Part one = feed(*experiments::makeNormsScores({.keptBytes = 1}), layer, 7);
    CHECK(one.tokens == 1);
}

TEST_CASE("NormsScores: counts norms that are not finite", "[core][experiments]") {
    LayerData layer = randomLayer(4, 1, 3, 6, true, 1);
    layer.outputs[0] = std::numeric_limits<float>::quiet_NaN();
    const auto probe = experiments::makeNormsScores();
    const session::Part part = feed(*probe, layer, 4);
    REQUIRE(part.warnings.size() == 1);
    CHECK_THAT(part.warnings[0], Catch::StartsWith("1 output norms"));
}
