// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/kept_tokens.h"

#include "tests/support/catch.h"
#include "tests/support/throws.h"

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

/// A text of documents of these lengths.
text::TokenizedCorpus corpusOf(const std::vector<std::uint64_t>& documents) {
    text::TokenizedCorpus corpus;
    corpus.offsets = {0};
    for (const std::uint64_t length : documents) {
        corpus.offsets.push_back(corpus.offsets.back() + length);
    }
    corpus.ids.resize(corpus.offsets.back());
    return corpus;
}

}  // namespace

TEST_CASE("Kept tokens: a large text of a usual model is kept whole", "[core][experiments]") {
    const model::ModelSpec model = modelOf(28, 64, 1408);
    const TokenBytes bytes = normBytes({}, model);
    CHECK(bytes.perToken == 28 * 64 * 8);
    CHECK(keptTokens({}, bytes, 100'000, corpusOf({100'000})).size() == 100'000);
    CHECK_THAT(keptNote({}, bytes, 100'000, corpusOf({100'000})),
               Catch::StartsWith("norms and scores of all 100000 tokens are kept: 1.3 GiB"));
}

TEST_CASE("Kept tokens: a huge model keeps fewer, the first or spread", "[core][experiments]") {
    const model::ModelSpec model = modelOf(58, 256, 2048);
    const std::uint64_t total = 1'000'000;
    const text::TokenizedCorpus corpus = corpusOf({total});
    const std::uint64_t fit = (std::uint64_t{4} << 30U) / (58 * 256 * 8);
    const auto first = keptTokens({}, normBytes({}, model), total, corpus);
    REQUIRE(first.size() == fit);
    CHECK(first.back() == fit - 1);
    const ExperimentOptions spread{.keptTokens = KeptTokens::Spread};
    const auto even = keptTokens(spread, normBytes(spread, model), total, corpus);
    CHECK(even.size() == fit);
    CHECK(even.back() > total - 2 * total / fit);
    const std::string note = keptNote({}, normBytes({}, model), total, corpus);
    CHECK_THAT(note, Catch::Contains("of 36157 of the 1000000 tokens") &&
                         Catch::Contains("do not fit into 4.0 GiB (--kept-size)"));

    // B4: a token takes 116 MiB, so that all eight would take 928.
    const TokenBytes states = stateBytes({}, model);
    CHECK(states.perToken == std::uint64_t{58} * 256 * 2048 * 4);
    CHECK(keptTokens({}, states, 8, corpus).size() == 8);
    CHECK(keptTokens({}, states, 64, corpus).size() == 8);
    const ExperimentOptions little{.keptBytes = std::uint64_t{300} << 20U};
    CHECK(keptTokens(little, stateBytes(little, model), 8, corpus).size() == 2);
    const ExperimentOptions none{.keptBytes = 1};
    CHECK(keptTokens(none, stateBytes(none, model), 8, corpus).size() == 1);
    CHECK(keptTokens({}, mapBytes({}, model), 64, corpus).size() == 64);
}

TEST_CASE("Kept tokens: those that were named", "[core][experiments]") {
    using Indices = std::vector<std::uint64_t>;
    const model::ModelSpec model = modelOf(2, 8, 100);
    const text::TokenizedCorpus corpus = corpusOf({10, 5, 20, 1});
    const auto named = [](const char* tokens, const char* documents) {
        return ExperimentOptions{
            .keptTokens = KeptTokens::Listed, .keptList = tokens, .keptDocuments = documents};
    };
    const auto kept = [&](const ExperimentOptions& options, std::uint64_t wanted = kEveryListed) {
        return keptTokens(options, mapBytes(options, model), wanted, corpus);
    };
    CHECK(kept(named("3,7-9,34-", "")) == Indices{3, 7, 8, 9, 34, 35});
    CHECK(kept(named("", "1,3")) == Indices{10, 11, 12, 13, 14, 35});
    CHECK(kept(named("12-16", "1")) == Indices{10, 11, 12, 13, 14, 15, 16});
    CHECK(kept(named("12-16", "1"), 3) == Indices{10, 11, 12});
    CHECK_THAT(keptNote(named("3,7-9", ""), mapBytes({}, model), kEveryListed, corpus),
               Catch::Contains("of 4 of the 36 tokens are kept, those named"));
    ExperimentOptions little = named("0-9", "");
    little.keptBytes = 2 * mapBytes({}, model).perToken;
    CHECK(kept(little) == Indices{0, 1});
    CHECK_THAT(keptNote(little, mapBytes(little, model), kEveryListed, corpus),
               Catch::Contains("10 do not fit into"));
    tests::checkThrows([&] { static_cast<void>(kept(named("3,30-36", ""))); }, ErrorCode::Usage,
                       {"30-36", "0 to 35"});
    tests::checkThrows([&] { static_cast<void>(kept(named("", "4"))); }, ErrorCode::Usage,
                       {"Documents 4", "0 to 3"});
}
