// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Measured values of the reproduction against NumPy's, on the arrays of the reference fixtures.

#include "core/figures/reproduction.h"
#include "tests/core/figures/made_source.h"
#include "tests/support/catch.h"
#include "tests/support/paths.h"
#include "tests/support/reference_file.h"

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

using namespace moescope;
using namespace moescope::figures;
using tests::MadeSession;
using tests::MadeSource;
using tests::ReferenceFile;

namespace {

constexpr double kMargin = 1e-6;  // the session keeps float32

const std::map<Measure, std::string> kNames{
    {Measure::WeightSimilarity, "weight_similarity"},
    {Measure::WeightBaseline, "weight_baseline"},
    {Measure::WeightDepth, "weight_depth"},
    {Measure::NeuronSimilarity, "neuron_similarity"},
    {Measure::NeuronLargest, "neuron_largest"},
    {Measure::NeuronBaseline, "neuron_baseline"},
    {Measure::MatchedOrder, "matched_order"},
    {Measure::MatchedGrowth, "matched_growth"},
    {Measure::RouterSimilarity, "router_similarity"},
    {Measure::RouterFit, "router_fit"},
    {Measure::OutputDepth, "output_depth"},
    {Measure::OutputBaseline, "output_baseline"},
    {Measure::OutputCosine, "output_cosine"},
    {Measure::RankAgreement, "rank_agreement"},
    {Measure::TopRanks, "top_ranks"},
    {Measure::ActiveShare, "active_share"},
    {Measure::WeightsTellOutputs, "weights_tell_outputs"},
};

NdArray asFloats(const NdArray& array) {
    NdArray floats(ElementType::F32, array.shape());
    for (std::uint64_t i = 0; i < array.size(); ++i) {
        floats.values<float>()[i] = static_cast<float>(array.at(i));
    }
    return floats;
}

std::vector<session::Axis> pairAxes(std::uint64_t columns, std::uint64_t experts,
                                    const std::string& other) {
    std::vector<std::string> labels;
    for (std::uint64_t i = 0; i < columns; ++i) {
        labels.push_back(i < experts ? std::to_string(i) : other);
    }
    return {{"row", labels}, {"column", labels}};
}

/// A session that holds the golden arrays of a fixture.
struct Fixture {
    std::string name, other;  ///< label of the column after the experts'
    int firstLayer;
    std::uint64_t experts;
    ReferenceFile golden{tests::referenceDir() / "experiments" / (name + ".safetensors")};

    [[nodiscard]] std::shared_ptr<MadeSource> source() const {
        MadeSession what{.layers = 3,
                         .experts = static_cast<int>(experts),
                         .tokens = 4,
                         .denseFirst = firstLayer > 0};
        what.family = name;
        auto made = std::make_shared<MadeSource>(what);
        for (const char* experiment :
             {"weight_similarity", "mean_neuron_similarity", "matched_similarity",
              "router_similarity", "output_similarity", "rank_counts", "intermediate_states"}) {
            made->remove(experiment);
        }
        for (int layer = firstLayer; layer < 3; ++layer) {
            putWeights(*made, layer);
            putOutputs(*made, layer);
        }
        return made;
    }

private:
    void putMap(MadeSource& made, const std::string& experiment, const std::string& quantity,
                int layer, const std::string& from) const {
        const NdArray map = asFloats(golden.array(from));
        made.put(experiment, quantity, LayerId{layer}, map,
                 pairAxes(map.shape().back(), experts, other));
    }

    void putWeights(MadeSource& made, int layer) const {
        NdArray regression(ElementType::F64, {3, 6});
        std::uint64_t place = 0;
        for (const char* role : {"gate", "up", "down"}) {
            const auto at = fmt::format("{}.{}", layer, role);
            for (const char* experiment : {"weight_similarity", "mean_neuron_similarity"}) {
                putMap(made, experiment, role, layer, fmt::format("{}.{}", experiment, at));
            }
            putMap(made, "matched_similarity", role, layer, "matched_similarity.similarity." + at);
            putMap(made, "matched_similarity", role + std::string("_tau"), layer,
                   "matched_similarity.kendall_tau." + at);
            putGrowth(made, role, layer, at);
            const NdArray row = golden.array("router_similarity.regression." + at);
            for (std::uint64_t i = 0; i < 6; ++i) {
                regression.values<double>()[place++] = row.at(i);
            }
        }
        made.put("router_similarity", "regression", LayerId{layer}, std::move(regression),
                 {{"role", {"gate", "up", "down"}},
                  {"statistic", {"slope", "intercept", "r", "r2", "p", "stderr"}}});
        putMap(made, "router_similarity", "router", layer,
               fmt::format("router_similarity.router.{}", layer));
    }

    void putGrowth(MadeSource& made, const std::string& role, int layer,
                   const std::string& at) const {
        const NdArray after = golden.array("matched_similarity.similarity." + at);
        const NdArray before = golden.array("weight_similarity." + at);
        NdArray growth(ElementType::F32, after.shape());
        for (std::uint64_t i = 0; i < after.size(); ++i) {
            growth.values<float>()[i] = static_cast<float>(after.at(i) - before.at(i));
        }
        made.put("matched_similarity", role + "_growth", LayerId{layer}, growth,
                 pairAxes(growth.shape().back(), experts, other));
    }

    void putOutputs(MadeSource& made, int layer) const {
        putMap(made, "output_similarity", "mean_angular", layer,
               fmt::format("output_similarity.angular.{}", layer));
        made.put("output_similarity", "token_cosine", LayerId{layer},
                 asFloats(golden.array(fmt::format("output_similarity.cosine.{}", layer))));
        const NdArray counted = golden.array(fmt::format("rank_counts.counts.{}", layer));
        NdArray counts(ElementType::U64, counted.shape());
        for (std::uint64_t i = 0; i < counts.size(); ++i) {
            counts.values<std::uint64_t>()[i] = static_cast<std::uint64_t>(counted.at(i));
        }
        made.put("rank_counts", "count", LayerId{layer}, std::move(counts));
        made.put("intermediate_states", "active_share", LayerId{layer},
                 asFloats(golden.array(fmt::format("intermediate_states.active_share.{}", layer))));
    }
};

}  // namespace

TEST_CASE("Reproduction: NumPy's values on the fixtures", "[core][figures]") {
    const ReferenceFile golden(tests::referenceDir() / "experiments" / "reproduction.safetensors");
    std::size_t compared = 0;
    for (const Fixture& fixture : {Fixture{"mixtral", "F", 0, 7}, Fixture{"deepseek", "S", 1, 9}}) {
        const auto source = fixture.source();
        // All models' values: a measure does not depend on whose words it is held against, but
        // for the layers that these name.
        const PaperModel& own = paperModelBeside(source->head().model);
        for (const PaperModel& model : paperModels()) {
            for (const PaperValue& value : model.values) {
                const auto name = kNames.find(value.measure);
                const std::string key =
                    name == kNames.end() ? std::string("-")
                                         : fmt::format("{}.{}{}{}", fixture.name, name->second,
                                                       value.role.empty() ? "" : ".", value.role);
                if (!golden.has(key) || (!value.layers.empty() && &model != &own)) {
                    continue;
                }
                INFO(model.title << ": " << key);
                const Measured found = measured(*source, BranchId{}, model, value, false);
                CHECK(found.missing.empty());
                CHECK(found.value == Approx(golden.array(key).at(0)).margin(kMargin).epsilon(1e-5));
                ++compared;
            }
        }
    }
    CHECK(compared > 40);
    // Without a baseline, S is none.
    const auto source = Fixture{"deepseek", "S", 1, 9}.source();
    const PaperModel& mixtral = paperModels()[0];
    CHECK_FALSE(measured(*source, BranchId{}, mixtral,
                         *findPaperValue(mixtral, Measure::OutputBaseline), false)
                    .missing.empty());
}
