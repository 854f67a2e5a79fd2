// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
// Figures of selected tokens: B1, B2, B3 and B5 computed anew from what a session keeps.
#include "core/base/error.h"
#include "core/figures/builder.h"
#include "tests/core/figures/made_source.h"
#include "tests/support/catch.h"
#include "tests/support/paths.h"
#include "tests/support/reference_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <random>

using namespace moescope;
using namespace moescope::figures;
using tests::MadeSession;
using tests::MadeSource;

namespace {

FigureRequest request(const char* figure, std::optional<LayerId> layer,
                      std::optional<TokenSelection> tokens = {}) {
    FigureRequest wanted;
    wanted.figure = figure;
    wanted.layer = layer;
    wanted.tokens = std::move(tokens);
    wanted.mean = findFigure(figure)->hasMean;
    return wanted;
}

std::vector<std::uint64_t> countsOf(const FigureBuilder& builder, std::optional<LayerId> layer,
                                    std::optional<TokenSelection> tokens = {}) {
    const Figure figure = builder.build(request("rank-counts", layer, std::move(tokens)));
    return std::get<GroupedBarsFigure>(figure.body).panels.at(0).counts;
}

PairedBarsPanel meanOf(const FigureBuilder& builder, std::optional<TokenSelection> tokens = {}) {
    const Figure figure = builder.build(request("norms-scores", LayerId{1}, std::move(tokens)));
    return std::get<PairedBarsFigure>(figure.body).panels.at(0);
}

std::vector<float> mapOf(const FigureBuilder& builder, LayerId layer,
                         std::optional<TokenSelection> tokens = {}) {
    const Figure figure = builder.build(request("output-similarity", layer, std::move(tokens)));
    return std::get<HeatMapFigure>(figure.body).panels.at(0).matrix.values;
}

TokenSelection some(std::vector<TokenRange> ranges) {
    return TokenSelection(std::move(ranges));
}

/// The text cut into ranges that are given to the shards by chance.
std::vector<TokenSelection> shardsOf(std::uint64_t tokens, std::uint32_t seed) {
    std::mt19937 random(seed);
    std::uniform_int_distribution<std::uint64_t> length(1, std::max<std::uint64_t>(tokens / 4, 1));
    std::vector<std::vector<TokenRange>> shards(3);
    for (std::uint64_t first = 0; first < tokens;) {
        const std::uint64_t count = std::min(length(random), tokens - first);
        shards[random() % shards.size()].push_back({first, count});
        first += count;
    }
    std::vector<TokenSelection> selections;
    for (auto& ranges : shards) {
        if (!ranges.empty()) {
            selections.push_back(some(std::move(ranges)));
        }
    }
    return selections;
}

std::string messageOf(const FigureBuilder& builder, const FigureRequest& wanted) {
    try {
        (void)builder.build(wanted);
    } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::Usage);
        return error.what();
    }
    return {};
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("Selection: all tokens give what no selection gives, exactly", "[core][figures]") {
    const std::uint64_t tokens = 70'000;  // more than two slices of 32,768 rows
    const auto source = std::make_shared<MadeSource>(MadeSession{.layers = 3, .tokens = tokens});
    const FigureBuilder builder(source);
    const TokenSelection all = TokenRange{0, tokens};
    for (const auto layer :
         {std::optional(LayerId{1}), std::optional(LayerId{2}), std::optional<LayerId>()}) {
        CHECK(countsOf(builder, layer, all) == countsOf(builder, layer));
    }
    const PairedBarsPanel selected = meanOf(builder, all);
    CHECK(selected.norms == meanOf(builder).norms);
    CHECK(selected.scores == meanOf(builder).scores);
    CHECK(selected.tokens == tokens);
    CHECK(mapOf(builder, LayerId{1}, all) == mapOf(builder, LayerId{1}));
    const Figure chosen = builder.build(request("chosen-experts", LayerId{1}, all));
    const auto& rows = *std::get<RoutingMapFigure>(chosen.body).routing;
    CHECK(rows.ids == builder.routing(LayerId{1})->ids);
    CHECK(rows.weights == builder.routing(LayerId{1})->weights);
    CHECK(chosen.provenance.selection.empty());
}

TEST_CASE("Selection: shards merge into the whole", "[core][figures]") {
    const std::uint64_t tokens = GENERATE(37U, 70'000U);
    const FigureBuilder builder(
        std::make_shared<MadeSource>(MadeSession{.layers = 3, .tokens = tokens}));
    for (std::uint32_t seed = 0; seed < 8; ++seed) {
        INFO("seed " << seed);
        std::vector<std::uint64_t> counts(64);
        std::vector<double> norms(8);
        std::uint64_t rows = 0;
        for (const TokenSelection& shard : shardsOf(tokens, seed)) {
            const auto more = countsOf(builder, LayerId{1}, shard);
            std::transform(counts.begin(), counts.end(), more.begin(), counts.begin(),
                           std::plus<>());
            const PairedBarsPanel mean = meanOf(builder, shard);
            CHECK(mean.tokens == shard.count());
            for (std::size_t e = 0; e < norms.size(); ++e) {
                norms[e] += double{mean.norms[e]} * static_cast<double>(shard.count()) /
                            static_cast<double>(tokens);
            }
            const Figure chosen = builder.build(request("chosen-experts", LayerId{1}, shard));
            rows += std::get<RoutingMapFigure>(chosen.body).routing->tokenCount();
        }
        CHECK(counts == countsOf(builder, LayerId{1}));
        CHECK(rows == tokens);
        const PairedBarsPanel whole = meanOf(builder);
        for (std::size_t e = 0; e < norms.size(); ++e) {
            CHECK(norms[e] == Approx(double{whole.norms[e]}).epsilon(1e-6));
        }
    }
}

TEST_CASE("Selection: averaged maps merge too", "[core][figures]") {
    const FigureBuilder builder(std::make_shared<MadeSource>(MadeSession{}));  // maps of 0 to 7
    const auto first = mapOf(builder, LayerId{2}, some({{0, 2}, {5, 1}}));
    const auto second = mapOf(builder, LayerId{2}, some({{2, 3}, {6, 2}}));
    const auto both = mapOf(builder, LayerId{2}, some({{0, 8}}));
    for (std::size_t i = 0; i < both.size(); ++i) {
        CHECK(double{both[i]} ==
              Approx((3.0 * double{first[i]} + 5.0 * double{second[i]}) / 8.0).epsilon(1e-6));
    }
}

TEST_CASE("Selection: NumPy's values for some tokens of a fixture", "[core][figures]") {
    const tests::ReferenceFile golden(tests::referenceDir() / "experiments" /
                                      "selection.safetensors");
    const tests::ReferenceFile fixture(tests::referenceDir() / "experiments" /
                                       "mixtral.safetensors");
    const NdArray ranges = golden.array("ranges");
    std::vector<TokenRange> wanted;
    for (std::uint64_t i = 0; i < ranges.shape()[0]; ++i) {
        const auto first = static_cast<std::uint64_t>(ranges.at(2 * i));
        wanted.push_back({first, static_cast<std::uint64_t>(ranges.at(2 * i + 1)) - first});
    }
    const TokenSelection tokens = some(wanted);
    const std::uint64_t all = golden.array("norms.0").shape()[0];
    const auto source = std::make_shared<MadeSource>(
        MadeSession{.layers = 3, .experts = 7, .tokens = all, .denseFirst = false});
    source->head().corpus.offsets.clear();
    const NdArray offsets = golden.array("document_offsets");
    for (std::uint64_t i = 0; i < offsets.size(); ++i) {
        source->head().corpus.offsets.push_back(static_cast<std::uint64_t>(offsets.at(i)));
    }
    source->head().corpus.sources.resize(offsets.size() - 1);
    source->head().corpus.domainOf.assign(offsets.size() - 1, -1);
    std::vector<std::uint64_t> every(all);
    std::iota(every.begin(), every.end(), 0U);
    source->put("output_similarity", "kept_tokens", std::nullopt,
                NdArray::from<std::uint64_t>({all}, every));
    for (int layer = 0; layer < 3; ++layer) {
        const LayerId id{layer};
        source->put("norms_scores", "norm", id, golden.array(fmt::format("norms.{}", layer)));
        source->put("norms_scores", "score", id, golden.array(fmt::format("scores.{}", layer)));
        source->put("output_similarity", "token_cosine", id,
                    fixture.array(fmt::format("output_similarity.cosine.{}", layer)));
    }
    const bool withoutFirst = GENERATE(false, true);
    if (withoutFirst) {
        for (auto& record : source->head().experiments) {
            record.optionsJson = record.id == "rank_counts" ? R"({"skip_first_token":true})" : "{}";
        }
    }
    const FigureBuilder builder(source);
    std::vector<std::uint64_t> total(49);
    for (int layer = 0; layer < 3; ++layer) {
        const LayerId id{layer};
        const auto counts = countsOf(builder, id, tokens);
        const auto expected =
            golden.array(fmt::format("{}counts.{}", withoutFirst ? "without_first." : "", layer));
        for (std::size_t i = 0; i < counts.size(); ++i) {
            CHECK(static_cast<double>(counts[i]) == expected.at(i));
            total[i] += counts[i];
        }
        const Figure means = builder.build(request("norms-scores", id, tokens));
        const PairedBarsPanel& mean = std::get<PairedBarsFigure>(means.body).panels.at(0);
        for (std::size_t e = 0; e < 7; ++e) {
            CHECK(double{mean.norms[e]} ==
                  Approx(golden.array(fmt::format("mean_norm.{}", layer)).at(e)).epsilon(1e-6));
            CHECK(double{mean.scores[e]} ==
                  Approx(golden.array(fmt::format("mean_score.{}", layer)).at(e)).epsilon(1e-6));
        }
        const auto map = mapOf(builder, id, tokens);
        const auto angular = golden.array(fmt::format("angular.{}", layer));
        REQUIRE(map.size() == angular.size());
        for (std::size_t i = 0; i < map.size(); ++i) {
            CHECK(double{map[i]} == Approx(angular.at(i)).margin(1e-5));
        }
    }
    CHECK(countsOf(builder, std::nullopt, tokens) == total);
}

TEST_CASE("Selection: figures say which tokens they are of", "[core][figures]") {
    const auto source = std::make_shared<MadeSource>(MadeSession{});
    const FigureBuilder builder(source);
    const TokenSelection tokens = some({{10, 5}, {20, 10}});
    for (const char* name : {"rank-counts", "norms-scores", "chosen-experts"}) {
        INFO(name);
        const Figure figure = builder.build(request(name, LayerId{1}, tokens));
        CHECK(figure.provenance.selection == "15 tokens in 2 ranges from 10 to 29");
        CHECK(figure.provenance.tokens == 15);
        CHECK(has(figure.title, "15 tokens in 2 ranges"));
        CHECK(has(toCsv(figure), "# Selection: 15 tokens in 2 ranges from 10 to 29\n"));
    }
    const Figure map = builder.build(request("output-similarity", LayerId{1}, some({{4, 20}})));
    CHECK(map.provenance.tokens == 4);
    CHECK(has(map.caption, "Of the 20 selected tokens, 4 have a map of their own kept."));
    CHECK(has(messageOf(builder, request("output-similarity", LayerId{1}, some({{40, 2}}))),
              "keeps 8 maps"));
    CHECK(has(messageOf(builder, request("coloured-text", LayerId{1}, tokens)), "one range"));
    CHECK(has(messageOf(builder, request("rank-counts", LayerId{1}, some({{60, 10}}))),
              "tokens 0 to 63"));
    source->remove("norms_scores");
    CHECK(has(messageOf(builder, request("rank-counts", LayerId{1}, tokens)),
              "--experiments norms_scores"));
}

TEST_CASE("Selection: rows of a routing map are those of the tokens", "[core][figures]") {
    const FigureBuilder builder(std::make_shared<MadeSource>(MadeSession{}));
    const Figure figure =
        builder.build(request("chosen-experts", LayerId{1}, some({{3, 2}, {40, 1}})));
    const auto& routing = *std::get<RoutingMapFigure>(figure.body).routing;
    const auto all = builder.routing(LayerId{1});
    REQUIRE(routing.tokenCount() == 3);
    for (std::uint64_t row = 0; row < 3; ++row) {
        CHECK(routing.id(row, 1) == all->id(routing.tokenAt(row), 1));
    }
    CHECK(routing.tokenAt(2) == 40);
    CHECK(routing.rowOf(4) == 1U);
    CHECK_FALSE(routing.rowOf(5).has_value());
    CHECK(has(toCsv(figure), "\n40,"));
}

TEST_CASE("Selection: norms and scores kept for some tokens only", "[core][figures]") {
    const auto full = std::make_shared<MadeSource>(MadeSession{});
    const auto part = std::make_shared<MadeSource>(MadeSession{});
    const std::vector<std::uint64_t> kept{0, 5, 6, 7, 30, 50};
    for (const char* quantity : {"norm", "score"}) {
        const NdArray all = full->read({BranchId{}, "norms_scores", quantity}, LayerId{1});
        NdArray rows(ElementType::F32, {kept.size(), 8});
        for (std::size_t i = 0; i < kept.size(); ++i) {
            std::copy_n(all.values<float>().begin() + static_cast<std::ptrdiff_t>(kept[i] * 8), 8,
                        rows.values<float>().begin() + static_cast<std::ptrdiff_t>(i * 8));
        }
        part->put("norms_scores", quantity, LayerId{1}, std::move(rows),
                  {{"kept_token", {}}, {"expert", {}}});
    }
    part->put("norms_scores", "kept_tokens", LayerId{1},
              NdArray::from<std::uint64_t>({kept.size()}, kept), {{"kept_token", {}}});
    const FigureBuilder builder(part);
    const TokenSelection asked = some({{4, 3}, {29, 10}});
    CHECK(countsOf(builder, LayerId{1}, asked) ==
          countsOf(FigureBuilder(full), LayerId{1}, some({{5, 2}, {30, 1}})));
    const Figure figure = builder.build(request("rank-counts", LayerId{1}, asked));
    CHECK(figure.provenance.tokens == 3);
    CHECK(has(figure.caption, "Of the 13 selected tokens, 3 have norms and scores kept."));
    CHECK(has(messageOf(builder, request("rank-counts", LayerId{1}, some({{10, 5}}))),
              "no norms and scores of them are kept"));

    FigureRequest single = request("norms-scores", LayerId{1}, TokenRange{28, 1});
    single.mean = false;
    const Figure bars = builder.build(single);
    CHECK(std::get<PairedBarsFigure>(bars.body).panels.at(0).token == 30);
    CHECK(has(bars.notice, "nearest"));
    CHECK(has(bars.notice, "6 of its 64 tokens"));
    CHECK(
        std::get<PairedBarsFigure>(bars.body).panels.at(0).norms ==
        std::get<PairedBarsFigure>(
            FigureBuilder(full).build(request("norms-scores", LayerId{1}, TokenRange{30, 1})).body)
            .panels.at(0)
            .norms);

    part->put("norms_scores", "kept_tokens", LayerId{1},
              NdArray::from<std::uint64_t>({2}, std::vector<std::uint64_t>{5, 90}));
    CHECK_THROWS_AS(FigureBuilder(part).build(single), Error);
}

TEST_CASE("Selection: a kept mean stands for all tokens and for no selection of them",
          "[core][figures]") {
    const auto source = std::make_shared<MadeSource>(MadeSession{});
    const FigureBuilder builder(source);
    const PairedBarsPanel read = meanOf(builder);
    const std::vector<double> norms{9, 8, 7, 6, 5, 4, 3, 2};
    source->put("norms_scores", "mean_norm", LayerId{1}, NdArray::from<double>({8}, norms),
                {{"expert", {}}});
    source->put("norms_scores", "mean_score", LayerId{1}, NdArray::from<double>({8}, norms),
                {{"expert", {}}});
    const PairedBarsPanel kept = meanOf(builder);
    CHECK(kept.norms == std::vector<float>(norms.begin(), norms.end()));
    CHECK(kept.scores == kept.norms);
    CHECK(kept.tokens == read.tokens);
    CHECK(meanOf(builder, TokenRange{0, 64}).norms == kept.norms);
    // Of a selection, and at a layer without: from the rows.
    CHECK(meanOf(builder, TokenRange{0, 63}).norms != kept.norms);
    CHECK(double{meanOf(builder, TokenRange{0, 63}).norms[0]} ==
          Approx(double{read.norms[0]}).epsilon(0.2));

    source->put("norms_scores", "mean_score", LayerId{1},
                NdArray::from<double>({2}, std::vector<double>{1, 2}), {{"expert", {}}});
    CHECK_THROWS_AS(meanOf(builder), Error);
}

TEST_CASE("Selection: a token that is not kept shows the nearest that is", "[core][figures]") {
    const FigureBuilder builder(std::make_shared<MadeSource>(MadeSession{}));
    FigureRequest wanted = request("output-similarity", LayerId{1}, TokenRange{60, 2});
    wanted.mean = false;
    const Figure figure = builder.build(wanted);
    CHECK(has(figure.notice, "is shown, 7."));
    CHECK(has(figure.notice, "8 of its 64 tokens"));
    CHECK(has(figure.caption, figure.notice));
    CHECK(has(toCsv(figure), "# Notice: No similarity maps are kept"));
    wanted.tokens = TokenRange{7, 1};
    CHECK(builder.build(wanted).notice.empty());
}

TEST_CASE("Selection: what is not wanted any more stops", "[core][figures]") {
    const FigureBuilder builder(std::make_shared<MadeSource>(MadeSession{}));
    std::stop_source stop;
    stop.request_stop();
    try {
        (void)builder.build(request("rank-counts", LayerId{1}, some({{3, 4}})),
                            {.stop = stop.get_token()});
        FAIL("was built");
    } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::Cancelled);
    }
}
