// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Pruning curves and lists as figures: where they stand, and that what was measured is found.

#include "core/figures/builder.h"
#include "tests/core/figures/made_source.h"
#include "tests/support/catch.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

using namespace moescope;
using namespace moescope::figures;

namespace {

Figure build(const std::shared_ptr<tests::MadeSource>& source, const std::string& figure,
             std::optional<PruneChoice> prune = {}) {
    FigureRequest request;
    request.figure = figure;
    request.prune = std::move(prune);
    return FigureBuilder(source).build(request);
}

}  // namespace

TEST_CASE("pruning: curves stand at the share of experts that really goes", "[core][figures]") {
    // Three routed layers of seven experts that choose four: two more steps remove no more.
    const auto source = std::make_shared<tests::MadeSource>(
        tests::MadeSession{.layers = 4, .experts = 7, .topK = 4});
    const Figure figure = build(source, "pruning");
    const auto& chart = std::get<LineChartFigure>(figure.body);
    REQUIRE(chart.positions.size() == 4);  // an eighth of 7 is none
    CHECK(chart.positions[0] == 0.0);
    for (int removed = 1; removed <= 3; ++removed) {
        CHECK(chart.positions[static_cast<std::size_t>(removed)] == Approx(100.0 * removed / 7.0));
    }
    const LineChartPanel& panel = chart.groups.at(0).panels.at(0);
    REQUIRE(panel.lines.size() == 6);
    // The steps of 0.25, 0.375 and 0.5 in the made-up losses 2 + 0.02 (row + 1) (column + 1).
    CHECK(panel.lines[5] ==
          std::vector<double>{2.0, 2.0 + 0.02 * 6 * 2, 2.0 + 0.02 * 6 * 3, 2.0 + 0.02 * 6 * 4});
    CHECK(panel.low[1] == 2.0 + 0.02 * 7 * 2);
    CHECK(panel.high[1] == 2.0 + 0.02 * 9 * 2);
}

TEST_CASE("pruning: lists are marks of their own, in the table and in the CSV", "[core][figures]") {
    const auto source = std::make_shared<tests::MadeSource>(tests::MadeSession{});
    const Figure figure = build(source, "pruning");
    const auto& chart = std::get<LineChartFigure>(figure.body);
    CHECK(chart.points == std::vector<std::string>{"list one-of-each", "list three"});
    const auto& points = chart.groups.at(0).panels.at(0).points;
    REQUIRE(points.size() == 2);
    for (std::size_t list = 0; list < 2; ++list) {
        CHECK(points[list].name == list);
        CHECK(points[list].x == Approx(12.5));  // 3 of 24
        CHECK(points[list].note == "3 of 24 experts");
    }
    CHECK(points[0].y == 2.1);
    CHECK(points[1].y == 2.03);
    const std::string csv = toCsv(figure);
    CHECK(csv.find("\npruning,,12.5,list three,2.03\n") != std::string::npos);

    const Figure tableFigure = build(source, "pruning-table");
    const auto& table = std::get<TableFigure>(tableFigure.body);
    REQUIRE(table.sections.size() == 3);
    CHECK(table.sections[1].firstRow == 2);
    CHECK(table.rows == 2 + 6 * 6 + 3 * 6);
    CHECK(table.columns[0].texts[1] == "three");
    CHECK(table.columns[1].numbers[1] == 3.0);
    CHECK(table.columns[2].numbers[1] == 12.5);
    CHECK(table.columns[3].numbers[1] == Approx(0.03));
    CHECK(table.columns[5].numbers[1] == Approx(std::exp(2.03)));
    CHECK(table.columns[0].texts[2] == "load");
    CHECK(table.columns[0].texts.back() == "random 3");
    CHECK(table.columns[1].numbers.back() == 18.0);  // three quarters of 24
}

TEST_CASE("pruning: lists that were measured without the curves stand alone", "[core][figures]") {
    const auto source = std::make_shared<tests::MadeSource>(tests::MadeSession{});
    const NdArray values = source->read({BranchId{}, "pruning", "list"}, std::nullopt);
    const auto axes = source->find({BranchId{}, "pruning", "list"})->axes;
    const NdArray removed = source->read({BranchId{}, "pruning", "list_removed"}, std::nullopt);
    const auto removedAxes = source->find({BranchId{}, "pruning", "list_removed"})->axes;
    const NdArray intact = source->read({BranchId{}, "pruning", "intact"}, std::nullopt);
    const auto intactAxes = source->find({BranchId{}, "pruning", "intact"})->axes;
    source->remove("pruning");
    source->put("pruning", "list", std::nullopt, values, axes);
    source->put("pruning", "list_removed", std::nullopt, removed, removedAxes);
    source->put("pruning", "intact", std::nullopt, intact, intactAxes);
    const Figure figure = build(source, "pruning");
    const auto& chart = std::get<LineChartFigure>(figure.body);
    CHECK(chart.lines == std::vector<std::string>{"intact model"});
    CHECK(chart.groups.at(0).panels.at(0).lines == std::vector<std::vector<double>>{{2.0, 2.0}});
    CHECK(chart.band.empty());
    CHECK(chart.positions == std::vector<double>{0.0, 12.5});
    CHECK(chart.groups.at(0).panels.at(0).points.size() == 2);
    CHECK(figure.howToRead.find("curves") != std::string::npos);
    CHECK(figure.howToRead.find("analyze") == std::string::npos);  // a window has a button for it
    CHECK(toCsv(figure).find("\npruning,,12.5,list three,2.03\n") != std::string::npos);
    const Figure table = build(source, "pruning-table");
    CHECK(std::get<TableFigure>(table.body).rows == 2);
    CHECK(std::get<TableFigure>(table.body).sections.size() == 1);
    // Before the first list there is the intact model alone.
    source->remove("pruning");
    source->put("pruning", "intact", std::nullopt, intact, intactAxes);
    for (const char* name : {"pruning", "pruning-table"}) {
        CHECK(std::get<NoticeFigure>(build(source, name).body).message.find("No list") == 0);
    }
}

TEST_CASE("importance: the list's share is of the experts that really go", "[core][figures]") {
    const auto source = std::make_shared<tests::MadeSource>(tests::MadeSession{});  // 8 experts
    for (const auto& [asked, goes] :
         {std::pair{0.3125, 0.25}, {0.25, 0.25}, {0.95, 0.75}, {0.1, 0.0}}) {
        const PruneChoice choice{.criterion = "load", .share = asked};
        const Figure figure = build(source, "importance", choice);
        CAPTURE(asked);
        CHECK(figure.prunes->share() == goes);
        const nlohmann::json json = nlohmann::json::parse(toJson(figure));
        CHECK(json["criterion"]["share"] == goes);
        CHECK(json["criterion"]["asked_share"] == asked);
        CHECK(json["removed"].get<double>() / json["experts"].get<double>() == goes);
    }
}

TEST_CASE("importance: a list that was measured is known again", "[core][figures]") {
    const auto source = std::make_shared<tests::MadeSource>(tests::MadeSession{});
    const PruneChoice choice{.criterion = "load", .share = 0.15, .acrossLayers = true};
    const Figure before = build(source, "importance", choice);
    REQUIRE(before.prunes);
    CHECK_FALSE(before.prunes->measured);
    CHECK(before.prunes->note.find("list can be measured") != std::string::npos);
    // What the exported file says to remove, as a list and as a chosen set.
    const nlohmann::json json = nlohmann::json::parse(toJson(before));
    std::vector<std::uint32_t> removed;
    std::string remove;
    for (const auto& entry : json["list"]) {
        removed.insert(removed.end(), {1, entry["layer"].get<std::uint32_t>(),
                                       entry["expert"].get<std::uint32_t>()});
        remove += (remove.empty() ? "" : ",") + std::to_string(entry["layer"].get<int>()) + ":" +
                  std::to_string(entry["expert"].get<int>());
    }
    REQUIRE(removed.size() == 9);
    CHECK(json["remove"] == remove);
    source->put("pruning", "list_removed", std::nullopt,
                NdArray::from<std::uint32_t>({3, 3}, removed),
                {{"removed", {}}, {"column", {"list", "layer", "expert"}}});
    const Figure after = build(source, "importance", choice);
    REQUIRE(after.prunes->measured);
    CHECK(after.prunes->measured->loss == 2.03);
    CHECK(after.prunes->measured->intactLoss == 2.0);
    CHECK(after.prunes->note.empty());
    source->remove("pruning");
    CHECK_FALSE(build(source, "importance", choice).prunes->measured);
    const std::vector<double> outcome{2.75, 0.4, 0.3};
    source->put("expert_removal", "set", std::nullopt, NdArray::from<double>({1, 3}, outcome),
                {{"set", {remove}}, {"measure", {"loss", "accuracy", "changed"}}});
    CHECK(build(source, "importance", choice).prunes->measured->loss == 2.75);
}

TEST_CASE("importance: selections that read alike are not taken for each other",
          "[core][figures]") {
    const auto source = std::make_shared<tests::MadeSource>(tests::MadeSession{});
    const TokenSelection first({{0, 3}, {5, 3}, {20, 1}});
    const TokenSelection second({{0, 2}, {5, 4}, {20, 1}});
    REQUIRE(describe(first) == describe(second));
    const auto loadsBy = [&](const FigureBuilder& builder, const TokenSelection& tokens) {
        FigureRequest request;
        request.figure = "importance";
        request.tokens = tokens;
        const Figure figure = builder.build(request);
        return std::get<TableFigure>(figure.body).columns.at(3).numbers;
    };
    const FigureBuilder builder(source);
    const auto ofFirst = loadsBy(builder, first);
    const auto ofSecond = loadsBy(builder, second);
    CHECK(ofFirst != ofSecond);
    CHECK(ofFirst == loadsBy(FigureBuilder(source), first));
    CHECK(ofSecond == loadsBy(FigureBuilder(source), second));
}

TEST_CASE("pruning: where every expert is chosen none can go, and that is said",
          "[core][figures]") {
    const auto source =
        std::make_shared<tests::MadeSource>(tests::MadeSession{.experts = 4, .topK = 4});
    CHECK(std::holds_alternative<LineChartFigure>(build(source, "pruning").body));  // of the lists
    const NdArray curves = source->read({BranchId{}, "pruning", "curves"}, std::nullopt);
    const auto axes = source->find({BranchId{}, "pruning", "curves"})->axes;
    source->remove("pruning");
    source->put("pruning", "curves", std::nullopt, curves, axes);
    source->put("pruning", "intact", std::nullopt,
                NdArray::from<double>({3}, std::vector<double>{2.0, 0.5, 0.0}),
                {{"measure", {"loss", "accuracy", "changed"}}});
    for (const char* figure : {"pruning", "pruning-table"}) {
        CHECK(std::get<NoticeFigure>(build(source, figure).body).message.find("none can go") !=
              std::string::npos);
    }
}
