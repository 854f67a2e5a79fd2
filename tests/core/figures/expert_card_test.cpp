// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
// The card of an expert says what the figures of its sections say; importance against plain sums.
#include "core/base/error.h"
#include "core/figures/builder.h"
#include "tests/core/figures/made_source.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <cmath>

using namespace moescope;
using namespace moescope::figures;
using tests::MadeSession;
using tests::MadeSource;

namespace {

constexpr int kExpert = 5;
constexpr LayerId kLayer{2};

Figure build(const std::shared_ptr<MadeSource>& source, const char* name,
             std::optional<LayerId> layer = kLayer, std::optional<int> expert = kExpert) {
    FigureRequest request;
    request.figure = name;
    request.layer = layer;
    request.expert = expert;
    return FigureBuilder(source).build(request);
}

const CardSection& section(const Figure& figure, const std::string& title) {
    const auto& sections = std::get<ExpertCardFigure>(figure.body).sections;
    const auto found = std::find_if(sections.begin(), sections.end(),
                                    [&](const CardSection& s) { return s.title == title; });
    REQUIRE(found != sections.end());
    return *found;
}

const CardRow& row(const CardSection& section, const std::string& label) {
    const auto found = std::find_if(section.rows.begin(), section.rows.end(),
                                    [&](const CardRow& r) { return r.label == label; });
    REQUIRE(found != section.rows.end());
    return *found;
}

}  // namespace

TEST_CASE("expert-card: load, partners and similarity are those of the figures",
          "[core][figures]") {
    const auto source = std::make_shared<MadeSource>(MadeSession{});
    const Figure card = build(source, "expert-card");
    const auto& body = std::get<ExpertCardFigure>(card.body);
    CHECK(body.expert == kExpert);
    CHECK(body.layer == kLayer);
    const auto routing = FigureBuilder(source).routing(kLayer);
    double chosen = 0.0;
    double first = 0.0;
    for (std::uint64_t t = 0; t < routing->tokenCount(); ++t) {
        first += routing->id(t, 0) == kExpert ? 1.0 : 0.0;
        chosen += routing->id(t, 0) == kExpert || routing->id(t, 1) == kExpert ? 1.0 : 0.0;
    }
    const auto tokens = static_cast<double>(routing->tokenCount());
    CHECK(row(section(card, "Load"), "chosen at all").value == Approx(chosen / tokens));
    CHECK(row(section(card, "Load"), "first choice").value == Approx(first / tokens));
    const CardSection& beside = section(card, "Beside the layer's other experts");
    CHECK(beside.current == std::size_t{kExpert});
    CHECK(beside.rows[kExpert].value == Approx(chosen / tokens));
    CHECK(beside.reference == 0.25);

    const auto pairs = build(source, "coactivation");
    const Matrix& together = std::get<HeatMapFigure>(pairs.body).panels[0].matrix;
    const CardSection& partners = section(card, "Chosen together with");
    REQUIRE(partners.rows.size() == 5);
    for (const CardRow& partner : partners.rows) {
        CHECK(partner.value ==
              Approx(together.at(kExpert, static_cast<std::size_t>(*partner.expert))));
    }
    CHECK(partners.rows[0].value >= partners.rows[4].value);

    const CardSection& similar = section(card, "Most similar experts");
    CHECK(std::count_if(similar.rows.begin(), similar.rows.end(),
                        [](const CardRow& r) { return r.text == "outputs"; }) == 3);
    const Matrix outputs =
        std::get<HeatMapFigure>(build(source, "output-similarity").body).panels[0].matrix;
    for (const CardRow& near : similar.rows) {
        CHECK(near.expert != kExpert);
        if (near.text == "outputs") {
            CHECK(near.value ==
                  Approx(outputs.at(kExpert, static_cast<std::size_t>(*near.expert))));
        }
    }
}

TEST_CASE("expert-card: importance over the tokens that choose it", "[core][figures]") {
    const auto source = std::make_shared<MadeSource>(MadeSession{});
    {  // with the experiment of its own, the numbers of its table
        const Figure card = build(source, "expert-card");
        const Figure table = build(source, "importance", kLayer);
        const auto& columns = std::get<TableFigure>(table.body).columns;
        const auto valueOf = [&](const std::string& name) {
            return std::find_if(columns.begin(), columns.end(),
                                [&](const TableColumn& c) { return c.name == name; })
                ->numbers[kExpert];
        };
        const CardSection& importance = section(card, "Importance");
        CHECK(row(importance, "weight x norm (REAP)").value == Approx(valueOf("REAP")));
        CHECK(row(importance, "norm (EAN)").value == Approx(valueOf("EAN mean")));
        CHECK(row(importance, "router weight").value == Approx(valueOf("mean weight")));
    }
    source->remove("importance");  // else from norms and scores
    const Figure card = build(source, "expert-card");
    const auto routing = FigureBuilder(source).routing(kLayer);
    const NdArray norms = source->read({BranchId{}, "norms_scores", "norm"}, kLayer);
    double count = 0.0;
    double weight = 0.0;
    double norm = 0.0;
    double product = 0.0;
    for (std::uint64_t t = 0; t < routing->tokenCount(); ++t) {
        for (int k = 0; k < 2; ++k) {
            if (routing->id(t, k) == kExpert) {
                const double own = norms.at(t * 8 + kExpert);
                count += 1.0;
                weight += static_cast<double>(routing->weight(t, k));
                norm += own;
                product += own * static_cast<double>(routing->weight(t, k));
            }
        }
    }
    REQUIRE(count > 0.0);
    const CardSection& importance = section(card, "Importance");
    CHECK(row(importance, "router weight").value == Approx(weight / count));
    CHECK(row(importance, "norm (EAN)").value == Approx(norm / count));
    CHECK(row(importance, "weight x norm (REAP)").value == Approx(product / count));
    // The removals that are made up: layers 1 to 3 by expert, over the intact loss.
    const auto map = build(source, "expert-removal", std::nullopt);
    CHECK(row(section(card, "Without it"), "in this layer").value ==
          Approx(std::get<HeatMapFigure>(map.body).panels[0].matrix.at(1, kExpert)));
}

TEST_CASE("expert-card: an array that ends too soon leaves values out, and nothing fails",
          "[core][figures]") {
    const auto source = std::make_shared<MadeSource>(MadeSession{});
    const std::vector<float> few{0.5F, 0.25F};
    source->put("importance", "largest_output", kLayer, NdArray::from<float>({2}, few));
    const CardSection importance = section(build(source, "expert-card"), "Importance");
    CHECK(std::isnan(row(importance, "largest output").value));
    const Figure table = build(source, "importance", kLayer);
    const auto& columns = std::get<TableFigure>(table.body).columns;
    const auto largest = std::find_if(columns.begin(), columns.end(),
                                      [](const TableColumn& c) { return c.name == "largest"; });
    CHECK(largest->numbers[1] == 0.25);
    CHECK(std::isnan(largest->numbers[2]));
}

TEST_CASE("expert-card: what is missing is said, nothing fails", "[core][figures]") {
    const auto source = std::make_shared<MadeSource>(MadeSession{});
    for (const char* experiment : {"expert_removal", "importance", "norms_scores",
                                   "weight_similarity", "router_similarity", "output_similarity"}) {
        source->remove(experiment);
    }
    const Figure card = build(source, "expert-card");
    CHECK(section(card, "Without it").missing.find("expert_removal") != std::string::npos);
    CHECK(section(card, "Output norm and router score").missing.find("norms_scores") !=
          std::string::npos);
    CHECK_FALSE(section(card, "Most similar experts").missing.empty());
    CHECK(std::isfinite(row(section(card, "Importance"), "router weight").value));
    CHECK(toCsv(card).find("Not in this session: run expert_removal.") != std::string::npos);
}

TEST_CASE("expert-card: the whole text's numbers are not said of selected tokens",
          "[core][figures]") {
    const auto source = std::make_shared<MadeSource>(MadeSession{});
    const auto cardOf = [&](std::uint64_t tokens) {
        FigureRequest request;
        request.figure = "expert-card";
        request.layer = kLayer;
        request.expert = kExpert;
        request.tokens = TokenSelection(TokenRange{0, tokens});
        return FigureBuilder(source).build(request);
    };
    const auto outputsIn = [](const Figure& card) {
        const auto& rows = section(card, "Most similar experts").rows;
        return std::count_if(rows.begin(), rows.end(),
                             [](const CardRow& r) { return r.text == "outputs"; });
    };
    const Figure some = cardOf(20);
    CHECK(section(some, "Without it").rows.empty());
    CHECK(section(some, "Without it").missing == "Measured on the whole text only.");
    CHECK(std::isnan(row(section(some, "Importance"), "largest output").value));
    CHECK(outputsIn(some) == 0);
    CHECK(section(some, "Most similar experts").note.find("whole text only") != std::string::npos);
    const Figure all = cardOf(64);  // every token: what was measured is of them
    CHECK_FALSE(section(all, "Without it").rows.empty());
    CHECK(std::isfinite(row(section(all, "Importance"), "largest output").value));
    CHECK(outputsIn(all) == 3);
}

TEST_CASE("expert-card: a wrong expert is refused, an idle one described", "[core][figures]") {
    const auto source = std::make_shared<MadeSource>(MadeSession{});
    CHECK_THROWS_AS(build(source, "expert-card", kLayer, 8), Error);
    CHECK_THROWS_AS(build(source, "expert-card", kLayer, -1), Error);
    NdArray ids(ElementType::U8, {64, 2});
    for (std::size_t i = 0; i < 128; ++i) {
        ids.values<std::uint8_t>()[i] = static_cast<std::uint8_t>(i % 2);
    }
    source->put("chosen_experts", "ids", kLayer, std::move(ids));
    const Figure idle = build(source, "expert-card");
    CHECK(row(section(idle, "Load"), "chosen at all").value == 0.0);
    CHECK_FALSE(section(idle, "Chosen together with").missing.empty());
    CHECK_FALSE(section(idle, "Tokens it takes most often").missing.empty());
    CHECK(std::isnan(row(section(idle, "Importance"), "router weight").value));
}
