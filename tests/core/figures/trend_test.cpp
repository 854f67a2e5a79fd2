// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/error.h"
#include "core/figures/builder.h"
#include "core/figures/similarity_summary.h"
#include "tests/core/figures/made_source.h"
#include "tests/support/catch.h"

#include <cmath>
#include <limits>

using namespace moescope;
using namespace moescope::figures;
using tests::MadeSession;
using tests::MadeSource;

namespace {

FigureRequest trendRequest() {
    FigureRequest request;
    request.figure = "similarity-trend";
    return request;
}

const LineChartFigure& chartOf(const Figure& figure) {
    return std::get<LineChartFigure>(figure.body);
}

std::string messageOf(const FigureBuilder& builder, const FigureRequest& request) {
    try {
        (void)builder.build(request);
    } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::Usage);
        return error.what();
    }
    FAIL("nothing was refused");
    return {};
}

}  // namespace

TEST_CASE("summarise: pairs of different experts, baselines apart", "[core][figures]") {
    constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
    const Matrix map{4,
                     4,
                     {1.0F, 0.2F, 0.4F, 0.9F,  //
                      0.2F, 1.0F, 0.6F, 0.7F,  //
                      0.4F, 0.6F, 1.0F, 0.5F,  //
                      0.9F, 0.7F, 0.5F, 1.0F}};
    const SimilaritySummary summary = summarise(map, 3);
    CHECK(summary.mean == Approx(0.4));
    CHECK(summary.low == Approx(0.2));
    CHECK(summary.high == Approx(0.6));
    REQUIRE(summary.withOthers.size() == 1);
    CHECK(summary.withOthers[0] == Approx(0.7));
    Matrix holed = map;
    holed.values[1] = holed.values[4] = kNaN;
    CHECK(summarise(holed, 3).mean == Approx(0.5));
    CHECK(summarise(holed, 3).low == Approx(0.4));
    const SimilaritySummary lone = summarise({1, 1, {1.0F}}, 1);
    CHECK(std::isnan(lone.mean));
    CHECK(std::isnan(lone.high));
}

TEST_CASE("Similarity trend: what the maps say, absent layers as gaps", "[core][figures]") {
    const auto source = std::make_shared<MadeSource>(MadeSession{});
    const Figure figure = FigureBuilder(source).build(trendRequest());
    const LineChartFigure& chart = chartOf(figure);
    CHECK(chart.positions == std::vector<double>{0, 1, 2, 3});
    CHECK(chart.lines == std::vector<std::string>{"mean of experts", "experts with F"});
    REQUIRE(chart.groups.size() == 5);
    CHECK(chart.groups[0].panels.size() == 3);
    CHECK(chart.groups[2].title == "matched neurons");
    CHECK(chart.groups[2].reference == 0.125);  // what matching makes of unrelated matrices
    CHECK(chart.groups[3].title == "router rows");
    CHECK(chart.groups[4].panels.size() == 1);
    CHECK(chart.groups[0].reference == 0.0);
    CHECK(chart.groups[4].reference == 0.5);
    // Against the map itself, the slow way.
    const NdArray up = source->read({BranchId{}, "weight_similarity", "up"}, LayerId{2});
    double sum = 0.0;
    double least = 2.0;
    double withF = 0.0;
    for (std::uint64_t i = 0; i < 8; ++i) {
        withF += up.at(i * 9 + 8) / 8.0;
        for (std::uint64_t j = 0; j < i; ++j) {
            sum += up.at(i * 9 + j);
            least = std::min(least, up.at(i * 9 + j));
        }
    }
    const LineChartPanel& panel = chart.groups[0].panels[1];
    CHECK(panel.title == "up");
    CHECK(panel.lines[0][2] == Approx(sum / 28.0));
    CHECK(panel.lines[1][2] == Approx(withF));
    CHECK(panel.low[2] == least);
    CHECK(std::isnan(panel.lines[0][0]));  // layer 0 is dense
    CHECK(std::isnan(panel.high[0]));
    const std::string csv = toCsv(figure);
    CHECK(csv.find("group,panel,layer,line,value\n") != std::string::npos);
    CHECK(csv.find("weights,up,0,") == std::string::npos);
    CHECK(csv.find("weights,up,1,mean of experts,") != std::string::npos);
}

TEST_CASE("Similarity trend: roles, relative, chosen experiments", "[core][figures]") {
    const auto source = std::make_shared<MadeSource>(MadeSession{});
    const FigureBuilder builder(source);
    FigureRequest request = trendRequest();
    request.roles = {"down"};
    CHECK(chartOf(builder.build(request)).groups[0].panels.size() == 1);
    request.roles.clear();
    request.relative = true;
    const Figure relative = builder.build(request);
    CHECK(chartOf(relative).groups.size() == 2);  // mean neurons have none
    CHECK(chartOf(relative).lines.size() == 1);
    CHECK_FALSE(chartOf(relative).groups[0].reference);
    request.relative = false;
    request.experiments = {"output_similarity"};
    CHECK(chartOf(builder.build(request)).groups.size() == 1);
    request.experiments = {"rank_counts"};
    CHECK(messageOf(builder, request).find("weight_similarity") != std::string::npos);
    // Any of the similarities will do.
    source->remove("weight_similarity");
    source->remove("mean_neuron_similarity");
    source->remove("router_similarity");
    source->remove("matched_similarity");
    CHECK(chartOf(builder.build(trendRequest())).groups.size() == 1);
    source->remove("output_similarity");
    CHECK(messageOf(builder, trendRequest()).find("--experiments weight_similarity") !=
          std::string::npos);
}
