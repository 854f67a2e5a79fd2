// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
// Two sessions beside each other: agreement of the chosen experts (B5).
#include "core/base/error.h"
#include "core/figures/builder.h"
#include "core/figures/routing_agreement.h"
#include "tests/core/figures/made_source.h"
#include "tests/support/catch.h"
#include "tests/support/paths.h"
#include "tests/support/reference_file.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

using namespace moescope;
using namespace moescope::figures;
using tests::MadeSession;
using tests::MadeSource;

namespace {

using Builder = std::shared_ptr<const FigureBuilder>;

/// A session that differs from another one in its routing: its layer 1 is the other's layer 2.
std::shared_ptr<MadeSource> otherSource() {
    auto source = std::make_shared<MadeSource>(MadeSession{});
    source->head().model.name = "made-instruct";
    source->head().uuid = "other";
    for (const char* quantity : {"ids", "weights"}) {
        const session::QuantityId id{BranchId{}, "chosen_experts", quantity};
        source->put("chosen_experts", quantity, LayerId{1}, source->read(id, LayerId{2}));
    }
    return source;
}

FigureRequest request(const char* figure, std::optional<LayerId> layer = {}) {
    FigureRequest wanted;
    wanted.figure = figure;
    wanted.layer = layer;
    return wanted;
}

std::string messageOf(const FigureBuilder& builder, const FigureRequest& wanted,
                      const Builder& other) {
    try {
        (void)builder.build(wanted, {.stop = {}, .other = other});
    } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::Usage);
        return error.what();
    }
    return {};
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

Routing routingOf(const NdArray& ids) {
    Routing routing;
    routing.experts = 8;
    routing.topK = static_cast<int>(ids.shape()[1]);
    routing.tokens = TokenRange{0, ids.shape()[0]};
    for (std::uint64_t i = 0; i < ids.size(); ++i) {
        routing.ids.push_back(static_cast<std::uint16_t>(ids.at(i)));
    }
    routing.weights.resize(routing.ids.size());
    return routing;
}

}  // namespace

TEST_CASE("agreementOf: NumPy's shares for the demo's base and instruct", "[core][figures]") {
    const auto folder = tests::referenceDir() / "demo";
    const tests::ReferenceFile base(folder / "tiny-mixtral.safetensors");
    const tests::ReferenceFile instruct(folder / "tiny-mixtral-instruct.safetensors");
    const tests::ReferenceFile golden(folder / "agreement.safetensors");
    for (int layer = 0; layer < 8; ++layer) {
        INFO("layer " << layer);
        const auto name = fmt::format("layers.{}.chosen_experts", layer);
        const RoutingAgreement found =
            agreementOf(routingOf(base.array(name)), routingOf(instruct.array(name)));
        const NdArray expected = golden.array(fmt::format("agreement.{}", layer));
        CHECK(found.tokens == 37);
        CHECK(found.firstChoice == Approx(expected.at(0)).epsilon(1e-12));
        CHECK(found.sameSet == Approx(expected.at(1)).epsilon(1e-12));
        CHECK(found.overlap == Approx(expected.at(2)).epsilon(1e-12));
    }
}

TEST_CASE("agreementAtRandom: 8 experts, 2 chosen", "[core][figures]") {
    const RoutingAgreement random = agreementAtRandom(8, 2);
    CHECK(random.firstChoice == Approx(1.0 / 8.0));
    CHECK(random.overlap == Approx(2.0 / 8.0));
    CHECK(random.sameSet == Approx(1.0 / 28.0));
    CHECK(agreementAtRandom(4, 4).sameSet == Approx(1.0));
}

TEST_CASE("Comparison: a session agrees with itself, and symmetrically", "[core][figures]") {
    const auto here =
        std::make_shared<const FigureBuilder>(std::make_shared<MadeSource>(MadeSession{}));
    const auto there = std::make_shared<const FigureBuilder>(otherSource());
    const auto linesOf = [](const Builder& a, const Builder& b) {
        const Figure figure = a->build(request("routing-agreement"), {.stop = {}, .other = b});
        return std::get<LineChartFigure>(figure.body).groups.at(0).panels.at(0).lines;
    };
    for (const auto& line : linesOf(here, here)) {
        CHECK(line == std::vector<double>{1.0, 1.0, 1.0});
    }
    const auto lines = linesOf(here, there);
    CHECK(lines == linesOf(there, here));
    REQUIRE(lines.size() == 3);
    for (const auto& line : lines) {
        CHECK(line[0] < 1.0);  // layer 1 is another
        CHECK(line[1] == 1.0);
    }
    CHECK(lines[2][0] <= lines[1][0]);  // equal sets overlap wholly
}

TEST_CASE("Golden routing: D1 router saturation", "[core][figures]") {
    const tests::ReferenceFile file(tests::referenceDir() / "experiments" / "routing.safetensors");
    for (int layer = 0; layer < 3; ++layer) {
        const std::string number = std::to_string(layer);
        const Routing here = routingOf(file.array("layers." + number + ".chosen_experts"));
        const Routing there = routingOf(file.array("router_saturation.other_chosen." + number));
        const NdArray expected = file.array("router_saturation." + number);
        const std::vector<double> found = saturationOf(here, there);
        REQUIRE(found.size() == expected.size());
        for (std::size_t k = 0; k < found.size(); ++k) {
            CHECK(found[k] == Approx(expected.at(k)));
        }
        CHECK(saturationOf(there, here) == found);
    }
}

TEST_CASE("saturationOf: as far as both choose", "[core][figures]") {
    const std::vector<std::uint8_t> three{0, 1, 2};
    const std::vector<std::uint8_t> two{1, 0};
    const Routing here = routingOf(NdArray::from<std::uint8_t>({1, 3}, three));
    const Routing there = routingOf(NdArray::from<std::uint8_t>({1, 2}, two));
    CHECK(saturationOf(here, there) == std::vector<double>{0.0, 1.0});
    CHECK(saturationOf(there, here) == std::vector<double>{0.0, 1.0});
}

TEST_CASE("Routing: as many choices as the session says of the layer, or it is damaged",
          "[core][figures]") {
    const auto source = std::make_shared<MadeSource>(MadeSession{});
    source->put("chosen_experts", "ids", LayerId{1}, NdArray(ElementType::U8, {64, 3}));
    source->put("chosen_experts", "weights", LayerId{1}, NdArray(ElementType::F32, {64, 3}));
    try {
        (void)FigureBuilder(source).routing(LayerId{1});
        FAIL("taken");
    } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::BadSession);
        CHECK(has(error.what(), "layer 1 names 3 experts for a token, but the layer chooses 2"));
    }
}

TEST_CASE("router-saturation: one line for each number of choices", "[core][figures]") {
    const FigureBuilder here(std::make_shared<MadeSource>(MadeSession{}));
    const auto there = std::make_shared<const FigureBuilder>(otherSource());
    const Figure figure = here.build(request("router-saturation"), {.stop = {}, .other = there});
    const auto& chart = std::get<LineChartFigure>(figure.body);
    CHECK(chart.lines == std::vector<std::string>{"first choice", "first 2"});
    CHECK(chart.positions == std::vector<double>{1.0, 2.0, 3.0});
    const auto& lines = chart.groups.at(0).panels.at(0).lines;
    for (std::size_t k = 0; k < 2; ++k) {
        CHECK(lines[k][0] < 1.0);  // layer 1 is another
        CHECK(lines[k][1] == 1.0);
    }
    CHECK(has(figure.howToRead, "12.5 %, 25.0 %"));
    CHECK(has(messageOf(here, request("router-saturation"), nullptr), "--with OTHER.h5"));
}

TEST_CASE("router-saturation: a series against its last session", "[core][figures]") {
    const FigureBuilder first(otherSource());
    const auto named = [](const char* name, std::uint64_t tokens = 64) {
        MadeSession what;
        what.tokens = tokens;
        auto source = std::make_shared<MadeSource>(what);
        source->head().model.name = name;
        return std::make_shared<const FigureBuilder>(source);
    };
    const Builder middle = named("middle");
    const Builder last = named("last");
    const BuildAids aids{.stop = {}, .other = middle, .further = {last}};
    const Figure figure = first.build(request("router-saturation"), aids);
    const auto& chart = std::get<LineChartFigure>(figure.body);
    CHECK(chart.lines == std::vector<std::string>{"layer 1", "layer 2", "layer 3"});
    CHECK(chart.positionNames == std::vector<std::string>{"made-instruct", "middle"});
    REQUIRE(chart.groups.size() == 2);
    // A slow twin: sets and first choices counted token by token.
    for (const int layer : {1, 2, 3}) {
        const auto a = first.routing(LayerId{layer});
        const auto z = last->routing(LayerId{layer});
        double both = 0.0;
        double firsts = 0.0;
        for (std::uint64_t token = 0; token < 64; ++token) {
            for (const int k : {0, 1}) {
                both += a->id(token, k) == z->id(token, 0) || a->id(token, k) == z->id(token, 1);
            }
            firsts += a->id(token, 0) == z->id(token, 0);
        }
        const auto line = static_cast<std::size_t>(layer - 1);
        CHECK(chart.groups[0].panels[0].lines[line][0] == Approx(both / 128.0));
        CHECK(chart.groups[1].panels[0].lines[line][0] == Approx(firsts / 64.0));
        CHECK(chart.groups[0].panels[0].lines[line][1] == 1.0);  // the same but for its name
    }
    CHECK(chart.groups[0].reference == Approx(0.25));
    CHECK(chart.groups[1].reference == Approx(0.125));
    CHECK(has(figure.howToRead, "1 = made-instruct, 2 = middle"));
    CHECK(has(figure.title, "on the way to last"));
    CHECK(has(figure.provenance.other, "last"));
    CHECK(has(toCsv(figure), ",made-instruct,layer 1,"));
    // Another text anywhere in the series is refused; so is a series by figures of two.
    const BuildAids longer{.stop = {}, .other = middle, .further = {named("longer", 70), last}};
    CHECK_THROWS_AS(first.build(request("router-saturation"), longer), Error);
    CHECK_THROWS_AS(first.build(request("routing-agreement"), aids), Error);
}

TEST_CASE("Comparison: maps beside each other, of the same tokens", "[core][figures]") {
    const FigureBuilder here(std::make_shared<MadeSource>(MadeSession{}));
    const auto there = std::make_shared<const FigureBuilder>(otherSource());
    FigureRequest wanted = request("routing-comparison", LayerId{1});
    wanted.tokens = TokenSelection(std::vector<TokenRange>{{4, 3}, {20, 2}});
    const Figure figure = here.build(wanted, {.stop = {}, .other = there});
    const auto& body = std::get<RoutingMapFigure>(figure.body);
    REQUIRE(body.beside != nullptr);
    CHECK(body.name == "made-moe");
    CHECK(body.besideName == "made-instruct");
    REQUIRE(body.beside->tokenCount() == 5);
    CHECK(body.beside->id(3, 0) == there->routing(LayerId{1})->id(20, 0));
    CHECK(has(figure.provenance.other, "made-instruct (other)"));
    CHECK(has(figure.title, "beside made-instruct"));
    const std::string csv = toCsv(figure);
    CHECK(has(csv, "token,text,choice,expert,weight,other_expert,other_weight\n"));
    CHECK(has(csv, "# ComparedWith: made-instruct"));
    for (std::uint64_t row = 0; row < 5; ++row) {
        const bool firstDiffers = body.routing->id(row, 0) != body.beside->id(row, 0);
        CHECK(firstDiffers ==
              (agreementOf(*body.routing, *body.beside, row) == Agreement::Neither));
        const bool same = agreementOf(*body.routing, *body.beside, row) == Agreement::Same;
        CHECK(same == (agreementOf(*body.beside, *body.routing, row) == Agreement::Same));
    }
}

TEST_CASE("Comparison: what differs is said", "[core][figures]") {
    const FigureBuilder here(std::make_shared<MadeSource>(MadeSession{}));
    const auto message = [&](const std::shared_ptr<MadeSource>& other) {
        return messageOf(here, request("routing-agreement"),
                         std::make_shared<const FigureBuilder>(other));
    };
    const auto made = [](const MadeSession& what) { return std::make_shared<MadeSource>(what); };
    CHECK(has(messageOf(here, request("routing-agreement"), nullptr), "--with OTHER.h5"));
    CHECK(message(made({})).empty());
    CHECK(has(message(made({.layers = 5})), "4 layers here and 5 there"));
    CHECK(has(message(made({.experts = 16})), "layer 1 has 8 experts here and 16 there"));
    CHECK(has(message(made({.topK = 1})), "layer 1 chooses 2 experts here and 1 there"));
    CHECK(has(message(made({.tokens = 60})), "the texts differ from token 60 on"));
    CHECK(has(message(made({.documents = 4})), "the same tokens are 2 documents here and 4 there"));
    auto text = made({});
    text->head().corpus.ids[17] += 1;
    CHECK(has(message(text), "the texts differ from token 17 on"));
    auto chat = made({});
    chat->head().run.chatTemplate = true;
    CHECK(has(message(chat), "chat template in the other only"));
}
