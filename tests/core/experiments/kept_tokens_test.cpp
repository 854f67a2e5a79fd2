// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/kept_tokens.h"

#include "tests/support/catch.h"

using namespace moescope;
using namespace moescope::experiments;

namespace {

model::ModelSpec modelOf(int layers, int experts, int neurons) {
    model::ModelSpec model;
    model.layers.resize(static_cast<std::size_t>(layers) + 1);  // the first is dense
    for (int i = 1; i <= layers; ++i) {
        model::MoeSpec moe;
        moe.experts = experts;
        moe.expert.intermediateSize = neurons;
        model.layers[static_cast<std::size_t>(i)].moe = moe;
    }
    return model;
}

}  // namespace

TEST_CASE("Kept tokens: a large text of a usual model is kept whole", "[core][experiments]") {
    const model::ModelSpec model = modelOf(28, 64, 1408);
    const TokenBytes bytes = normBytes({}, model);
    CHECK(bytes.perToken == 28 * 64 * 8);
    CHECK(keptTokens({}, bytes, 100'000, 100'000).size() == 100'000);
    CHECK_THAT(keptNote({}, bytes, 100'000, 100'000),
               Catch::StartsWith("norms and scores of all 100000 tokens are kept: 1.3 GiB"));
}

TEST_CASE("Kept tokens: a huge model keeps fewer, the first or spread", "[core][experiments]") {
    const model::ModelSpec model = modelOf(58, 256, 2048);
    const std::uint64_t total = 1'000'000;
    const std::uint64_t fit = (std::uint64_t{4} << 30U) / (58 * 256 * 8);
    const auto first = keptTokens({}, normBytes({}, model), total, total);
    REQUIRE(first.size() == fit);
    CHECK(first.back() == fit - 1);
    const ExperimentOptions spread{.keptTokens = KeptTokens::Spread};
    const auto even = keptTokens(spread, normBytes(spread, model), total, total);
    CHECK(even.size() == fit);
    CHECK(even.back() > total - 2 * total / fit);
    const std::string note = keptNote({}, normBytes({}, model), total, total);
    CHECK_THAT(note, Catch::Contains("of 36157 of the 1000000 tokens") &&
                         Catch::Contains("do not fit into 4.0 GiB (--kept-size)"));

    // B4: a token takes 116 MiB, so that all eight would take 928.
    const TokenBytes states = stateBytes({}, model);
    CHECK(states.perToken == std::uint64_t{58} * 256 * 2048 * 4);
    CHECK(keptTokens({}, states, 8, total).size() == 8);
    CHECK(keptTokens({}, states, 64, total).size() == 8);
    const ExperimentOptions little{.keptBytes = std::uint64_t{300} << 20U};
    CHECK(keptTokens(little, stateBytes(little, model), 8, total).size() == 2);
    const ExperimentOptions none{.keptBytes = 1};
    CHECK(keptTokens(none, stateBytes(none, model), 8, total).size() == 1);
    CHECK(keptTokens({}, mapBytes({}, model), 64, total).size() == 64);
}
