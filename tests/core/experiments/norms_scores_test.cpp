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
    }
}

TEST_CASE("NormsScores: counts norms that are not finite", "[core][experiments]") {
    LayerData layer = randomLayer(4, 1, 3, 6, true, 1);
    layer.outputs[0] = std::numeric_limits<float>::quiet_NaN();
    const auto probe = experiments::makeNormsScores();
    const session::Part part = feed(*probe, layer, 4);
    REQUIRE(part.warnings.size() == 1);
    CHECK_THAT(part.warnings[0], Catch::StartsWith("1 output norms"));
}
