// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
// Coloured text: loads, passages at several layers, and where to go next in a text.
#include "core/base/error.h"
#include "core/figures/builder.h"
#include "core/figures/routing_search.h"
#include "tests/core/figures/made_source.h"
#include "tests/support/catch.h"

#include <map>
#include <numeric>

using namespace moescope;
using namespace moescope::figures;
using tests::MadeSession;
using tests::MadeSource;

namespace {

Figure build(const FigureBuilder& builder, std::optional<LayerId> layer,
             std::optional<TokenSelection> tokens = {}, std::vector<LayerId> layers = {}) {
    FigureRequest request;
    request.figure = "coloured-text";
    request.layer = layer;
    request.layers = std::move(layers);
    request.tokens = std::move(tokens);
    return builder.build(request);
}

}  // namespace

TEST_CASE("coloured-text: loads are shares of first choices", "[core][figures]") {
    const FigureBuilder builder(std::make_shared<MadeSource>(MadeSession{}));
    const Figure figure = build(builder, LayerId{2}, TokenRange{10, 40});
    const auto& body = std::get<ColouredTextFigure>(figure.body);
    REQUIRE(body.firstShare.size() == 8);
    std::vector<double> expected(8, 0.0);
    for (std::uint64_t row = 0; row < 40; ++row) {
        expected[body.routing->id(row, 0)] += 1.0 / 40.0;
    }
    for (std::size_t e = 0; e < 8; ++e) {
        CHECK(body.firstShare[e] == Approx(expected[e]).margin(1e-12));
    }
    float most = 0.0F;
    for (const float weight : body.routing->weights) {
        most = std::max(most, weight);
    }
    CHECK(body.mostWeight == Approx(most));
}

TEST_CASE("coloured-text: one passage at several layers", "[core][figures]") {
    MadeSession what;
    what.tokens = 2000;
    const FigureBuilder builder(std::make_shared<MadeSource>(what));
    const Figure all = build(builder, std::nullopt);
    const auto& body = std::get<ColouredPassageFigure>(all.body);
    REQUIRE(body.layers.size() == 3);
    CHECK(body.layers[0]->tokenCount() == 128);
    CHECK_FALSE(all.notice.empty());
    const Figure some = build(builder, std::nullopt, TokenRange{700, 50}, {LayerId{3}, LayerId{1}});
    const auto& two = std::get<ColouredPassageFigure>(some.body);
    REQUIRE(two.layers.size() == 2);
    CHECK(two.layers[0]->layer == LayerId{3});
    CHECK(two.layers[0]->tokenAt(0) == 700);
    CHECK(two.layers[1]->id(7, 0) == builder.routing(LayerId{1})->id(707, 0));
    CHECK(some.notice.empty());
    CHECK(toCsv(some).find("layer,token,text,choice,expert,weight") != std::string::npos);
    const Figure lengthy = build(builder, std::nullopt, TokenRange{0, 1500});
    CHECK(std::get<ColouredPassageFigure>(lengthy.body).layers[0]->tokenCount() == 512);
    CHECK(lengthy.notice.find("512") != std::string::npos);
    CHECK_THROWS_AS(build(builder, std::nullopt, {}, {LayerId{0}}), Error);  // dense
    CHECK_THROWS_AS(build(builder, std::nullopt, TokenSelection({{0, 3}, {9, 3}})), Error);
}

TEST_CASE("tokensOf: all tokens that choose an expert, whichever choice it is", "[core][figures]") {
    Routing routing;
    routing.experts = 4;
    routing.topK = 2;
    routing.tokens = TokenRange{10, 4};
    routing.ids = {0, 1, 2, 3, 1, 0, 3, 2};
    routing.weights.assign(8, 0.5F);
    using Places = std::vector<std::uint64_t>;
    CHECK(tokensOf(routing, 0, {}) == Places{10, 12});
    CHECK(tokensOf(routing, 2, {}) == Places{11, 13});
    CHECK(tokensOf(routing, 5, {}).empty());
    std::stop_source stop;
    stop.request_stop();
    CHECK(tokensOf(routing, 0, stop.get_token()).empty());
}

namespace {

/// Counts the rows that are read of a quantity of chosen experts.
class CountingSource final : public FigureSource {
public:
    explicit CountingSource(std::shared_ptr<const FigureSource> from) : m_from(std::move(from)) {}
    [[nodiscard]] const session::Head& head() const override { return m_from->head(); }
    [[nodiscard]] const session::QuantityInfo* find(const session::QuantityId& id) const override {
        return m_from->find(id);
    }
    [[nodiscard]] NdArray read(const session::QuantityId& id,
                               std::optional<LayerId> layer) const override {
        return m_from->read(id, layer);
    }
    [[nodiscard]] NdArray readRows(const session::QuantityId& id, std::optional<LayerId> layer,
                                   std::uint64_t first, std::uint64_t count) const override {
        m_rows[id.quantity] += count;
        return m_from->readRows(id, layer, first, count);
    }
    [[nodiscard]] std::uint64_t rowsOf(const std::string& quantity) const {
        return m_rows[quantity];
    }

private:
    std::shared_ptr<const FigureSource> m_from;
    mutable std::map<std::string, std::uint64_t> m_rows;
};

}  // namespace

TEST_CASE("coloured-text: a passage at all layers reads no more than its tokens",
          "[core][figures]") {
    const auto made = std::make_shared<MadeSource>(MadeSession{.tokens = 4000});
    const auto source = std::make_shared<CountingSource>(made);
    const Figure figure = build(FigureBuilder(source), std::nullopt, TokenRange{1000, 50});
    CHECK(source->rowsOf("ids") == 3 * 50);
    CHECK(source->rowsOf("weights") == 3 * 50);
    const auto& layers = std::get<ColouredPassageFigure>(figure.body).layers;
    REQUIRE(layers.size() == 3);
    const auto whole = FigureBuilder(made).routing(LayerId{2});
    CHECK(layers[1]->tokens == TokenSelection(TokenRange{1000, 50}));
    for (std::uint64_t row = 0; row < 50; ++row) {
        CHECK(layers[1]->id(row, 1) == whole->id(1000 + row, 1));
        CHECK(layers[1]->weight(row, 0) == whole->weight(1000 + row, 0));
    }
}

TEST_CASE("expert-removal-table: loads are counted from ids alone", "[core][figures]") {
    const auto source =
        std::make_shared<CountingSource>(std::make_shared<MadeSource>(MadeSession{}));
    FigureRequest request;
    request.figure = "expert-removal-table";
    (void)FigureBuilder(source).build(request);
    CHECK(source->rowsOf("ids") == 3 * 64);
    CHECK(source->rowsOf("weights") == 0);
}

TEST_CASE("placeFrom: goes round in both directions", "[core][figures]") {
    const std::vector<std::uint64_t> tokens{1, 3, 5};
    CHECK(placeFrom(tokens, std::nullopt, +1) == 0);
    CHECK(placeFrom(tokens, std::nullopt, -1) == 2);
    CHECK(placeFrom(tokens, 1, +1) == 1);
    CHECK(placeFrom(tokens, 2, +1) == 1);
    CHECK(placeFrom(tokens, 5, +1) == 0);
    CHECK(placeFrom(tokens, 1, -1) == 2);
    CHECK(placeFrom(tokens, 4, -1) == 1);
    CHECK(placeFrom(tokens, 3, 0) == 1);
    CHECK(placeFrom(tokens, 6, 0) == 0);
    CHECK(placeFrom({7}, 7, +1) == 0);  // the only one
}

TEST_CASE("placeFrom: from a token that is not in the list", "[core][figures]") {
    const std::vector<std::uint64_t> tokens{10, 11, 30, 31};
    CHECK(placeFrom(tokens, 25, +1) == 2);
    CHECK(placeFrom(tokens, 25, -1) == 1);
    CHECK(placeFrom(tokens, 0, +1) == 0);
    CHECK(placeFrom(tokens, 0, -1) == 3);  // round
    CHECK(placeFrom(tokens, 90, -1) == 3);
    CHECK(placeFrom(tokens, 90, +1) == 0);
}

TEST_CASE("findText: over several tokens, ignoring case and white space before",
          "[core][figures]") {
    const std::vector<std::string> tokens{" The", " rou", "ter", "\n", " router", "s", "ROUTER"};
    using Places = std::vector<std::uint64_t>;
    CHECK(findText(tokens, "router", 100, {}) == Places{1, 4, 6});
    CHECK(findText(tokens, "routers", 100, {}) == Places{4});
    CHECK(findText(tokens, "the router", 100, {}) == Places{0});
    CHECK(findText(tokens, " router", 100, {}) == Places{1, 4});
    CHECK(findText(tokens, "router", 2, {}) == Places{1, 4});
    CHECK(findText(tokens, "", 100, {}).empty());
    CHECK(findText(tokens, "absent", 100, {}).empty());
    std::stop_source stop;
    stop.request_stop();
    CHECK(findText(tokens, "router", 100, stop.get_token()).empty());
}
