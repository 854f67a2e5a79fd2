// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/builder.h"
#include "tests/core/figures/made_source.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <cmath>
#include <vector>

using namespace moescope;
using namespace moescope::figures;
using tests::MadeSession;
using tests::MadeSource;

namespace {

Figure build(const FigureBuilder& builder, std::optional<int> layer,
             std::optional<TokenSelection> tokens = {}) {
    FigureRequest request;
    request.figure = "router-margin";
    request.layer = layer ? std::optional(LayerId{*layer}) : std::nullopt;
    request.tokens = std::move(tokens);
    return builder.build(request);
}

/// How many of a layer's values of one measure lie from `low` on and below `high`.
double shareBetween(const MadeSource& source, int layer, std::size_t measure, double low,
                    double high, double divisor) {
    const NdArray rows = source.read({BranchId{}, "router_margin", "margin"}, LayerId{layer});
    double inside = 0.0;
    for (std::uint64_t t = 0; t < rows.shape()[0]; ++t) {
        const double value = rows.at(t * 3 + measure) / divisor;
        inside += value >= low && value < high ? 1.0 : 0.0;
    }
    return inside / static_cast<double>(rows.shape()[0]);
}

}  // namespace

TEST_CASE("router-margin: the bars of a layer are shares of its tokens", "[core][figures]") {
    const auto source = std::make_shared<MadeSource>(MadeSession{});
    const FigureBuilder builder(source);
    const Figure figure = build(builder, 2);
    const auto& body = std::get<HistogramFigure>(figure.body);
    REQUIRE(body.panels.size() == 3);
    constexpr double kFar = 1e300;
    for (std::size_t m = 0; m < 3; ++m) {
        const HistogramPanel& panel = body.panels[m];
        const double divisor = m == 2 ? std::log(8.0) : 1.0;
        REQUIRE(panel.shares.size() == panel.edges.size() + 1);
        double sum = 0.0;
        for (std::size_t bin = 0; bin < panel.shares.size(); ++bin) {
            const double low = bin == 0 ? -kFar : panel.edges[bin - 1];
            const double high = bin == panel.edges.size() ? kFar : panel.edges[bin];
            CHECK(panel.shares[bin] ==
                  Approx(shareBetween(*source, 2, m, low, high, divisor)).margin(1e-12));
            sum += panel.shares[bin];
        }
        CHECK(sum == Approx(1.0));
    }
    std::vector<double> values;
    const NdArray rows = source->read({BranchId{}, "router_margin", "margin"}, LayerId{2});
    for (std::uint64_t t = 0; t < 64; ++t) {
        values.push_back(rows.at(t * 3));
    }
    std::sort(values.begin(), values.end());
    CHECK(body.panels[0].median == Approx((values[31] + values[32]) / 2.0));
    CHECK(toCsv(figure).find("panel,from,to,share\nscore margin,,0.0005,") != std::string::npos);
}

TEST_CASE("router-margin: rows of the map of all layers are the layers' bars", "[core][figures]") {
    const FigureBuilder builder(std::make_shared<MadeSource>(MadeSession{}));
    const TokenSelection some({TokenRange{3, 10}, TokenRange{40, 5}});
    for (const auto& tokens : {std::optional<TokenSelection>(), std::optional(some)}) {
        const Figure whole = build(builder, std::nullopt, tokens);
        const auto& map = std::get<HeatMapFigure>(whole.body);
        REQUIRE(map.panels.size() == 3);
        REQUIRE(map.panels[0].rowLabels == std::vector<std::string>{"1", "2", "3"});
        for (std::size_t row = 0; row < 3; ++row) {
            const Figure figure = build(builder, static_cast<int>(row) + 1, tokens);
            CHECK(figure.provenance.tokens == (tokens ? 15 : 64));
            const auto& bars = std::get<HistogramFigure>(figure.body);
            for (std::size_t m = 0; m < 3; ++m) {
                for (std::size_t bin = 0; bin < bars.panels[m].shares.size(); ++bin) {
                    CHECK(map.panels[m].matrix.at(row, bin) ==
                          static_cast<float>(bars.panels[m].shares[bin]));
                }
            }
        }
    }
}

TEST_CASE("router-margin: a dense layer says so, an older session has the margin alone",
          "[core][figures]") {
    const auto source = std::make_shared<MadeSource>(MadeSession{});
    CHECK(std::holds_alternative<NoticeFigure>(build(FigureBuilder(source), 0).body));
    source->remove("router_margin");
    for (int layer = 1; layer < 4; ++layer) {
        source->put("chosen_experts", "margin", LayerId{layer}, NdArray(ElementType::F32, {64, 1}),
                    {{"token", {}}, {"value", {}}});
    }
    const Figure figure = build(FigureBuilder(source), 1);
    const auto& body = std::get<HistogramFigure>(figure.body);
    REQUIRE(body.panels.size() == 1);
    CHECK(body.panels[0].shares[0] == 1.0);
    CHECK(figure.howToRead.find("need the experiment router_margin") != std::string::npos);
    CHECK(figure.howToRead.find("Entropy 1") == std::string::npos);
}

TEST_CASE("near-flips: sizes of noise that change a choice, and the rounded router",
          "[core][figures]") {
    const auto source = std::make_shared<MadeSource>(MadeSession{});
    FigureRequest request;
    request.figure = "near-flips";
    request.layer = LayerId{2};
    const auto textOf = [&](const std::vector<std::uint8_t>& first) {
        NdArray flips = source->read({BranchId{}, "router_margin", "flips"}, LayerId{2});
        std::vector<std::uint8_t> all;
        for (std::uint64_t t = 0; t < flips.shape()[0]; ++t) {
            all.insert(all.end(), first.begin(), first.end());
        }
        source->put("router_margin", "flips", LayerId{2},
                    NdArray::from<std::uint8_t>(flips.shape(), all),
                    {{"token", {}}, {"change", {"0.01", "0.05", "0.2", "bfloat16"}}});
        const Figure figure = FigureBuilder(source).build(request);
        return std::get<TableFigure>(figure.body).columns.back().texts.front();
    };
    CHECK(textOf({0, 0, 0, 0}).empty());
    CHECK(textOf({1, 1, 1, 0}) == "\u22650.01");
    CHECK(textOf({0, 1, 1, 1}) == "\u22650.05, bfloat16");
    CHECK(textOf({0, 0, 1, 1}) == "0.2, bfloat16");
    CHECK(textOf({1, 0, 1, 0}) == "0.01, 0.2");
    CHECK(textOf({1, 1, 0, 1}) == "0.01, 0.05, bfloat16");
    CHECK(textOf({0, 0, 0, 1}) == "bfloat16");
}
