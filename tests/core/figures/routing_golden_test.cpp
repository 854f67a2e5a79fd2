// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
// Figures of routing against the values of tests/reference/make_routing.py (plain NumPy).
#include "core/figures/builder.h"
#include "tests/core/figures/made_source.h"
#include "tests/core/figures/table_column.h"
#include "tests/support/catch.h"
#include "tests/support/paths.h"
#include "tests/support/reference_file.h"
#include "tests/support/throws.h"

#include <algorithm>
#include <cmath>
#include <map>

using namespace moescope;
using namespace moescope::figures;
using tests::column;
using tests::MadeSession;
using tests::MadeSource;
using tests::ReferenceFile;

namespace {

constexpr int kExperts = 7;
constexpr int kLayers = 3;

ReferenceFile golden(const char* name) {
    return ReferenceFile(tests::referenceDir() / "experiments" /
                         (std::string(name) + ".safetensors"));
}

/// The run that the values are of, as a session; domains as the script orders them.
struct Run {
    Run() {
        MadeSession what;
        what.layers = kLayers;
        what.experts = kExperts;
        what.tokens = 240;
        what.denseFirst = false;
        source = std::make_shared<MadeSource>(what);
        text::TokenizedCorpus& corpus = source->head().corpus;
        corpus.ids.clear();
        for (const double id : file.array("token_ids").toDoubles()) {
            corpus.ids.push_back(static_cast<text::TokenId>(id));
        }
        corpus.offsets.clear();
        for (const double offset : file.array("document_offsets").toDoubles()) {
            corpus.offsets.push_back(static_cast<std::uint64_t>(offset));
        }
        // As the script has them; its own rows are in the order of the names.
        corpus.domains = {"code", "mathematics", "prose"};
        corpus.domainOf = {2, 0, 0, 2, 1, 0, 2, 1, 1};
        corpus.sources.resize(corpus.domainOf.size());
        const NdArray predicted = file.array("predicted_ids");
        NdArray kept(ElementType::U32, predicted.shape());
        for (std::uint64_t i = 0; i < predicted.size(); ++i) {
            kept.values<std::uint32_t>()[i] = static_cast<std::uint32_t>(predicted.at(i));
        }
        source->put("expert_removal", "predicted", std::nullopt, std::move(kept));
        for (int layer = 0; layer < kLayers; ++layer) {
            const NdArray chosen =
                file.array("layers." + std::to_string(layer) + ".chosen_experts");
            NdArray ids(ElementType::U8, chosen.shape());
            for (std::uint64_t i = 0; i < chosen.size(); ++i) {
                ids.values<std::uint8_t>()[i] = static_cast<std::uint8_t>(chosen.at(i));
            }
            source->put("chosen_experts", "ids", LayerId{layer}, std::move(ids));
        }
    }

    [[nodiscard]] Figure build(const char* name, std::optional<int> layer,
                               const LoadSimulation& load = {}) const {
        FigureRequest request;
        request.figure = name;
        request.load = load;
        request.layer = layer ? std::optional(LayerId{*layer}) : std::nullopt;
        return FigureBuilder(source).build(request);
    }
    /// Row of a domain where domains come in order of appearance.
    [[nodiscard]] std::size_t rowOf(const HeatMapPanel& panel, std::size_t domain) const {
        const auto& rows = panel.rowLabels;
        return static_cast<std::size_t>(
            std::find(rows.begin(), rows.end(), source->head().corpus.domains[domain]) -
            rows.begin());
    }

    ReferenceFile file = golden("routing");
    std::shared_ptr<MadeSource> source;
};

std::string at(const std::string& name, int layer) {
    return name + "." + std::to_string(layer);
}

const HeatMapPanel& panelOf(const Figure& figure, std::size_t index = 0) {
    return std::get<HeatMapFigure>(figure.body).panels.at(index);
}

void checkMatrix(const Matrix& found, const NdArray& expected) {
    REQUIRE(found.values.size() == expected.size());
    for (std::uint64_t i = 0; i < expected.size(); ++i) {
        if (std::isnan(expected.at(i))) {
            CHECK(std::isnan(found.values[i]));
        } else {
            CHECK(found.values[i] == Approx(expected.at(i)).margin(1e-6));
        }
    }
}

}  // namespace

TEST_CASE("Golden routing: C1 and D3 by domain", "[core][figures]") {
    const Run run;
    for (int layer = 0; layer < kLayers; ++layer) {
        const Figure share = run.build("domain-share", layer);
        const Figure tokens = run.build("domain-specialisation", layer);
        const std::vector<std::pair<const HeatMapPanel*, std::string>> panels{
            {&panelOf(share, 0), "domain_share.choice_1"},
            {&panelOf(share, 1), "domain_share.choice_2"},
            {&panelOf(share, 2), "domain_share.any"},
            {&panelOf(tokens), "specialisation.domain"}};
        for (const auto& [panel, name] : panels) {
            const NdArray expected = run.file.array(at(name, layer));
            for (std::uint64_t d = 0; d < 3; ++d) {
                for (std::uint64_t e = 0; e < kExperts; ++e) {
                    CHECK(panel->matrix.at(run.rowOf(*panel, d), e) ==
                          Approx(expected.at(d * kExperts + e)).margin(1e-6));
                }
            }
        }
    }
}

TEST_CASE("Golden routing: C2 repetition", "[core][figures]") {
    const Run run;
    const NdArray positions = run.file.array("repetition.positions");
    const NdArray random = run.file.array("repetition.random");
    for (int layer = 0; layer < kLayers; ++layer) {
        const Figure table = run.build("repetition-table", layer);
        const NdArray expected = run.file.array(at("repetition", layer));
        const auto& names = column(table, "domain").texts;
        const auto& domains = run.source->head().corpus.domains;
        for (std::size_t d = 0; d <= domains.size(); ++d) {
            const std::string name = d < domains.size() ? domains[d] : "all text";
            const auto row = static_cast<std::size_t>(std::find(names.begin(), names.end(), name) -
                                                      names.begin());
            CHECK(column(table, "positions").numbers[row] == positions.at(d));
            CHECK(column(table, "first choice").numbers[row] == Approx(expected.at(2 * d)));
            CHECK(column(table, "first or second choice").numbers[row] ==
                  Approx(expected.at(2 * d + 1)));
        }
        CHECK(column(table, "first choice").numbers.back() == Approx(random.at(0)));
        CHECK(column(table, "first or second choice").numbers.back() == Approx(random.at(1)));
    }
}

TEST_CASE("Golden routing: C5 load", "[core][figures]") {
    const Run run;
    const Figure map = run.build("load-balance", std::nullopt);
    const Figure table = run.build("load-table", std::nullopt);
    for (int layer = 0; layer < kLayers; ++layer) {
        const auto row = static_cast<std::size_t>(layer);
        const NdArray load = run.file.array(at("load_balance.load", layer));
        double mean = 0.0;
        for (std::uint64_t e = 0; e < kExperts; ++e) {
            mean += load.at(e) / kExperts;
        }
        for (std::uint64_t e = 0; e < kExperts; ++e) {
            CHECK(panelOf(map).matrix.at(row, e) == Approx(load.at(e) / mean).margin(1e-6));
        }
        const NdArray balance = run.file.array(at("load_balance.balance", layer));
        CHECK(column(table, "max/mean").numbers[row] == Approx(balance.at(0)));
        CHECK(column(table, "variation").numbers[row] == Approx(balance.at(1)));
        CHECK(column(table, "entropy").numbers[row] == Approx(balance.at(2)));
        CHECK(column(table, "idle").numbers[row] == balance.at(3));
        // One batch holds the whole text; factors 0.5, 1, 1.25, 2.
        const NdArray dropped = run.file.array(at("load_balance.dropped", layer));
        CHECK(column(table, "dropped at 1").numbers[row] == Approx(dropped.at(1)).margin(1e-12));
        CHECK(column(table, "dropped at 1.25").numbers[row] == Approx(dropped.at(2)).margin(1e-12));
        // Seven experts lie on three devices.
        const NdArray slowdown = run.file.array(at("load_balance.slowdown", layer));
        const std::vector<double> three{slowdown.at(1), slowdown.at(2), slowdown.at(3)};
        const auto has = [&](double value) {
            return std::any_of(three.begin(), three.end(),
                               [&](double x) { return std::abs(x - value) < 1e-9; });
        };
        CHECK(has(column(table, "in order").numbers[row]));
        CHECK(has(column(table, "by load").numbers[row]));
    }
}

TEST_CASE("Golden routing: C5 with other batches, capacities and devices", "[core][figures]") {
    const Run run;
    for (const int devices : {2, 3}) {
        const Figure table =
            run.build("load-table", std::nullopt,
                      {.batchTokens = 1000, .capacities = {2.0, 0.5}, .devices = devices});
        for (int layer = 0; layer < kLayers; ++layer) {
            const auto row = static_cast<std::size_t>(layer);
            // The script's factors are 0.5, 1, 1.25, 2, its devices 2 and 3.
            const NdArray dropped = run.file.array(at("load_balance.dropped", layer));
            CHECK(column(table, "dropped at 2").numbers[row] ==
                  Approx(dropped.at(3)).margin(1e-12));
            CHECK(column(table, "dropped at 0.5").numbers[row] ==
                  Approx(dropped.at(0)).margin(1e-12));
            const NdArray slowdown = run.file.array(at("load_balance.slowdown", layer));
            const auto first = static_cast<std::uint64_t>(devices - 2) * 2;
            CHECK(column(table, "in order").numbers[row] == Approx(slowdown.at(first)));
            CHECK(column(table, "by load").numbers[row] == Approx(slowdown.at(first + 1)));
        }
    }
    const Figure table = run.build("load-table", std::nullopt, {.batchTokens = 32});
    for (int layer = 0; layer < kLayers; ++layer) {
        const auto row = static_cast<std::size_t>(layer);
        const NdArray batches = run.file.array(at("load_balance.batch_balance", layer));
        REQUIRE(batches.shape() == std::vector<std::uint64_t>{8, 4});
        double sum = 0.0;
        double worst = 0.0;
        for (std::uint64_t b = 0; b < 7; ++b) {  // the eighth is not whole
            sum += batches.at(b * 4);
            worst = std::max(worst, batches.at(b * 4));
        }
        CHECK(column(table, "of batches").numbers[row] == Approx(sum / 7.0));
        CHECK(column(table, "worst batch").numbers[row] == Approx(worst));
    }
}

TEST_CASE("load-table: what is supposed is said, what cannot be is refused", "[core][figures]") {
    const Run run;
    CHECK(run.build("load-table", std::nullopt).caption.find("of 512 consecutive") !=
          std::string::npos);
    const Figure table =
        run.build("load-table", std::nullopt, {.batchTokens = 7, .capacities = {1}, .devices = 7});
    CHECK_THAT(table.caption,
               Catch::Contains("of 7 consecutive") && Catch::Contains("Devices: 7."));
    const auto refused = [&](const LoadSimulation& load, const char* words) {
        tests::checkThrows([&] { (void)run.build("load-table", std::nullopt, load); },
                           ErrorCode::Usage, {words});
    };
    refused({.batchTokens = 0}, "give 1 token or more");
    for (const double factor : {0.0, -1.0, 1e9, std::nan("")}) {
        refused({.capacities = {factor}}, "give a number above 0");
    }
    refused({.capacities = {}}, "give 1 to 4");
    refused({.devices = 0}, "0 devices are not possible");
    refused({.devices = 8}, "layer 0 has 7 experts; give 1 to 7 devices");
}

TEST_CASE("Golden routing: D2 pairs, E6 transitions", "[core][figures]") {
    const Run run;
    const ReferenceFile beyond = golden("beyond");
    for (int layer = 0; layer < kLayers; ++layer) {
        Matrix found = panelOf(run.build("coactivation", layer)).matrix;
        const NdArray expected = run.file.array(at("coactivation", layer));
        for (std::size_t i = 0; i < kExperts; ++i) {  // what the diagonal holds is not drawn
            found.values[i * kExperts + i] = static_cast<float>(expected.at(i * kExperts + i));
        }
        checkMatrix(found, expected);
        const HeatMapPanel panel = panelOf(run.build("coactivation", layer));
        const NdArray byChance = run.file.array(at("coactivation.by_chance", layer));
        const auto load = [&](std::size_t i) { return byChance.at(i * kExperts + i); };
        const NdArray adjusted = run.file.array(at("coactivation.adjusted", layer));
        for (std::size_t i = 1, pair = 0; i < kExperts; ++i) {
            for (std::size_t j = 0; j < i; ++j, ++pair) {
                CAPTURE(layer, i, j, adjusted.at(pair));
                const std::uint64_t cell = i * kExperts + j;
                const bool isMore = expected.at(cell) * load(i) > byChance.at(cell);
                const int mark = isMore ? HeatMapPanel::kMarked : HeatMapPanel::kMarkedOpen;
                CHECK(panel.cellMarks[cell] == (adjusted.at(pair) <= 0.05 ? mark : 0));
                CHECK(panel.cellMarks[j * kExperts + i] == panel.cellMarks[i * kExperts + j]);
            }
        }
        const Figure table = run.build("coactivation-table", layer);
        CHECK(std::get<TableFigure>(table.body).rows == kExperts * (kExperts - 1) / 2);
        for (std::size_t row = 0; row < std::get<TableFigure>(table.body).rows; ++row) {
            const auto i = static_cast<std::uint64_t>(column(table, "expert").numbers[row]);
            const auto j = static_cast<std::uint64_t>(column(table, "with").numbers[row]);
            CHECK(column(table, "expected share").numbers[row] ==
                  Approx(byChance.at(i * kExperts + j)).epsilon(1e-8));
            const std::uint64_t high = std::max(i, j);
            const bool differs = adjusted.at(high * (high - 1) / 2 + std::min(i, j)) <= 0.05;
            const char* const expectedWord =
                !differs                                                                  ? ""
                : expected.at(i * kExperts + j) * load(i) > byChance.at(i * kExperts + j) ? "more"
                                                                                          : "fewer";
            CHECK(column(table, "beyond chance").texts[row] == expectedWord);
        }
        if (layer + 1 < kLayers) {
            checkMatrix(panelOf(run.build("paths", layer)).matrix,
                        beyond.array(at("paths.transition", layer)));
        }
    }
}

TEST_CASE("Golden routing: D4 vocabulary", "[core][figures]") {
    const Run run;
    for (int layer = 0; layer < kLayers; ++layer) {
        const Figure table = run.build("vocabulary-specialisation", layer);
        for (const std::string reading : {"input", "next", "predicted"}) {
            const NdArray mean =
                run.file.array(at("specialisation.vocabulary_mean." + reading, layer));
            const NdArray shares =
                run.file.array(at("specialisation.vocabulary." + reading, layer));
            const std::uint64_t ids = shares.shape()[0];
            std::map<int, std::vector<double>> expected;
            for (std::uint64_t i = 0; i < shares.size(); ++i) {
                if (shares.at(i) > 0.0) {
                    expected[static_cast<int>(i % kExperts)].push_back(shares.at(i));
                }
            }
            REQUIRE(ids <= 10);  // all of an expert's ids have a row
            std::map<int, std::vector<double>> found;
            for (std::size_t row = 0; row < std::get<TableFigure>(table.body).rows; ++row) {
                if (column(table, "as").texts[row] == reading) {
                    const auto expert = static_cast<int>(column(table, "expert").numbers[row]);
                    found[expert].push_back(column(table, "share").numbers[row]);
                    CHECK(column(table, "mean share").numbers[row] ==
                          Approx(mean.at(static_cast<std::uint64_t>(expert))));
                }
            }
            REQUIRE(found.size() == expected.size());
            for (auto& [expert, values] : expected) {
                std::sort(values.rbegin(), values.rend());
                REQUIRE(found[expert].size() == values.size());
                for (std::size_t i = 0; i < values.size(); ++i) {
                    CHECK(found[expert][i] == Approx(values[i]));
                }
            }
        }
    }
}
