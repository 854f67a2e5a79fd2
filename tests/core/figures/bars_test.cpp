// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Bars of what experts get and are worth: the numbers of the maps and tables beside them, which
// are tested against NumPy, and what only bars show.

#include "core/base/error.h"
#include "core/figures/builder.h"
#include "tests/core/figures/made_source.h"
#include "tests/core/figures/table_column.h"
#include "tests/support/catch.h"
#include "tests/support/throws.h"

#include <cmath>

using namespace moescope;
using namespace moescope::figures;
using tests::column;
using tests::MadeSession;
using tests::MadeSource;

namespace {

constexpr std::size_t kExperts = 8;

/// Six documents in two domains and one in none; layer 0 is dense.
std::shared_ptr<MadeSource> madeSession() {
    MadeSession what;
    what.tokens = 140;
    what.documents = 7;
    auto source = std::make_shared<MadeSource>(what);
    source->head().corpus.domains = {"prose", "code"};
    source->head().corpus.domainOf = {0, 1, 0, 1, 0, 1, -1};
    return source;
}

Figure build(const std::shared_ptr<MadeSource>& source, const char* name,
             std::optional<int> layer) {
    FigureRequest request;
    request.figure = name;
    request.layer = layer ? std::optional(LayerId{*layer}) : std::nullopt;
    return FigureBuilder(source).build(request);
}

const BarChartFigure& barsOf(const Figure& figure) {
    return std::get<BarChartFigure>(figure.body);
}

/// Rows of the map are the series of the bars.
void checkSame(const HeatMapPanel& map, const BarChartPanel& bars) {
    CHECK(map.title == bars.title);
    REQUIRE(bars.bars.size() == map.matrix.rows);
    for (std::size_t row = 0; row < map.matrix.rows; ++row) {
        REQUIRE(bars.bars[row].size() == kExperts);
        for (std::size_t e = 0; e < kExperts; ++e) {
            CHECK(static_cast<float>(bars.bars[row][e]) == map.matrix.at(row, e));
            CHECK(static_cast<float>(bars.low[row][e]) == map.low.at(row, e));
            CHECK(static_cast<float>(bars.high[row][e]) == map.high.at(row, e));
            CHECK(bars.marks[row][e] == map.cellMarks[row * kExperts + e]);
        }
    }
}

}  // namespace

TEST_CASE("Domain bars: the numbers of the maps, against the even spread", "[core][figures]") {
    const auto source = madeSession();
    for (const std::string name : {"domain-share", "domain-specialisation"}) {
        INFO(name);
        const bool perToken = name == "domain-specialisation";
        const Figure map = build(source, name.c_str(), 2);
        const Figure figure = build(source, (name + "-bars").c_str(), 2);
        const BarChartFigure& bars = barsOf(figure);
        const auto& panels = std::get<HeatMapFigure>(map.body).panels;
        REQUIRE(bars.panels.size() == panels.size());
        for (std::size_t i = 0; i < panels.size(); ++i) {
            checkSame(panels[i], bars.panels[i]);
            CHECK(bars.panels[i].reference == (perToken ? 0.25 : 0.125));
        }
        CHECK(bars.series == std::vector<std::string>{"prose", "code", "all text"});
        CHECK(bars.lastIsOfAll);
        CHECK(bars.categories.size() == kExperts);
        CHECK(figure.provenance.experiment == map.provenance.experiment);
    }
}

TEST_CASE("Domain bars: a panel for each routed layer, and all in the CSV", "[core][figures]") {
    const Figure figure = build(madeSession(), "domain-share-bars", std::nullopt);
    const BarChartFigure& bars = barsOf(figure);
    REQUIRE(bars.panels.size() == 3);
    CHECK(bars.panels[0].layer == LayerId{1});
    CHECK(bars.panels[2].title == "layer 3");
    const std::string csv = toCsv(figure);
    CHECK(csv.find("panel,expert,series,value,low,high,differs from all text\n") !=
          std::string::npos);
    CHECK(csv.find("\nlayer 3,7,all text,") != std::string::npos);
}

TEST_CASE("Small multiples are of the layers asked for", "[core][figures]") {
    const auto source = madeSession();
    FigureRequest request;
    request.layers = {LayerId{1}, LayerId{3}};
    for (const char* name : {"domain-share", "coactivation", "weight-similarity",
                             "router-similarity", "output-similarity"}) {
        INFO(name);
        request.figure = name;
        const Figure figure = FigureBuilder(source).build(request);
        const auto& panels = std::get<HeatMapFigure>(figure.body).panels;
        REQUIRE(panels.size() == 2);
        CHECK(panels[0].layer == LayerId{1});
        CHECK(panels[1].layer == LayerId{3});
    }
    request.figure = "rank-counts";
    request.sideBySide = true;
    const Figure ranks = FigureBuilder(source).build(request);
    CHECK(std::get<HeatMapFigure>(ranks.body).panels.size() == 2);
    CHECK(ranks.title.find("layers 1, 3") != std::string::npos);
    request.figure = "load-bars";
    CHECK(barsOf(FigureBuilder(source).build(request)).panels.size() == 2);
    request.layers = {LayerId{0}};
    tests::checkThrows([&] { (void)FigureBuilder(source).build(request); }, ErrorCode::Usage,
                       {"Layer 0 was asked for", "has load-bars for layers 1, 2, 3"});
}

TEST_CASE("Maps of pairs: clustered, each value stays with its experts", "[core][figures]") {
    const auto source = madeSession();
    FigureRequest request;
    for (const char* name : {"coactivation", "weight-similarity", "router-similarity"}) {
        INFO(name);
        for (const bool all : {false, true}) {
            request.figure = name;
            request.layer = all ? std::nullopt : std::optional(LayerId{2});
            request.clustered = false;
            const auto plain = FigureBuilder(source).build(request);
            request.clustered = true;
            const auto clustered = FigureBuilder(source).build(request);
            CHECK(clustered.caption.find("average-linkage") != std::string::npos);
            const auto& before = std::get<HeatMapFigure>(plain.body).panels;
            const auto& after = std::get<HeatMapFigure>(clustered.body).panels;
            REQUIRE(before.size() == after.size());
            bool isMoved = false;
            for (std::size_t p = 0; p < before.size(); ++p) {
                const auto placeOf = [&](const std::string& label) {
                    const auto& labels = after[p].rowLabels;
                    return static_cast<std::size_t>(std::find(labels.begin(), labels.end(), label) -
                                                    labels.begin());
                };
                const std::size_t rows = before[p].matrix.rows;
                for (std::size_t i = 0; i < rows; ++i) {
                    const std::size_t row = placeOf(before[p].rowLabels[i]);
                    REQUIRE(row < rows);
                    isMoved = isMoved || row != i;
                    // Baselines and shared experts stay behind.
                    CHECK(
                        (before[p].rowsBeforeGap == 0 || i < before[p].rowsBeforeGap || row == i));
                    for (std::size_t j = 0; j < rows; ++j) {
                        const float was = before[p].matrix.at(i, j);
                        const float is =
                            after[p].matrix.at(row, placeOf(before[p].columnLabels[j]));
                        CHECK((was == is || (std::isnan(was) && std::isnan(is))));
                    }
                }
            }
            CHECK(isMoved);
        }
    }
}

TEST_CASE("Load bars: shares of assignments, each layer's or all layers'", "[core][figures]") {
    const auto source = madeSession();
    const Figure figure = build(source, "load-bars", 2);
    const BarChartPanel& panel = barsOf(figure).panels.at(0);
    const auto ids = source->read({BranchId{}, "chosen_experts", "ids"}, LayerId{2}).toDoubles();
    for (std::size_t e = 0; e < kExperts; ++e) {
        const auto count = std::count(ids.begin(), ids.end(), static_cast<double>(e));
        CHECK(panel.bars[0][e] ==
              Approx(static_cast<double>(count) / static_cast<double>(ids.size())));
        CHECK(panel.low[0][e] <= panel.bars[0][e]);
        CHECK(panel.high[0][e] >= panel.bars[0][e]);
    }
    CHECK(panel.reference == 0.125);
    CHECK(barsOf(figure).series.size() == 1);
    CHECK(barsOf(build(source, "load-bars", std::nullopt)).panels.size() == 3);
    CHECK(figure.howToRead.find("Thin upright lines") != std::string::npos);
    const auto one = std::make_shared<MadeSource>(MadeSession{.documents = 1});
    CHECK(build(one, "load-bars", 2).howToRead.find("several documents") != std::string::npos);
}

TEST_CASE("Removal by index: the table's rises, beside others of like load", "[core][figures]") {
    const auto source = std::make_shared<MadeSource>(MadeSession{});
    const Figure figure = build(source, "expert-removal-bars", std::nullopt);
    const BarChartPanel& panel = barsOf(figure).panels.at(0);
    const Figure table = build(source, "expert-removal-table", std::nullopt);
    constexpr std::size_t kSets = 2;  // rows before the indices
    for (std::size_t e = 0; e < kExperts; ++e) {
        CHECK(panel.bars[0][e] == Approx(0.1 * static_cast<double>(e)).margin(1e-12));
        const double others = column(table, "others of like load").numbers[kSets + e];
        CHECK((std::isnan(others) ? std::isnan(panel.bars[1][e])
                                  : panel.bars[1][e] == Approx(others)));
    }
    CHECK(figure.howToRead.find("Intact: loss 2.0000") != std::string::npos);
    source->put("expert_removal", "everywhere", std::nullopt, NdArray(ElementType::F64, {0, 3}),
                {{"expert", {}}, {"measure", {"loss", "accuracy", "changed"}}});
    tests::checkThrows([&] { (void)build(source, "expert-removal-bars", std::nullopt); },
                       ErrorCode::BadSession, {"of no expert"});
    source->remove("expert_removal");
    CHECK_THROWS(build(source, "expert-removal-bars", std::nullopt));
}
