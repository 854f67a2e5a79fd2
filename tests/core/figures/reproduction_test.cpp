// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Published values beside a session's: the table, what is measured, and how rows stand.

#include "core/figures/reproduction.h"

#include "core/base/error.h"
#include "core/figures/builder.h"
#include "core/numerics/correlation.h"
#include "tests/core/figures/made_source.h"
#include "tests/support/catch.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <set>

using namespace moescope;
using namespace moescope::figures;
using tests::MadeSession;
using tests::MadeSource;

namespace {

constexpr std::array kRoles{"gate", "up", "down"};

/// A session with the sizes of one of the paper's models.
std::shared_ptr<MadeSource> sessionLike(const PaperModel& model) {
    MadeSession what;
    what.layers = model.layers;
    what.experts = model.experts;
    what.denseFirst = model.family == "deepseek";
    what.tokens = 16;
    what.family = model.family;
    what.hiddenSize = model.hiddenSize;
    what.intermediateSize = model.intermediateSize;
    return std::make_shared<MadeSource>(what);
}

const PaperModel& mixtral() {
    return paperModels()[0];
}

const PaperValue& valueOf(const PaperModel& model, Measure measure, std::string_view role = {}) {
    const PaperValue* value = findPaperValue(model, measure, role);
    REQUIRE(value != nullptr);
    return *value;
}

Measured take(const MadeSource& source, Measure measure, std::string_view role = {}) {
    return measured(source, BranchId{}, mixtral(), valueOf(mixtral(), measure, role),
                    findPaperModel(source.head().model) != nullptr);
}

/// Mean of `of(map, i, j)` over the pairs i > j < `experts` of the named maps of the layers.
double meanOverPairs(const MadeSource& source, const std::string& experiment,
                     const std::vector<std::string>& quantities, const std::vector<int>& layers,
                     std::uint64_t columns, std::uint64_t experts = 8) {
    double sum = 0.0;
    std::uint64_t count = 0;
    for (const std::string& quantity : quantities) {
        for (const int layer : layers) {
            const NdArray map = source.read({BranchId{}, experiment, quantity}, LayerId{layer});
            for (std::uint64_t i = 0; i < experts; ++i) {
                for (std::uint64_t j = 0; j < i; ++j) {
                    sum += map.at(i * columns + j);
                    ++count;
                }
            }
        }
    }
    return sum / static_cast<double>(count);
}

std::vector<int> range(int first, int last) {
    std::vector<int> all;
    for (int i = first; i <= last; ++i) {
        all.push_back(i);
    }
    return all;
}

Figure page(const std::shared_ptr<const FigureSource>& source) {
    FigureRequest request;
    request.figure = "reproduction";
    return FigureBuilder(source).build(request);
}

/// As if the experiment had never been asked for.
void forget(MadeSource& source, const std::string& experiment) {
    source.remove(experiment);
    std::erase_if(source.head().experiments,
                  [&](const session::ExperimentRecord& one) { return one.id == experiment; });
}

/// The row of that quantity.
std::size_t rowOf(const TableFigure& table, const std::string& part) {
    const auto& names = table.columns[1].texts;
    const auto found = std::find_if(names.begin(), names.end(), [&](const std::string& name) {
        return name.find(part) != std::string::npos;
    });
    REQUIRE(found != names.end());
    return static_cast<std::size_t>(found - names.begin());
}

void putMap(MadeSource& source, const std::string& experiment, const std::string& quantity,
            int layer, std::uint64_t size,
            const std::function<float(std::uint64_t, std::uint64_t)>& of) {
    NdArray map(ElementType::F32, {size, size});
    for (std::uint64_t i = 0; i < size; ++i) {
        for (std::uint64_t j = 0; j < size; ++j) {
            map.values<float>()[i * size + j] = of(i, j);
        }
    }
    source.put(experiment, quantity, LayerId{layer}, std::move(map));
}

}  // namespace

TEST_CASE("Paper values: the tables agree with each other", "[core][figures]") {
    std::set<Measure> seen;
    for (const PaperModel& model : paperModels()) {
        INFO(model.title);
        const PaperValue& r = valueOf(model, Measure::RouterCorrelation, "gate");
        double squares = 0.0;
        for (const double one : r.series) {
            squares += one * one;
        }
        // The gate column of Table 3 is the mean of the squares in Table 5.
        CHECK(squares / static_cast<double>(r.series.size()) ==
              Approx(valueOf(model, Measure::RouterFit, "gate").value).margin(0.006));
        CHECK(static_cast<int>(r.series.size()) + r.layers.front() == model.layers);
        for (const PaperValue& value : model.values) {
            INFO(value.said);
            seen.insert(value.measure);
            CHECK_FALSE(value.source.empty());
            CHECK_FALSE(value.said.empty());
            CHECK(value.low <= value.high);
            CHECK((std::isnan(value.value) || value.agreesWith(value.value)));
            CHECK_FALSE(infoOf(value.measure).procedure.empty());
            for (const int layer : value.layers) {
                CHECK(layer < model.layers);
            }
        }
    }
    std::set<std::string_view> names;
    for (const Measure measure : seen) {
        names.insert(infoOf(measure).name);
    }
    CHECK(names.size() == seen.size());  // none falls back on another's words
    CHECK(seen.size() == 20);
}

TEST_CASE("Paper values: models are recognised by their sizes", "[core][figures]") {
    session::ModelSummary model;
    model.family = "mixtral";
    model.hiddenSize = 4096;
    model.layers.assign(32, {8, 2, 0, 14336});
    REQUIRE(findPaperModel(model) == &mixtral());
    CHECK(paperModelBeside(model).title == "Mixtral 8x7B");
    model.hiddenSize = 96;
    CHECK(findPaperModel(model) == nullptr);
    CHECK(paperModelBeside(model).title == "Mixtral 8x7B");  // of the family
    model.family = "deepseek";
    CHECK(paperModelBeside(model).title == "DeepSeekMoE 16B");
    model.family = "olmoe";
    CHECK(paperModelBeside(model).title == "Mixtral 8x7B");
    model.layers.assign(16, {64, 8, 0, 1024});
    CHECK(paperModelBeside(model).title == "DeepSeekMoE 16B");
    model.layers.assign(24, {8, 2, 1, 1024});
    CHECK(paperModelBeside(model).title == "DeepSeekMoE 16B");
    model.layers.clear();
    CHECK(findPaperModel(model) == nullptr);
    CHECK(paperModelBeside(model).title == "Mixtral 8x7B");
    for (const PaperModel& one : paperModels()) {
        CHECK(findPaperModel(sessionLike(one)->head().model) == &one);
    }
}

TEST_CASE("Reproduction: weights, against sums written out", "[core][figures]") {
    const auto source = sessionLike(mixtral());
    const std::vector<std::string> roles(kRoles.begin(), kRoles.end());
    const auto all = range(0, 31);
    CHECK(take(*source, Measure::WeightSimilarity).value ==
          Approx(meanOverPairs(*source, "weight_similarity", roles, all, 9)));
    double withF = 0.0;
    for (const char* role : kRoles) {
        for (const int layer : all) {
            const NdArray map =
                source->read({BranchId{}, "weight_similarity", role}, LayerId{layer});
            for (std::uint64_t i = 0; i < 8; ++i) {
                withF += map.at(i * 9 + 8);
            }
        }
    }
    CHECK(take(*source, Measure::WeightBaseline).value == Approx(withF / (3 * 32 * 8)));
    const double deep = meanOverPairs(*source, "weight_similarity", roles, range(22, 30), 9);
    auto others = range(0, 21);
    others.push_back(31);
    CHECK(take(*source, Measure::WeightDepth).value ==
          Approx(deep - meanOverPairs(*source, "weight_similarity", roles, others, 9)));
    int above = 0;
    for (const int layer : all) {
        const NdArray map =
            source->read({BranchId{}, "mean_neuron_similarity", "gate"}, LayerId{layer});
        double mean = 0.0;
        for (std::uint64_t i = 0; i < 8; ++i) {
            mean += map.at(i * 9 + 8) / 8.0;
        }
        const double pairs = meanOverPairs(*source, "mean_neuron_similarity", {"gate"}, {layer}, 9);
        above += pairs > mean ? 1 : 0;
    }
    CHECK(take(*source, Measure::NeuronBaseline, "gate").value == Approx(above / 32.0));
    CHECK(take(*source, Measure::NeuronBaseline, "gate").shown == fmt::format("{} of 32", above));
    // Kendall's tau: of the layers that the paper matched.
    CHECK(take(*source, Measure::MatchedOrder).value ==
          Approx(meanOverPairs(*source, "matched_similarity", {"gate_tau", "up_tau", "down_tau"},
                               {0, 5, 10, 15, 20, 25, 30, 31}, 9)));
    CHECK(take(*source, Measure::RouterSimilarity).value ==
          Approx(meanOverPairs(*source, "router_similarity", {"router"}, all, 8)));
    // The made-up regression has 0.1 * place + layer in every place.
    CHECK(take(*source, Measure::RouterFit, "gate").value == Approx(0.3 + 15.5));
    CHECK(take(*source, Measure::RouterFit, "up").value == Approx(0.9 + 15.5));
    CHECK(take(*source, Measure::RouterFit, "down").value == Approx(1.5 + 15.5));
}

TEST_CASE("Reproduction: growth is the median of relative growths", "[core][figures]") {
    const auto source = sessionLike(mixtral());
    source->remove("matched_similarity");
    // 0.5 after matching, 0.4, 0.45 or 0.25 before: 0.25, 0.111 and 1 in parts of 2, 20 and 6
    // pairs.
    for (const int layer : {5, 7}) {
        putMap(*source, "matched_similarity", "gate", layer, 8,
               [](auto i, auto j) { return i == j ? 1.0F : 0.5F; });
        putMap(*source, "matched_similarity", "gate_growth", layer, 8, [&](auto i, auto j) {
            const auto row = std::max(i, j);
            const float gained = row == 7 ? 0.25F : row == 1 ? 0.1F : 0.05F;
            return i == j ? 0.0F : layer == 7 ? 0.4F : gained;
        });
    }
    const Measured growth = take(*source, Measure::MatchedGrowth);
    CHECK(growth.value == Approx(std::log10(0.05 / 0.45)).margin(1e-5));
    CHECK(growth.shown == "1.1e\u22121");
    CHECK(growth.detail.find("1 of 32 layers") != std::string::npos);  // layer 7 is not the paper's
}

TEST_CASE("Reproduction: r of router and gate, layer by layer", "[core][figures]") {
    const auto source = sessionLike(mixtral());
    const PaperValue& published = valueOf(mixtral(), Measure::RouterCorrelation, "gate");
    const auto put = [&](int layer, double r) {
        NdArray regression(ElementType::F64, {3, 6});
        regression.values<double>()[2] = r;
        source->put("router_similarity", "regression", LayerId{layer}, std::move(regression));
    };
    for (int layer = 0; layer < 32; ++layer) {
        put(layer, published.series[static_cast<std::size_t>(layer)] + 0.004);
    }
    Measured same = take(*source, Measure::RouterCorrelation, "gate");
    CHECK(same.value == 32.0);
    CHECK(stateOf(published, same, true) == RowState::Agrees);
    put(3, -published.series[3]);  // another sign
    put(12, 0.05);                 // 0.14: squares differ by 0.017
    same = take(*source, Measure::RouterCorrelation, "gate");
    CHECK(same.value == 30.0);
    CHECK(same.shown == "30 of 32");
    CHECK(same.detail.find("farthest in layer 3: \u22120.54, published 0.54") != std::string::npos);
    CHECK(stateOf(published, same, true) == RowState::Deviates);
    source->head().model.hiddenSize = 96;
    const Measured other = take(*source, Measure::RouterCorrelation, "gate");
    CHECK(std::isnan(other.value));
    CHECK(stateOf(published, other, false) == RowState::OtherModel);
}

TEST_CASE("Reproduction: outputs, norms and states", "[core][figures]") {
    const auto source = sessionLike(mixtral());
    const auto constant = [&](int layer, float value) {
        putMap(*source, "output_similarity", "mean_angular", layer, 9, [&](auto i, auto j) {
            return i == j ? 1.0F : i == 8 || j == 8 ? value - 0.125F : value;
        });
    };
    for (int layer = 0; layer < 32; ++layer) {
        constant(layer, 0.5F);
    }
    constant(31, 0.9F);
    constant(6, 0.7F);
    constant(27, 0.6F);
    Measured order = take(*source, Measure::OutputOrder);
    CHECK(order.value == 2.0);
    CHECK(order.shown == "31 > 6 > 27");
    constant(6, 0.55F);
    order = take(*source, Measure::OutputOrder);
    CHECK(order.value == 1.0);
    CHECK(order.shown == "31 > 27 > 6");
    CHECK(take(*source, Measure::OutputBaseline).value == Approx(0.125).margin(1e-6));
    // Counts of two layers: norm ranks 1 to 7 agree in the first, all together only rank 8 does
    // not.
    NdArray counts(ElementType::U64, {8, 8});
    for (std::uint64_t i = 0; i < 8; ++i) {
        counts.values<std::uint64_t>()[i * 8 + i] = i == 7 ? 1 : 10;
        counts.values<std::uint64_t>()[i * 8 + 7] += i == 0 ? 5 : 0;
    }
    source->remove("rank_counts");
    source->put("rank_counts", "count", LayerId{0}, counts);
    source->put("rank_counts", "count", LayerId{1}, counts);
    const Measured ranks = take(*source, Measure::RankAgreement);
    CHECK(ranks.value == 7.0);
    CHECK(ranks.shown == "7 of 8");
    CHECK(stateOf(valueOf(mixtral(), Measure::RankAgreement), ranks, true) == RowState::Deviates);
    CHECK(take(*source, Measure::ActiveShare).value == Approx(75.0));
    // Pearson's r of the lower triangles, mean over layers and roles.
    double sum = 0.0;
    const auto fresh = sessionLike(mixtral());
    for (const char* role : kRoles) {
        for (int layer = 0; layer < 32; ++layer) {
            const NdArray weights =
                fresh->read({BranchId{}, "mean_neuron_similarity", role}, LayerId{layer});
            const NdArray outputs =
                fresh->read({BranchId{}, "output_similarity", "mean_angular"}, LayerId{layer});
            std::vector<double> x;
            std::vector<double> y;
            for (std::uint64_t i = 0; i < 8; ++i) {
                for (std::uint64_t j = 0; j < i; ++j) {
                    x.push_back(weights.at(i * 9 + j));
                    y.push_back(outputs.at(i * 9 + j));
                }
            }
            sum += numerics::pearson(x, y);
        }
    }
    CHECK(take(*fresh, Measure::WeightsTellOutputs).value == Approx(sum / 96));
}

TEST_CASE("Reproduction: what DeepSeekMoE and Grok-1 are asked", "[core][figures]") {
    const PaperModel& deepSeek = paperModels()[2];
    const auto source = sessionLike(deepSeek);
    const auto of = [&](const PaperModel& model, Measure measure, std::string_view role = {}) {
        return measured(*source, BranchId{}, model, valueOf(model, measure, role), true);
    };
    CHECK(of(deepSeek, Measure::NeuronSimilarity, "up").value ==
          Approx(meanOverPairs(*source, "mean_neuron_similarity", {"up"}, range(1, 27), 65, 64)));
    putMap(*source, "mean_neuron_similarity", "gate", 9, 65,
           [](auto i, auto j) { return i == 40 && j == 3 ? 0.99F : 0.1F; });
    const Measured largest = of(deepSeek, Measure::NeuronLargest, "gate");
    CHECK(largest.value >= 0.99 - 1e-6);
    // The kept tokens' cosines of 27 layers.
    double sum = 0.0;
    for (int layer = 1; layer < 28; ++layer) {
        const NdArray cosines =
            source->read({BranchId{}, "output_similarity", "token_cosine"}, LayerId{layer});
        for (std::uint64_t t = 0; t < 8; ++t) {
            for (std::uint64_t i = 0; i < 64; ++i) {
                for (std::uint64_t j = 0; j < i; ++j) {
                    sum += cosines.at((t * 65 + i) * 65 + j);
                }
            }
        }
    }
    CHECK(of(deepSeek, Measure::OutputCosine).value == Approx(sum / (27.0 * 8 * 64 * 63 / 2)));
    const double last = meanOverPairs(*source, "output_similarity", {"mean_angular"}, {27}, 65, 64);
    CHECK(of(deepSeek, Measure::OutputDepth).value ==
          Approx(last - meanOverPairs(*source, "output_similarity", {"mean_angular"}, range(1, 26),
                                      65, 64)));
    NdArray counts(ElementType::U64, {64, 64});
    for (std::uint64_t norm = 0; norm < 64; ++norm) {
        counts.values<std::uint64_t>()[(norm == 60 ? 12 : norm == 63 ? 59 : norm) * 64 + norm] = 9;
    }
    source->remove("rank_counts");
    source->put("rank_counts", "count", LayerId{1}, std::move(counts));
    const Measured top = of(deepSeek, Measure::TopRanks);
    CHECK(top.shown == "4 of 5");
    CHECK(top.value == 4.0);
    // Spearman's rho by the definition, of the same counts as pairs of ranks.
    std::vector<double> x;
    std::vector<double> y;
    for (int norm = 0; norm < 64; ++norm) {
        x.push_back(norm);
        y.push_back(norm == 60 ? 12 : norm == 63 ? 59 : norm);
    }
    CHECK(of(paperModels()[3], Measure::RankCorrelation).value ==
          Approx(numerics::spearman(x, y)).margin(0.02));
}

TEST_CASE("Reproduction: another model is said to be one", "[core][figures]") {
    MadeSession small;
    small.layers = 8;
    small.denseFirst = false;
    small.family = "mixtral";
    const auto source = std::make_shared<MadeSource>(small);
    const Figure figure = page(source);
    const auto& table = std::get<TableFigure>(figure.body);
    CHECK(table.rows == mixtral().values.size());
    CHECK(table.flagged.empty());
    CHECK(figure.caption.find("none of the models") != std::string::npos);
    CHECK(figure.title == "made-moe: reproduction, beside Mixtral 8x7B");
    for (std::size_t row = 0; row < table.rows; ++row) {
        INFO(table.columns[1].texts[row]);
        CHECK(table.columns[5].texts[row] == "other model");
        CHECK_FALSE(table.notes[row].empty());
    }
    // Layers of the same relative depth: 31, 6 and 27 of 32 are 7, 1 and 6 of 8.
    const std::size_t order = rowOf(table, "layers by falling similarity");
    for (const char* layer : {"layer 7", "layer 1", "layer 6"}) {
        CHECK(table.notes[order].find(layer) != std::string::npos);
    }
    // With three layers, two of the depths are one.
    small.layers = 3;
    const auto three = std::make_shared<MadeSource>(small);
    const Figure few = page(three);
    const auto& rows = std::get<TableFigure>(few.body);
    CHECK(rows.columns[5].texts[rowOf(rows, "layers by falling similarity")] == "no value");
}

TEST_CASE("Reproduction: rows agree, deviate, lack an experiment or a value", "[core][figures]") {
    const auto source = sessionLike(mixtral());
    for (int layer = 0; layer < 32; ++layer) {
        for (const char* role : kRoles) {
            putMap(*source, "weight_similarity", role, layer, 9, [](auto i, auto j) {
                return i == j ? 1.0F : i == 8 || j == 8 ? 0.8F : 0.3F;
            });
            putMap(*source, "mean_neuron_similarity", role, layer, 9, [](auto i, auto j) {
                return i == j ? 1.0F : std::numeric_limits<float>::quiet_NaN();
            });
        }
    }
    source->remove("matched_similarity");
    const Figure figure = page(source);
    const auto& table = std::get<TableFigure>(figure.body);
    const auto state = [&](const std::string& part) {
        return table.columns[5].texts[rowOf(table, part)];
    };
    CHECK(figure.title == "made-moe: reproduction");
    CHECK(state("weights of experts (S_ee)") == "agrees");
    CHECK(state("weights of experts and F") == "deviates");
    CHECK(state("mean gate neurons") == "no value");
    CHECK(state("Kendall") == "not run");
    CHECK(table.notes[rowOf(table, "Kendall")].find("run matched_similarity.") !=
          std::string::npos);
    CHECK(table.notes[rowOf(table, "mean gate neurons")].find("32 maps without a value") !=
          std::string::npos);
    const std::size_t baseline = rowOf(table, "weights of experts and F");
    CHECK(std::count(table.flagged.begin(), table.flagged.end(), baseline) == 1);
    CHECK(table.columns[4].numbers[baseline] == Approx(0.2).margin(1e-6));
    REQUIRE(table.sections.size() == 2);
    CHECK(table.sections[1].firstRow == rowOf(table, "layers by falling similarity"));
    // Without a baseline there is no S_ef.
    MadeSession alone{.layers = 32, .denseFirst = false, .baseline = false};
    alone.family = "mixtral";
    alone.hiddenSize = 4096;
    alone.intermediateSize = 14336;
    const auto lonely = std::make_shared<MadeSource>(alone);
    const Figure without = page(lonely);
    const auto& rows = std::get<TableFigure>(without.body);
    CHECK(rows.columns[5].texts[rowOf(rows, "weights of experts and F")] == "not run");
    CHECK(rows.notes[rowOf(rows, "weights of experts and F")].find("dense baseline") !=
          std::string::npos);
}

TEST_CASE("Reproduction: what is under way, and what was run in vain", "[core][figures]") {
    const auto source = sessionLike(mixtral());
    source->remove("rank_counts");
    const PaperValue& value = valueOf(mixtral(), Measure::RankAgreement);
    Measured ranks = take(*source, Measure::RankAgreement);
    CHECK(ranks.detail == "rank_counts kept none of it");
    CHECK(stateOf(value, ranks, true) == RowState::NoValue);
    for (session::ExperimentRecord& record : source->head().experiments) {
        record.state = session::ExperimentState::Running;
    }
    ranks = take(*source, Measure::RankAgreement);
    CHECK(ranks.missing == "rank_counts is not done yet");
    CHECK(stateOf(value, ranks, true) == RowState::NotRun);
}

TEST_CASE("Reproduction: a dense model has none", "[core][figures]") {
    const auto source = sessionLike(mixtral());
    for (session::LayerSummary& layer : source->head().model.layers) {
        layer.experts = 0;
    }
    CHECK(std::holds_alternative<NoticeFigure>(page(source).body));
}

TEST_CASE("Reproduction: the caption tells how the weights are stored", "[core][figures]") {
    const auto source = sessionLike(mixtral());
    source->head().model.storedDtype = "bfloat16";
    CHECK(page(source).caption.find("stored as") == std::string::npos);
    source->head().model.storedDtype = "Q4_K";
    CHECK(page(source).caption.find("Weights are stored as Q4_K") != std::string::npos);
}

TEST_CASE("Reproduction: arrays of another form are refused", "[core][figures]") {
    const auto source = sessionLike(mixtral());
    source->put("rank_counts", "count", LayerId{3}, NdArray(ElementType::U64, {8, 7}));
    CHECK_THROWS_AS(take(*source, Measure::RankAgreement), Error);
    source->put("output_similarity", "token_cosine", LayerId{3}, NdArray(ElementType::F32, {8, 9}));
    const PaperModel& grok = paperModels()[3];
    CHECK_THROWS_AS(measured(*source, BranchId{}, grok, valueOf(grok, Measure::OutputCosine), true),
                    Error);
    source->put("router_similarity", "regression", LayerId{3}, NdArray(ElementType::F64, {18}));
    CHECK_THROWS_AS(take(*source, Measure::RouterFit, "up"), Error);
}

TEST_CASE("Reproduction: NaN in one layer is left out and told", "[core][figures]") {
    const auto source = sessionLike(mixtral());
    for (int layer = 0; layer < 32; ++layer) {
        NdArray regression(ElementType::F64, {3, 6});
        regression.values<double>()[3] = layer == 4 ? std::nan("") : 0.25;
        source->put("router_similarity", "regression", LayerId{layer}, std::move(regression));
    }
    const Measured fit = take(*source, Measure::RouterFit, "gate");
    CHECK(fit.value == 0.25);
    CHECK(fit.detail.find("1 map without a value") != std::string::npos);
}

TEST_CASE("Reproduction: the CSV has every number, source and note", "[core][figures]") {
    const auto source = sessionLike(mixtral());
    forget(*source, "rank_counts");
    const Figure figure = page(source);
    const std::string csv = toCsv(figure);
    CHECK(csv.find("\nid,quantity,published,measured,deviation,state,as "
                   "published,source,note,section\n") != std::string::npos);
    const auto& table = std::get<TableFigure>(figure.body);
    const std::size_t row = rowOf(table, "mean r\u00B2 of router and gate");
    CHECK(csv.find(fmt::format("\nA4,mean r\u00B2 of router and gate,0.33,{},{},deviates,0.33,"
                               "Table 3,",
                               table.columns[3].numbers[row], table.columns[4].numbers[row])) !=
          std::string::npos);
    CHECK(csv.find(",8,nan,nan,not run,8 of 8,\"App. G, Fig. 10\",\"App. G, Fig. 10: run "
                   "rank_counts. ") != std::string::npos);
}

TEST_CASE("Router table: published values of a known model", "[core][figures]") {
    const auto source = sessionLike(mixtral());
    FigureRequest request;
    request.figure = "router-table";
    const Figure figure = FigureBuilder(source).build(request);
    const auto& table = std::get<TableFigure>(figure.body);
    CHECK(table.rows == 32 * 3 + 6);
    CHECK(table.summaryRows == 6);
    CHECK(table.columns[0].texts[table.rows - 3] == "published");
    CHECK(table.columns[5].numbers[table.rows - 3] == 0.33);
    CHECK(table.columns[5].numbers[table.rows - 1] == 0.07);
    CHECK(table.columns[8].name == "paper's r");
    CHECK(table.columns[8].numbers[3] == -0.44);  // layer 1, gate
    CHECK(std::isnan(table.columns[8].numbers[4]));
    CHECK(figure.howToRead.find("Mixtral 8x7B") != std::string::npos);
    // DeepSeekMoE's first layer is dense: the series begins with layer 1.
    const auto deepSeek = sessionLike(paperModels()[2]);
    const Figure second = FigureBuilder(deepSeek).build(request);
    CHECK(std::get<TableFigure>(second.body).columns[8].numbers[0] == 0.75);
}
