// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Figures of router rows beside weights, and of experts projected.

#include "core/base/error.h"
#include "core/figures/builder.h"
#include "tests/core/figures/made_source.h"
#include "tests/support/catch.h"

#include <cmath>
#include <tuple>

using namespace moescope;
using namespace moescope::figures;
using tests::MadeSession;
using tests::MadeSource;

namespace {

FigureRequest request(const std::string& figure, std::optional<int> layer) {
    FigureRequest wanted;
    wanted.figure = figure;
    if (layer) {
        wanted.layer = LayerId{*layer};
    }
    return wanted;
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

std::string messageOf(const FigureBuilder& builder, const FigureRequest& wanted) {
    try {
        (void)builder.build(wanted);
    } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::Usage);
        return error.what();
    }
    FAIL("nothing was refused");
    return {};
}

}  // namespace

TEST_CASE("Router similarity: the router beside the experts' maps", "[core][figures]") {
    const auto source = std::make_shared<MadeSource>(MadeSession{});
    const FigureBuilder builder(source);
    const Figure figure = builder.build(request("router-similarity", 2));
    const auto& body = std::get<HeatMapFigure>(figure.body);
    REQUIRE(body.panels.size() == 4);
    CHECK(body.panels[0].title == "router");
    CHECK(body.panels[3].title == "down");
    for (const HeatMapPanel& panel : body.panels) {
        CHECK(panel.matrix.rows == 8);  // without F
        CHECK(panel.ownScale.has_value() == (panel.title == "router"));
    }
    // The experts' maps share one scale: that of all three.
    float lowest = 2.0F;
    for (std::size_t i = 1; i < 4; ++i) {
        for (std::size_t at = 0; at < 64; ++at) {
            lowest = std::min(lowest, body.panels[i].matrix.values[at]);
        }
    }
    CHECK(body.bar.scale.low == double{lowest});
    CHECK_FALSE(body.bar.scale.hasBelow);
    const NdArray up = source->read({BranchId{}, "mean_neuron_similarity", "up"}, LayerId{2});
    CHECK(double{body.panels[2].matrix.at(7, 3)} == up.at(7 * 9 + 3));
    CHECK(has(figure.title, "mean neuron similarity"));
    FigureRequest ranged = request("router-similarity", 2);
    ranged.range.kind = ColourRange::Kind::AllLayers;
    const Figure overLayers = builder.build(ranged);
    const Figure all = builder.build(request("router-similarity", std::nullopt));
    CHECK(std::get<HeatMapFigure>(overLayers.body).panels[0].ownScale->scale.low ==
          std::get<HeatMapFigure>(all.body).bar.scale.low);
    CHECK(std::get<HeatMapFigure>(all.body).panels.size() == 3);
    // Without the maps of weights the router's own remains.
    source->remove("mean_neuron_similarity");
    CHECK(std::get<HeatMapFigure>(builder.build(request("router-similarity", 2)).body)
              .panels.size() == 1);
}

TEST_CASE("Router regression: pairs of the lower triangle, the stored lines", "[core][figures]") {
    const auto source = std::make_shared<MadeSource>(MadeSession{});
    const FigureBuilder builder(source);
    const Figure figure = builder.build(request("router-regression", 3));
    const auto& body = std::get<ScatterFigure>(figure.body);
    REQUIRE(body.panels.size() == 3);
    const ScatterPanel& gate = body.panels[0];
    REQUIRE(gate.size() == 28);
    const NdArray weights =
        source->read({BranchId{}, "mean_neuron_similarity", "gate"}, LayerId{3});
    const NdArray router = source->read({BranchId{}, "router_similarity", "router"}, LayerId{3});
    for (std::size_t i = 0; i < gate.size(); ++i) {
        const auto [row, column] = gate.pairs[i];
        CHECK(row > column);
        CHECK(double{gate.x[i]} == weights.at(std::uint64_t{row} * 9 + column));
        CHECK(double{gate.y[i]} == router.at(std::uint64_t{row} * 8 + column));
    }
    const NdArray stored =
        source->read({BranchId{}, "router_similarity", "regression"}, LayerId{3});
    CHECK(body.panels[1].lines.at(0).slope == stored.at(6));
    CHECK(body.panels[1].lines.at(0).intercept == stored.at(7));
    CHECK(body.panels[0].note == "r\u00B2 = 3.30");
    const Figure all = builder.build(request("router-regression", std::nullopt));
    const auto& layers = std::get<ScatterFigure>(all.body);
    CHECK(layers.groups.size() == 3);
    CHECK(layers.groups[0].name == "1");
    CHECK(layers.panels[0].size() == 3 * 28);
    CHECK(layers.panels[0].lines.size() == 3);
    CHECK(layers.panels[0].note == "mean r\u00B2 = 0.33");
    FigureRequest role = request("router-regression", 3);
    role.roles = {"up"};
    CHECK(std::get<ScatterFigure>(builder.build(role).body).panels.size() == 1);
    role.roles = {"head"};
    CHECK(has(messageOf(builder, role), "gate, up and down"));
    source->remove("mean_neuron_similarity");
    CHECK(has(messageOf(builder, request("router-regression", 3)),
              "--experiments mean_neuron_similarity"));
}

TEST_CASE("Router table: every statistic as stored, means below", "[core][figures]") {
    const auto source = std::make_shared<MadeSource>(MadeSession{});
    const FigureBuilder builder(source);
    const Figure figure = builder.build(request("router-table", std::nullopt));
    const auto& body = std::get<TableFigure>(figure.body);
    CHECK(body.rows == 3 * 3 + 3);
    CHECK(body.summaryRows == 3);
    CHECK(body.layers.size() == 9);
    CHECK(body.layers[3] == LayerId{2});
    const NdArray stored =
        source->read({BranchId{}, "router_similarity", "regression"}, LayerId{2});
    for (std::size_t role = 0; role < 3; ++role) {
        for (std::size_t i = 0; i < 6; ++i) {
            CHECK(body.columns[2 + i].numbers[3 + role] == stored.at(role * 6 + i));
        }
    }
    CHECK(body.columns[5].numbers[9] == 0.33);
    CHECK(std::isnan(body.columns[2].numbers[9]));
    CHECK(has(toCsv(figure), "\nmean,gate,nan,nan,nan,0.33,nan,nan\n"));
    CHECK_FALSE(has(figure.caption, "No regression"));
    NdArray holed = stored;
    holed.values<double>()[8] = std::nan("");  // r of up
    source->put("router_similarity", "regression", LayerId{2}, std::move(holed));
    for (const char* name : {"router-table", "router-regression"}) {
        CHECK(has(builder.build(request(name, std::nullopt)).caption, "up in layer 2."));
    }
}

TEST_CASE("Expert projection: scores, explained variance, outliers listed", "[core][figures]") {
    const auto source = std::make_shared<MadeSource>(MadeSession{});
    const FigureBuilder builder(source);
    FigureRequest wanted = request("expert-projection", 1);
    const Figure figure = builder.build(wanted);
    const auto& body = std::get<ScatterFigure>(figure.body);
    REQUIRE(body.panels.size() == 3);
    CHECK(body.groupCount == 8);
    CHECK(body.groups.back().kind == ScatterGroup::Kind::Baseline);
    const ScatterPanel& up = body.panels[1];
    CHECK(up.xTitle == "PC 1 (50.0 %)");
    CHECK(up.yTitle == "PC 2 (25.0 %)");
    const NdArray scores = source->read({BranchId{}, "expert_projection", "up"}, LayerId{1});
    REQUIRE(up.size() == 9);
    for (std::size_t i = 0; i < 9; ++i) {
        CHECK(double{up.x[i]} == scores.at(i * 2));
        CHECK(double{up.y[i]} == scores.at(i * 2 + 1));
    }
    CHECK(up.labels.back() == "F");
    CHECK(has(figure.caption, "Outliers by DBSCAN \u2013 gate: 1."));
    wanted.withoutOutliers = true;
    const Figure fewer = builder.build(wanted);
    const auto& rest = std::get<ScatterFigure>(fewer.body);
    CHECK(rest.panels[0].size() == 8);
    CHECK(rest.panels[0].labels[1] == "2");
    CHECK(rest.panels[1].size() == 9);
    CHECK(has(fewer.caption, "left out \u2013 gate: 1."));
    // A role without numbers has no points, and none of them is an outlier.
    NdArray gate(ElementType::F32, {9, 2});
    std::fill(gate.values<float>().begin(), gate.values<float>().end(), std::nanf(""));
    source->put("expert_projection", "gate", LayerId{1}, std::move(gate));
    const Figure holed = builder.build(wanted);
    CHECK(std::get<ScatterFigure>(holed.body).panels[0].size() == 0);
    CHECK_FALSE(has(holed.caption, "Outliers"));
    CHECK(has(holed.caption, "gate: 0, 1, 2, 3, 4, 5, 6, 7, F."));
}

TEST_CASE("Intermediate states: kept tokens, shares above the threshold", "[core][figures]") {
    const auto source = std::make_shared<MadeSource>(MadeSession{});
    const FigureBuilder builder(source);
    FigureRequest wanted = request("intermediate-states", 2);
    wanted.tokens = TokenRange{4, 3};
    const Figure figure = builder.build(wanted);
    const auto& body = std::get<NeuronMapFigure>(figure.body);
    REQUIRE(body.panels.size() == 4);  // tokens 4 and 6 are kept, S has a map of its own
    const NdArray states = source->read({BranchId{}, "intermediate_states", "states"}, LayerId{2});
    const NeuronMapPanel& first = body.panels[0];
    CHECK(first.rowLabels.back() == "F");
    CHECK(double{first.values.at(5, 17)} == states.at((2 * 9 + 5) * 24 + 17));
    CHECK(body.panels[1].values.columns == 48);
    CHECK(body.panels[1].rowLabels.front() == "S");
    int above = 0;
    double sum = 0.0;
    for (std::uint64_t neuron = 0; neuron < 24; ++neuron) {
        const double magnitude = std::abs(states.at((2 * 9 + 5) * 24 + neuron));
        above += magnitude > 0.001 ? 1 : 0;
        sum += magnitude;
    }
    CHECK(double{first.shareAbove[5]} == Approx(above / 24.0));
    CHECK(double{first.meanAbsolute[5]} == Approx(sum / 24.0));
    CHECK(first.chosen.size() == 2);
    CHECK(body.bar.scale.high == 1.0);
    CHECK(body.bar.scale.low < 0.0);
    CHECK(has(figure.caption, "Over all tokens, 75.0 % of the experts' values are above 0.001."));
    wanted.tokens.reset();
    CHECK(std::get<NeuronMapFigure>(builder.build(wanted).body).panels.size() == 2);
    wanted.tokens = TokenRange{5, 1};
    const Figure nearest = builder.build(wanted);
    CHECK(has(nearest.notice,
              "the nearest token with some is shown, 4. The session keeps them for "
              "8 of its 64 tokens."));
    wanted.tokens = TokenRange{4, 1};
    CHECK(builder.build(wanted).notice.empty());
    CHECK(std::get<NeuronMapFigure>(nearest.body).panels.front().values.values ==
          std::get<NeuronMapFigure>(builder.build(wanted).body).panels.front().values.values);
    wanted.tokens = TokenRange{0, 64};
    wanted.range.kind = ColourRange::Kind::AllLayers;
    CHECK(std::get<NeuronMapFigure>(builder.build(wanted).body).panels.size() == 16);
}

TEST_CASE("Matched neurons: similarity, growth and order, by what is there", "[core][figures]") {
    const auto source = std::make_shared<MadeSource>(MadeSession{});
    const FigureBuilder builder(source);
    for (const auto& [name, quantity, label] :
         {std::tuple("matched-similarity", "up", "cosine similarity"),
          std::tuple("matched-growth-similarity", "up_growth", "growth of cosine similarity"),
          std::tuple("matched-order-similarity", "up_tau", "Kendall's \u03C4")}) {
        const Figure figure = builder.build(request(name, 2));
        const auto& body = std::get<HeatMapFigure>(figure.body);
        INFO(name);
        REQUIRE(body.panels.size() == 3);
        CHECK(body.bar.label == label);
        const NdArray stored =
            source->read({BranchId{}, "matched_similarity", quantity}, LayerId{2});
        CHECK(double{body.panels[1].matrix.at(5, 8)} == stored.at(5 * 9 + 8));
    }
    CHECK(has(builder.build(request("matched-similarity", 1)).caption,
              "Gaussian matrices of this shape: 0.1250."));
    // One role alone was asked of the engine.
    const auto one = std::make_shared<MadeSource>(MadeSession{});
    const NdArray down = one->read({BranchId{}, "matched_similarity", "down"}, LayerId{1});
    one->remove("matched_similarity");
    one->put("matched_similarity", "down", LayerId{1}, down, {{"row", {}}, {"column", {}}});
    const Figure single = FigureBuilder(one).build(request("matched-similarity", 1));
    REQUIRE(std::get<HeatMapFigure>(single.body).panels.size() == 1);
    CHECK(std::get<HeatMapFigure>(single.body).panels[0].title == "down");
}

TEST_CASE("Neuron projection: scores of every neuron with its owner", "[core][figures]") {
    const auto source = std::make_shared<MadeSource>(MadeSession{});
    const FigureBuilder builder(source);
    FigureRequest wanted = request("neuron-projection", 2);
    const Figure flat = builder.build(wanted);
    const ScatterPanel& gate = std::get<ScatterFigure>(flat.body).panels.at(0);
    REQUIRE(gate.size() == 9 * 6);
    CHECK(gate.z.empty());
    CHECK(gate.group[13] == 2);
    CHECK(gate.member[13] == 1);
    CHECK(std::get<ScatterFigure>(flat.body).groups[8].kind == ScatterGroup::Kind::Baseline);
    const NdArray scores = source->read({BranchId{}, "neuron_projection", "gate"}, LayerId{2});
    CHECK(double{gate.y[13]} == scores.at(13 * 3 + 1));
    wanted.dimensions = 3;
    const Figure deep = builder.build(wanted);
    const ScatterPanel& down = std::get<ScatterFigure>(deep.body).panels.at(2);
    CHECK(down.zTitle == "PC 3 (25.0 %)");
    CHECK(double{down.z[20]} ==
          source->read({BranchId{}, "neuron_projection", "down"}, LayerId{2}).at(20 * 3 + 2));
    wanted.dimensions = 4;
    CHECK(has(messageOf(builder, wanted), "2 or 3"));
}
