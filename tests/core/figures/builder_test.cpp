// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/builder.h"

#include "core/base/error.h"
#include "tests/core/figures/made_source.h"
#include "tests/support/catch.h"

#include <cmath>
#include <limits>

using namespace moescope;
using namespace moescope::figures;
using tests::MadeSession;
using tests::MadeSource;

namespace {

FigureRequest request(std::string figure, int layer) {
    FigureRequest wanted;
    wanted.figure = std::move(figure);
    wanted.layer = LayerId{layer};
    return wanted;
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

TEST_CASE("FigureBuilder: similarity maps hold the session's numbers", "[core][figures]") {
    const auto source = std::make_shared<MadeSource>(MadeSession{});
    const FigureBuilder builder(source);
    const Figure figure = builder.build(request("weight-similarity", 2));
    const auto& body = std::get<HeatMapFigure>(figure.body);
    REQUIRE(body.panels.size() == 3);
    const NdArray up = source->read({BranchId{}, "weight_similarity", "up"}, LayerId{2});
    const auto expected = up.values<float>();
    CHECK(body.panels[1].title == "up");
    CHECK(std::equal(expected.begin(), expected.end(), body.panels[1].matrix.values.begin()));
    CHECK(body.panels[1].rowLabels.back() == "F");
    CHECK(body.panels[1].rowsBeforeGap == 8);
    CHECK(body.bar.scale.high < 1.0);  // the diagonal does not count
    CHECK(has(figure.title, "made-moe, layer 2"));
    CHECK(figure.provenance.sessionUuid == source->head().uuid);
}

TEST_CASE("FigureBuilder: colour limits of the layer, of all layers and fixed", "[core][figures]") {
    const auto source = std::make_shared<MadeSource>(MadeSession{});
    const FigureBuilder builder(source);
    FigureRequest wanted = request("weight-similarity", 2);
    wanted.roles = {"gate"};
    const auto scaleOf = [&] {
        return std::get<HeatMapFigure>(builder.build(wanted).body).bar.scale;
    };
    double low = 2.0;
    double high = -2.0;
    double layerLow = 2.0;
    for (int layer = 1; layer < 4; ++layer) {
        const NdArray gate =
            source->read({BranchId{}, "weight_similarity", "gate"}, LayerId{layer});
        for (std::uint64_t i = 0; i < gate.size(); ++i) {
            if (i / 9 != i % 9) {
                low = std::min(low, gate.at(i));
                high = std::max(high, gate.at(i));
                layerLow = layer == 2 ? std::min(layerLow, gate.at(i)) : layerLow;
            }
        }
    }
    CHECK(scaleOf().low == Approx(layerLow));
    wanted.range.kind = ColourRange::Kind::AllLayers;
    CHECK(scaleOf().low == Approx(low));
    CHECK(scaleOf().high == Approx(high));
    CHECK(scaleOf() == scaleOf());
    wanted.range = {ColourRange::Kind::Fixed, 0.3, 0.35};
    CHECK(scaleOf().low == 0.3);
    CHECK(scaleOf().hasBelow);
    CHECK(scaleOf().hasAbove);
    wanted.range = {};
    wanted.relative = true;
    CHECK(scaleOf().map == ColourMap::Diverging);
    CHECK(scaleOf().low == Approx(-scaleOf().high));
}

TEST_CASE("FigureBuilder: NaN is left out of limits and stays in the data", "[core][figures]") {
    const auto source = std::make_shared<MadeSource>(MadeSession{});
    NdArray gate = source->read({BranchId{}, "weight_similarity", "gate"}, LayerId{1});
    gate.values<float>()[1] = std::numeric_limits<float>::quiet_NaN();
    source->put("weight_similarity", "gate", LayerId{1}, gate);
    const Figure figure = FigureBuilder(source).build(request("weight-similarity", 1));
    const auto& body = std::get<HeatMapFigure>(figure.body);
    CHECK(std::isnan(body.panels[0].matrix.at(0, 1)));
    CHECK(std::isfinite(body.bar.scale.low));
    CHECK(has(toCsv(figure), "gate,0,1,nan"));
}

TEST_CASE("FigureBuilder: each figure of matched neurons says how to read itself",
          "[core][figures]") {
    const FigureBuilder builder(std::make_shared<MadeSource>(MadeSession{}));
    CHECK(has(builder.build(request("matched-similarity", 2)).howToRead, "random matrices"));
    CHECK(has(builder.build(request("matched-growth-similarity", 2)).howToRead, "minus that"));
    const std::string order = builder.build(request("matched-order-similarity", 2)).howToRead;
    CHECK(has(order, "same order"));
    CHECK_FALSE(has(order, "random"));
}

TEST_CASE("FigureBuilder: maps of single tokens name text and chosen experts", "[core][figures]") {
    const FigureBuilder builder(std::make_shared<MadeSource>(MadeSession{}));
    FigureRequest wanted = request("output-similarity", 1);
    wanted.tokens = TokenRange{2, 3};
    const Figure figure = builder.build(wanted);
    const auto& body = std::get<HeatMapFigure>(figure.body);
    REQUIRE(body.panels.size() == 3);
    const auto routing = builder.routing(LayerId{1});
    CHECK(has(body.panels[0].title, "2 \"\xC2\xB7open\": " + std::to_string(routing->id(2, 0))));
    CHECK(body.bar.label == "cosine similarity");  // only means over tokens are angular
    // One scale for all layers holds these tokens' values in each of them.
    wanted.range.kind = ColourRange::Kind::AllLayers;
    std::vector<ColourScale> scales;
    for (const int layer : {1, 2, 3}) {
        wanted.layer = LayerId{layer};
        scales.push_back(std::get<HeatMapFigure>(builder.build(wanted).body).bar.scale);
        CHECK_FALSE(scales.back().hasBelow);
        CHECK_FALSE(scales.back().hasAbove);
        CHECK(scales.back().low == scales.front().low);
        CHECK(scales.back().high == scales.front().high);
    }
    wanted.tokens = TokenRange{60, 2};
    CHECK(std::get<HeatMapFigure>(builder.build(wanted).body).panels.size() == 1);
}

TEST_CASE("FigureBuilder: rank counts of a layer and of all layers", "[core][figures]") {
    const auto source = std::make_shared<MadeSource>(MadeSession{});
    const FigureBuilder builder(source);
    FigureRequest wanted = request("rank_count", 3);
    wanted.withTotal = true;
    const Figure figure = builder.build(wanted);
    const auto& body = std::get<GroupedBarsFigure>(figure.body);
    REQUIRE(body.panels.size() == 2);
    for (int rank = 0; rank < 8; ++rank) {
        std::uint64_t row = 0;
        std::uint64_t total = 0;
        for (int other = 0; other < 8; ++other) {
            row += body.panels[0].count(rank, other);
            total += body.panels[1].count(rank, other);
        }
        CHECK(row == 64);
        CHECK(total == 3 * 64);
    }
    CHECK(body.panels[0].uniform == 8.0);
    CHECK(*body.panels[0].spearman > 0.3);
    // What the bars' summary abbreviates.
    for (const char* word : {"Spearman", "diagonal", "12.5 % by chance", "agree"}) {
        CHECK(has(figure.howToRead, word));
    }
    CHECK(has(body.panels[1].title, "ALL"));
}

TEST_CASE("FigureBuilder: rank counts of many experts become heat maps", "[core][figures]") {
    MadeSession many;
    many.experts = 64;
    many.topK = 8;
    const FigureBuilder builder(std::make_shared<MadeSource>(many));
    const Figure figure = builder.build(request("rank-counts", 1));
    const auto& body = std::get<HeatMapFigure>(figure.body);
    CHECK(body.panels[0].matrix.rows == 64);
    CHECK(body.panels[0].rowLabels.front() == "1");
    CHECK(body.bar.scale.low == 0.0);
    CHECK(body.integral);
}

TEST_CASE("FigureBuilder: rank counts of some ranks, of each layer", "[core][figures]") {
    MadeSession many;
    many.experts = 64;
    many.topK = 8;
    const auto source = std::make_shared<MadeSource>(many);
    const FigureBuilder builder(source);
    FigureRequest wanted = request("rank-counts", 2);
    wanted.ranks = RankRange{57, 64};
    const Figure figure = builder.build(wanted);
    const RankCountsPanel& panel = std::get<GroupedBarsFigure>(figure.body).panels.at(0);
    CHECK(panel.ranks == 8);
    CHECK(panel.firstRank == 56);
    const NdArray counts = source->read({BranchId{}, "rank_counts", "count"}, LayerId{2});
    CHECK(panel.count(7, 0) == static_cast<std::uint64_t>(counts.at(63 * 64 + 56)));
    CHECK(panel.uniform == 1.0);
    CHECK(has(toCsv(figure), "layer 2,64,57," + std::to_string(panel.count(7, 0)) + "\n"));
    wanted.ranks = RankRange{1, 32};
    CHECK(has(messageOf(builder, wanted), "at most 16"));
    wanted.ranks = RankRange{60, 65};
    CHECK(has(messageOf(builder, wanted), "ranks 1 to 64"));

    // The marks are the most frequent score ranks.
    const Figure whole = builder.build(request("rank-counts", 2));
    const HeatMapPanel& map = std::get<HeatMapFigure>(whole.body).panels.at(0);
    REQUIRE(map.columnMarks.size() == 64);
    for (std::size_t norm = 0; norm < 64; ++norm) {
        for (std::size_t score = 0; score < 64; ++score) {
            CHECK(map.matrix.at(score, norm) <=
                  map.matrix.at(static_cast<std::size_t>(map.columnMarks[norm]), norm));
        }
    }
    CHECK(has(whole.howToRead, "of 64 norm ranks with the same"));

    FigureRequest all;
    all.figure = "rank-counts";
    all.sideBySide = true;
    const Figure layers = builder.build(all);
    const auto& body = std::get<HeatMapFigure>(layers.body);
    REQUIRE(body.panels.size() == 3);
    CHECK(body.panels[2].layer == LayerId{3});
    CHECK(double{body.panels[1].matrix.at(63, 56)} == counts.at(63 * 64 + 56));
}

TEST_CASE("FigureBuilder: routing is what the session says", "[core][figures]") {
    const auto source = std::make_shared<MadeSource>(MadeSession{});
    const FigureBuilder builder(source);
    FigureRequest wanted = request("chosen-experts", 1);
    wanted.tokens = TokenRange{10, 5};
    const Figure figure = builder.build(wanted);
    const auto& body = std::get<RoutingMapFigure>(figure.body);
    const NdArray ids = source->read({BranchId{}, "chosen_experts", "ids"}, LayerId{1});
    const NdArray weights = source->read({BranchId{}, "chosen_experts", "weights"}, LayerId{1});
    REQUIRE(body.routing->tokenCount() == 5);
    CHECK(body.routing->firstToken() == 10);
    for (std::uint64_t row = 0; row < 5; ++row) {
        for (int k = 0; k < 2; ++k) {
            const std::uint64_t at = (row + 10) * 2 + static_cast<std::uint64_t>(k);
            CHECK(body.routing->id(row, k) == ids.at(at));
            CHECK(static_cast<double>(body.routing->weight(row, k)) == weights.at(at));
        }
    }
    CHECK(body.bar.scale.low == 0.0);
    CHECK(builder.routing(LayerId{1}) == builder.routing(LayerId{1}));
}

TEST_CASE("FigureBuilder: norms and scores of one token", "[core][figures]") {
    const auto source = std::make_shared<MadeSource>(MadeSession{});
    const FigureBuilder builder(source);
    FigureRequest wanted = request("norms-scores", 2);
    wanted.tokens = TokenRange{7, 1};
    const Figure figure = builder.build(wanted);
    const PairedBarsPanel& body = std::get<PairedBarsFigure>(figure.body).panels.at(0);
    CHECK(body.token == 7);
    CHECK(static_cast<double>(body.norms[3]) ==
          source->read({BranchId{}, "norms_scores", "norm"}, LayerId{2}).at(7 * 8 + 3));
    CHECK(static_cast<double>(body.scores[3]) ==
          source->read({BranchId{}, "norms_scores", "score"}, LayerId{2}).at(7 * 8 + 3));
    CHECK(body.chosen.size() == 2);
    wanted.tokens = TokenRange{5, 6};
    const Figure several = builder.build(wanted);
    const auto& panels = std::get<PairedBarsFigure>(several.body).panels;
    REQUIRE(panels.size() == 6);
    CHECK(panels[2].norms == body.norms);
    CHECK(panels[2].chosen == body.chosen);
    CHECK(has(toCsv(several), "\n10,"));
    wanted.tokens = TokenRange{0, 65};
    CHECK(has(messageOf(builder, wanted), "tokens 0 to 63"));
}

TEST_CASE("FigureBuilder: parameters", "[core][figures]") {
    const FigureBuilder builder(std::make_shared<MadeSource>(MadeSession{}));
    FigureRequest wanted;
    wanted.figure = "parameters";
    const Figure figure = builder.build(wanted);
    const auto& body = std::get<ParametersFigure>(figure.body);
    CHECK(body.components[3] == "routed experts");
    CHECK(body.total[3] == 45097156608ULL);
    CHECK(body.batchTokens.back() == 1024);
    CHECK(has(toCsv(figure), "total,routed experts,45097156608\n"));
}

TEST_CASE("FigureBuilder: a dense or unfinished layer says so", "[core][figures]") {
    const auto source = std::make_shared<MadeSource>(MadeSession{});
    source->head().model.layers.push_back({8, 2, 0, 64});
    const FigureBuilder builder(source);
    const auto noticeOf = [&](int layer) {
        return std::get<NoticeFigure>(builder.build(request("rank-counts", layer)).body).message;
    };
    CHECK(noticeOf(0) == "Layer 0 is dense: no router");
    CHECK(noticeOf(4) == "Layer 4 is not computed yet");
}

TEST_CASE("FigureBuilder: margins of a session that keeps them beside the choices alone",
          "[core][figures]") {
    const auto source = std::make_shared<MadeSource>(MadeSession{});
    source->remove("router_margin");
    FigureRequest table = request("router-margin-table", 1);
    table.layer.reset();
    CHECK(std::holds_alternative<NoticeFigure>(FigureBuilder(source).build(table).body));
    for (int layer = 1; layer < 4; ++layer) {
        NdArray margins(ElementType::F32, {64, 1});
        for (std::uint64_t t = 0; t < 64; ++t) {
            margins.values<float>()[t] = 0.001F * static_cast<float>(t);
        }
        source->put("chosen_experts", "margin", LayerId{layer}, std::move(margins),
                    {{"token", {}}, {"value", {}}});
    }
    const Figure figure = FigureBuilder(source).build(table);
    const auto& body = std::get<TableFigure>(figure.body);
    REQUIRE(body.columns.size() == 5);  // no logits, entropy or flips
    CHECK(body.columns[2].name == "below 0.01");
    CHECK(body.columns[2].numbers.front() == Approx(10.0 / 64.0));
    CHECK(has(figure.howToRead, "need the experiment router_margin"));
    const Figure near = FigureBuilder(source).build(request("near-flips", 2));
    CHECK(std::get<TableFigure>(near.body).columns[0].numbers.front() == 0.0);
}

TEST_CASE("FigureBuilder: errors name what was asked and what exists", "[core][figures]") {
    const auto source = std::make_shared<MadeSource>(MadeSession{});
    const FigureBuilder builder(source);
    CHECK(has(messageOf(builder, request("pie-chart", 1)), "rank-counts"));
    CHECK(has(messageOf(builder, request("rank-counts", 40)), "layers 0 to 3"));
    CHECK(has(messageOf(builder, request("norms-scores", -1)), "layers 0 to 3"));
    FigureRequest role = request("weight-similarity", 1);
    role.roles = {"router"};
    CHECK(has(messageOf(builder, role), "gate, up and down"));
    FigureRequest token = request("norms-scores", 1);
    token.tokens = TokenRange{900, 1};
    CHECK(has(messageOf(builder, token), "tokens 0 to 63"));
    token = request("chosen-experts", 1);
    token.tokens = TokenRange{60, 10};
    CHECK(has(messageOf(builder, token), "tokens 0 to 63"));
    source->remove("rank_counts");
    CHECK(has(messageOf(builder, request("rank-counts", 1)), "--experiments rank_counts"));
}

TEST_CASE("FigureBuilder: lists what the session has", "[core][figures]") {
    const auto source = std::make_shared<MadeSource>(MadeSession{});
    CHECK(FigureBuilder(source).available().size() == figureCatalogue().size());
    source->remove("chosen_experts");
    CHECK(FigureBuilder(source).available().size() == figureCatalogue().size() - 24);
    CHECK(FigureBuilder(source).layersOf(*findFigure("rank-counts")) ==
          std::vector<LayerId>{LayerId{1}, LayerId{2}, LayerId{3}});
}
