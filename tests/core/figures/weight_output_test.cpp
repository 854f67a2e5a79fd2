// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/weight_output.h"

#include "core/figures/builder.h"
#include "tests/core/figures/made_source.h"
#include "tests/support/catch.h"
#include "tests/support/paths.h"
#include "tests/support/reference_file.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>

using namespace moescope;
using namespace moescope::figures;
using tests::MadeSession;
using tests::MadeSource;

namespace {

Matrix matrixOf(const NdArray& array) {
    const auto values = array.toDoubles();
    return {array.shape()[0], array.shape()[1], {values.begin(), values.end()}};
}

}  // namespace

TEST_CASE("relate: SciPy's correlations on the fixtures", "[core][figures]") {
    const auto fixture = GENERATE("mixtral", "deepseek", "deepseek-variant");
    INFO(fixture);
    const tests::ReferenceFile golden(tests::referenceDir() / "experiments" /
                                      fmt::format("{}.safetensors", fixture));
    int compared = 0;
    for (int layer = 0; layer < 5; ++layer) {
        for (const char* role : {"gate", "up", "down"}) {
            const auto name = fmt::format("weight_output_relation.{}.{}", layer, role);
            if (!golden.has(name)) {
                continue;
            }
            const auto expected = golden.array(name).toDoubles();  // rows A1, A2, A3
            const std::size_t experts =
                golden.array(fmt::format("rank_counts.counts.{}", layer)).shape()[0];
            const Matrix outputs =
                matrixOf(golden.array(fmt::format("output_similarity.angular.{}", layer)));
            const std::array kinds{fmt::format("weight_similarity.{}.{}", layer, role),
                                   fmt::format("mean_neuron_similarity.{}.{}", layer, role),
                                   fmt::format("matched_similarity.similarity.{}.{}", layer, role)};
            for (std::size_t kind = 0; kind < kinds.size(); ++kind) {
                INFO(kinds[kind]);
                const auto relation = relate(matrixOf(golden.array(kinds[kind])), outputs, experts);
                CHECK(relation.weights.size() == experts * (experts - 1) / 2);
                CHECK(relation.pearson == Approx(expected[2 * kind]).margin(1e-5));
                CHECK(relation.spearman == Approx(expected[2 * kind + 1]).margin(1e-5));
                ++compared;
            }
        }
    }
    CHECK(compared >= 18);
}

TEST_CASE("relate: pairs that are not available are left out", "[core][figures]") {
    constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
    const Matrix weights{3, 3, {1, 0.1F, 0.2F, 0.1F, 1, 0.3F, 0.2F, 0.3F, 1}};
    Matrix outputs{3, 3, {1, 0.5F, 0.6F, 0.5F, 1, 0.7F, 0.6F, 0.7F, 1}};
    CHECK(relate(weights, outputs, 3).pearson == Approx(1.0));
    outputs.values[7] = kNaN;
    const auto relation = relate(weights, outputs, 3);
    REQUIRE(relation.experts.size() == 2);
    CHECK(relation.experts[1] == std::pair<std::uint16_t, std::uint16_t>{2, 0});
    CHECK(std::isnan(relate(weights, outputs, 1).pearson));
}

TEST_CASE("FigureBuilder: weights and outputs, a layer and over layers", "[core][figures]") {
    const auto source = std::make_shared<MadeSource>(MadeSession{});
    const FigureBuilder builder(source);
    FigureRequest wanted;
    wanted.figure = "weight-output-relation";
    wanted.layer = LayerId{2};
    const Figure layer = builder.build(wanted);
    const auto& scatter = std::get<ScatterFigure>(layer.body);
    REQUIRE(scatter.panels.size() == 9);  // three similarities, three roles
    CHECK(scatter.panels[0].x.size() == 28);
    CHECK(scatter.panels[0].pairs[0] == std::pair<std::uint16_t, std::uint16_t>{1, 0});
    for (const ScatterPanel& panel : scatter.panels) {
        CHECK(panel.note.rfind("r = ", 0) == 0);
    }
    CHECK(correlationText(-0.254) == "\u22120.25");
    CHECK(correlationText(0.996) == "1.00");
    CHECK(correlationText(-0.001) == "0.00");
    wanted.layer.reset();
    wanted.roles = {"up"};
    const Figure overLayers = builder.build(wanted);
    const auto& lines = std::get<LineChartFigure>(overLayers.body);
    CHECK(lines.lines == std::vector<std::string>{"up"});
    REQUIRE(lines.groups.size() == 3);
    const auto pearson = lines.groups[0].panels[0].lines[0];
    CHECK(std::isnan(pearson[0]));  // dense
    CHECK(std::abs(pearson[2]) <= 1.0);
    source->remove("weight_similarity");
    source->remove("mean_neuron_similarity");
    source->remove("matched_similarity");
    CHECK(builder.layersOf(*findFigure("weight-output-relation"), BranchId{}).empty());
}
