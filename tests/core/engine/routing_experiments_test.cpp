// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
// A run on the fixture and text of tests/reference/make_routing.py against its values, which plain
// NumPy and transformers make: E1, E2 and C6, as the session keeps them and as figures show them.
#include "core/engine/forward_trace.h"
#include "core/engine/run.h"
#include "core/experiments/factory.h"
#include "core/figures/builder.h"
#include "core/session/session.h"
#include "tests/core/engine/reference_model.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/throws.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

using namespace moescope;
using namespace moescope::figures;
using tests::checkThrows;
using tests::ReferenceFile;

namespace {

constexpr int kLayers = 3;
constexpr std::size_t kExperts = 7;
constexpr std::size_t kTopK = 2;

class Silent final : public engine::RunObserver {
public:
    void onEvent(const session::RunEvent&) override {}
};

text::TokenizedCorpus textOf(const ReferenceFile& golden) {
    text::TokenizedCorpus corpus;
    for (const double id : golden.array("token_ids").toDoubles()) {
        corpus.ids.push_back(static_cast<text::TokenId>(id));
    }
    for (const double offset : golden.array("document_offsets").toDoubles()) {
        corpus.offsets.push_back(static_cast<std::uint64_t>(offset));
    }
    corpus.tokenBytes.resize(corpus.ids.size());
    corpus.sources.resize(corpus.documentCount());
    corpus.domainOf.assign(corpus.documentCount(), -1);
    return corpus;
}

/// The run, once for all tests.
struct Run {
    Run() : golden(tests::referenceDir() / "experiments/routing.safetensors") {
        start({"importance", "router_margin", "fewer_experts", "expert_removal"});
        start({"importance", "pruning"});  // added to the session: reads what it holds
        session = session::Session::open(folder / "run.h5");
    }
    void start(const std::vector<std::string>& experiments) const {
        engine::RunRequest request;
        request.checkpoint = tests::referenceDir() / "models/mixtral";
        request.session = folder / "run.h5";
        request.device = "cpu";
        request.dtype = "float32";
        request.corpus = textOf(golden);
        for (const std::string& id : experiments) {
            request.experiments.push_back({id, "{}"});
        }
        Silent silent;
        (void)engine::run(request, experiments::makeProbes, silent, {});
    }
    [[nodiscard]] NdArray read(const std::string& experiment, const std::string& quantity,
                               std::optional<int> layer) const {
        return session->read({BranchId{}, experiment, quantity},
                             layer ? std::optional(LayerId{*layer}) : std::nullopt);
    }
    [[nodiscard]] Figure build(FigureRequest request) const {
        return FigureBuilder(makeSource(session)).build(request);
    }

    ReferenceFile golden;
    tests::TemporaryFolder folder;
    std::shared_ptr<const session::Session> session;
};

const Run& theRun() {
    static const Run run;
    return run;
}

FigureRequest requestFor(const std::string& figure, std::optional<int> layer = {}) {
    FigureRequest request;
    request.figure = figure;
    request.layer = layer ? std::optional(LayerId{*layer}) : std::nullopt;
    return request;
}

const TableColumn& column(const Figure& figure, const std::string& name) {
    const auto& columns = std::get<TableFigure>(figure.body).columns;
    const auto found = std::find_if(columns.begin(), columns.end(),
                                    [&](const TableColumn& each) { return each.name == name; });
    if (found == columns.end()) {
        throw std::out_of_range("no column " + name);
    }
    return *found;
}

/// Mean over next tokens within documents.
double lossOf(const NdArray& logits, const text::TokenizedCorpus& corpus) {
    double sum = 0.0;
    double count = 0.0;
    const std::uint64_t vocabulary = logits.shape()[1];
    for (std::size_t d = 0; d < corpus.documentCount(); ++d) {
        for (std::uint64_t t = corpus.offsets[d]; t + 1 < corpus.offsets[d + 1]; ++t) {
            double all = 0.0;
            for (std::uint64_t v = 0; v < vocabulary; ++v) {
                all += std::exp(logits.at(t * vocabulary + v));
            }
            sum += std::log(all) - logits.at(t * vocabulary + corpus.ids[t + 1]);
            count += 1.0;
        }
    }
    return sum / count;
}

/// Places of the lowest, ties to the lower one, by the reference's values.
std::vector<int> lowest(const std::vector<double>& scores, std::size_t count) {
    std::vector<int> order(scores.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
        return scores[static_cast<std::size_t>(a)] < scores[static_cast<std::size_t>(b)];
    });
    order.resize(count);
    std::sort(order.begin(), order.end());
    return order;
}

std::vector<double> reapOf(const ReferenceFile& golden, int layer) {
    const NdArray table = golden.array("importance.table");  // [L, E, 6]
    std::vector<double> scores;
    for (std::size_t e = 0; e < kExperts; ++e) {
        scores.push_back(table.at((static_cast<std::size_t>(layer) * kExperts + e) * 6 + 4));
    }
    return scores;
}

void checkOutcome(const NdArray& found, std::uint64_t row, const NdArray& expected,
                  std::uint64_t goldenRow) {
    CAPTURE(row, goldenRow);
    constexpr double kPositions = 231.0;  // 240 tokens less the last of 9 documents
    CHECK(found.at(3 * row) == Approx(expected.at(4 * goldenRow)).margin(1e-5));
    // A near tie of two predictions moves one position.
    CHECK(std::abs(found.at(3 * row + 1) - expected.at(4 * goldenRow + 2)) <=
          1.0 / kPositions + 1e-9);
    CHECK(std::abs(found.at(3 * row + 2) - expected.at(4 * goldenRow + 3)) <=
          1.0 / kPositions + 1e-9);
}

}  // namespace

TEST_CASE("Golden importance: E1", "[core][engine]") {
    const Run& run = theRun();
    const NdArray expected = run.golden.array("importance.table");
    const NdArray super = run.golden.array("importance.super_expert");
    const char* const names[] = {"load", "mean weight", "EAN sum", "EAN mean", "REAP", "largest"};
    for (int layer = 0; layer < kLayers; ++layer) {
        const Figure table = run.build(requestFor("importance", layer));
        REQUIRE(std::get<TableFigure>(table.body).rows == kExperts);
        for (std::size_t e = 0; e < kExperts; ++e) {
            const std::size_t place = static_cast<std::size_t>(layer) * kExperts + e;
            for (std::size_t c = 0; c < 6; ++c) {
                CAPTURE(layer, e, names[c]);
                CHECK(column(table, names[c]).numbers[e] ==
                      Approx(expected.at(place * 6 + c)).epsilon(2e-5));
            }
            CHECK(column(table, "weight mass").numbers[e] ==
                  Approx(expected.at(place * 6) * expected.at(place * 6 + 1)).epsilon(2e-5));
            CHECK((column(table, "super").texts[e] == "yes") == (super.at(place) != 0.0));
            const NdArray single = run.golden.array("expert_removal.layer");
            CHECK(column(table, "removal").numbers[e] ==
                  Approx(single.at(place * 4) - run.golden.array("expert_removal.intact").at(0))
                      .margin(2e-5));
        }
        CHECK(table.howToRead.find("near outputs (needs output_similarity)") != std::string::npos);
    }
    const Figure all = run.build(requestFor("importance"));
    CHECK(std::get<TableFigure>(all.body).rows == kLayers * kExperts);
}

TEST_CASE("Golden importance: of some documents", "[core][engine]") {
    // The same measures by hand, of tokens of two documents that do not touch.
    const Run& run = theRun();
    const auto& offsets = run.session->head().corpus.offsets;
    FigureRequest request = requestFor("importance", 1);
    request.tokens = parseDocuments("1,4", offsets);
    const Figure table = run.build(request);
    const NdArray chosen = run.golden.array("layers.1.chosen_experts");
    const NdArray weights = run.golden.array("layers.1.weights");
    const NdArray norms = run.read("importance", "norm", 1);
    for (std::size_t e = 0; e < kExperts; ++e) {
        double count = 0.0;
        double sum = 0.0;
        double tokens = 0.0;
        for (const std::size_t d : {1U, 4U}) {
            tokens += static_cast<double>(offsets[d + 1] - offsets[d]);
            for (std::uint64_t i = offsets[d] * kTopK; i < offsets[d + 1] * kTopK; ++i) {
                const bool own = chosen.at(i) == static_cast<double>(e);
                count += own ? 1.0 : 0.0;
                sum += own ? weights.at(i) * norms.at(i) : 0.0;
            }
        }
        CHECK(column(table, "load").numbers[e] == Approx(count / tokens));
        CHECK(column(table, "REAP").numbers[e] ==
              Approx(count > 0.0 ? sum / count : 0.0).epsilon(1e-5));
        CHECK(std::isnan(column(table, "largest").numbers[e]));
        CHECK(std::isnan(column(table, "removal").numbers[e]));
    }
    CHECK(table.howToRead.find("known of the whole text only") != std::string::npos);
}

TEST_CASE("Golden importance: pruning", "[core][engine]") {
    const Run& run = theRun();
    const NdArray curves = run.read("pruning", "curves", std::nullopt);  // [9, 6, 3]
    const NdArray kept = run.golden.array("fewer_experts.kept");         // [L, E - k + 1, 4]
    // By load: what C6 keeps from the first layer on. An eighth of 7 is none.
    CHECK(curves.at(0) == Approx(run.golden.array("expert_removal.intact").at(0)).margin(1e-5));
    for (std::uint64_t removed = 1; removed <= kExperts - kTopK; ++removed) {
        checkOutcome(curves, removed, kept, kExperts - kTopK - removed);
    }
    // By REAP: the reference's lowest, and a forward pass of the whole model without them.
    const tests::ReferenceModel model("mixtral");
    const text::TokenizedCorpus corpus = textOf(run.golden);
    for (const std::size_t removed : {1U, 3U}) {
        engine::Intervention branch;
        for (int layer = 0; layer < kLayers; ++layer) {
            branch.layers.emplace_back(LayerId{layer},
                                       engine::LayerIntervention::without(
                                           kExperts, lowest(reapOf(run.golden, layer), removed)));
        }
        engine::TraceRequest request;
        request.experts = false;
        request.change = &branch;
        const auto trace = engine::traceForward(model.traced(), {}, corpus, request);
        CHECK(curves.at((5 * 6 + removed) * 3) ==
              Approx(lossOf(trace.logits, corpus)).margin(1e-5));
    }
}

TEST_CASE("Importance: the list of experts that would go", "[core][engine]") {
    const Run& run = theRun();
    FigureRequest request = requestFor("importance");
    request.prune = PruneChoice{.criterion = "reap", .share = 0.3, .acrossLayers = false};
    const Figure figure = run.build(request);
    REQUIRE(figure.prunes != nullptr);
    const nlohmann::json json = nlohmann::json::parse(toJson(figure));
    CHECK(json["format"] == "moescope-prune-list");
    CHECK(json["criterion"]["id"] == "reap");
    CHECK(json["source"]["session"] == run.session->head().uuid);
    CHECK(json["removed"] == 6);
    CHECK(json["experts"] == kLayers * kExperts);
    REQUIRE(json["layers"].size() == kLayers);
    REQUIRE(json["list"].size() == 6);
    for (int layer = 0; layer < kLayers; ++layer) {
        const auto& entry = json["layers"][static_cast<std::size_t>(layer)];
        const std::vector<double> scores = reapOf(run.golden, layer);
        const std::vector<int> expected = lowest(scores, 2);  // 0.3 of 7, rounded down
        CHECK(entry["removed"] == expected);
        CHECK(entry["kept"].size() == kExperts - 2);
        CHECK(entry["threshold"].get<double>() ==
              Approx(std::max(scores[static_cast<std::size_t>(expected[0])],
                              scores[static_cast<std::size_t>(expected[1])]))
                  .epsilon(1e-5));
        CHECK(entry["scores"].size() == kExperts);
    }
    // 0.375 of 7 is 2 as well: that step of the curves has removed the same.
    const NdArray curves = run.read("pruning", "curves", std::nullopt);
    CHECK(json["measured"]["loss"] == curves.at((5 * 6 + 2) * 3));
    CHECK(figure.howToRead.find("Measured without them") != std::string::npos);
    const auto& flagged = std::get<TableFigure>(figure.body).flagged;
    CHECK(flagged.size() == 6);
    CHECK(column(figure, "prune").texts[flagged.front()] == "goes");

    request.prune->acrossLayers = true;
    const Figure across = run.build(request);
    CHECK(across.prunes->removedCount() == 6);  // 0.3 of 21
    CHECK_FALSE(across.prunes->measured);
    CHECK(across.prunes->sumOfSingle);
    // All that go are below all that stay, where a layer may lose more.
    double highest = 0.0;
    double lowestKept = 1e9;
    for (const PruneList::Layer& layer : across.prunes->layers) {
        for (std::size_t e = 0; e < layer.scores.size(); ++e) {
            const bool goes =
                std::binary_search(layer.removed.begin(), layer.removed.end(), static_cast<int>(e));
            if (goes) {
                highest = std::max(highest, layer.scores[e]);
            } else if (layer.removed.size() + kTopK < kExperts) {
                lowestKept = std::min(lowestKept, layer.scores[e]);
            }
        }
    }
    CHECK(highest <= lowestKept);
}

TEST_CASE("Importance: what cannot be done says so", "[core][engine]") {
    const Run& run = theRun();
    FigureRequest request = requestFor("importance");
    request.prune = PruneChoice{.criterion = "output_similarity", .share = 0.25};
    checkThrows([&] { (void)run.build(request); }, ErrorCode::Usage,
                {"--experiments output_similarity"});
    request.prune->criterion = "beauty";
    checkThrows([&] { (void)run.build(request); }, ErrorCode::Usage, {"ean_mean"});
    request.prune = PruneChoice{.criterion = "load", .share = 1.0};
    checkThrows([&] { (void)run.build(request); }, ErrorCode::Usage, {"share"});
    checkThrows([&] { (void)toJson(run.build(requestFor("load-table"))); }, ErrorCode::Usage,
                {"no list of experts"});
}

TEST_CASE("Golden margins: E2", "[core][engine]") {
    const Run& run = theRun();
    const double thresholds[] = {0.01, 0.05, 0.1};
    for (int layer = 0; layer < kLayers; ++layer) {
        const NdArray expected = run.golden.array("router_margin." + std::to_string(layer));
        const NdArray found = run.read("router_margin", "margin", layer);
        REQUIRE(found.size() == expected.size());
        for (std::uint64_t i = 0; i < expected.size(); ++i) {
            CAPTURE(layer, i);
            CHECK(std::abs(found.at(i) - expected.at(i)) <= 2e-5);
        }
        const NdArray below = run.golden.array("router_margin.below." + std::to_string(layer));
        for (std::size_t t = 0; t < 3; ++t) {
            double count = 0.0;
            for (std::uint64_t token = 0; token < 240; ++token) {
                count += found.at(3 * token) < thresholds[t] ? 1.0 : 0.0;
            }
            CHECK(count / 240.0 == Approx(below.at(t)));
        }
        // The expert that would be chosen next has the third largest logit.
        const NdArray logits =
            run.golden.array("layers." + std::to_string(layer) + ".router_logits");
        const NdArray next = run.read("router_margin", "next_expert", layer);
        for (std::uint64_t token = 0; token < 240; ++token) {
            const auto third = static_cast<std::uint64_t>(next.at(token));
            int larger = 0;
            for (std::uint64_t e = 0; e < kExperts; ++e) {
                larger += logits.at(token * kExperts + e) > logits.at(token * kExperts + third);
            }
            CHECK(larger == 2);
        }
    }
}

TEST_CASE("Golden margins: what the figures say of them", "[core][engine]") {
    const Run& run = theRun();
    const Figure table = run.build(requestFor("router-margin-table"));
    const Figure map = run.build(requestFor("router-margin"));
    const auto& panels = std::get<HeatMapFigure>(map.body).panels;
    REQUIRE(panels.size() == 3);
    for (int layer = 0; layer < kLayers; ++layer) {
        const auto row = static_cast<std::size_t>(layer);
        const NdArray below = run.golden.array("router_margin.below." + std::to_string(layer));
        CHECK(column(table, "below 0.01").numbers[row] == Approx(below.at(0)));
        CHECK(column(table, "below 0.05").numbers[row] == Approx(below.at(1)));
        CHECK(column(table, "below 0.1").numbers[row] == Approx(below.at(2)));
        const NdArray flips = run.read("router_margin", "flips", layer);
        double flipped = 0.0;
        for (std::uint64_t token = 0; token < 240; ++token) {
            flipped += flips.at(4 * token + 2);
        }
        CHECK(column(table, "flips at 0.2").numbers[row] == Approx(flipped / 240.0));
        const NdArray margins = run.golden.array("router_margin." + std::to_string(layer));
        double entropy = 0.0;
        for (std::uint64_t token = 0; token < 240; ++token) {
            entropy += margins.at(3 * token + 2) / 240.0 / std::log(double(kExperts));
        }
        CHECK(column(table, "entropy").numbers[row] == Approx(entropy).epsilon(1e-5));
        for (const HeatMapPanel& panel : panels) {  // each token is in one bin
            float sum = 0.0F;
            for (std::size_t bin = 0; bin < panel.matrix.columns; ++bin) {
                sum += panel.matrix.at(row, bin);
            }
            CHECK(sum == Approx(1.0F).margin(1e-5));
        }
        // Below 0.01: the bins before that edge.
        float first = 0.0F;
        for (std::size_t bin = 0; panels[0].columnLabels[bin] != "0.01"; ++bin) {
            first += panels[0].matrix.at(row, bin);
        }
        CHECK(first == Approx(below.at(0)).margin(1e-5));
    }
}

TEST_CASE("Golden margins: tokens near a flip, of some documents", "[core][engine]") {
    const Run& run = theRun();
    FigureRequest request = requestFor("near-flips", 2);
    const auto& offsets = run.session->head().corpus.offsets;
    request.tokens = parseDocuments("2,5", offsets);
    const Figure near = run.build(request);
    const NdArray margins = run.golden.array("router_margin.2");
    const NdArray chosen = run.golden.array("layers.2.chosen_experts");
    std::vector<std::pair<double, double>> expected;
    for (const std::size_t d : {2U, 5U}) {
        for (std::uint64_t t = offsets[d]; t < offsets[d + 1]; ++t) {
            expected.emplace_back(margins.at(3 * t), static_cast<double>(t));
        }
    }
    std::sort(expected.begin(), expected.end());
    const auto& body = std::get<TableFigure>(near.body);
    REQUIRE(body.rows == std::min<std::size_t>(50, expected.size()));
    for (std::size_t row = 0; row < 10; ++row) {
        const auto token = static_cast<std::uint64_t>(column(near, "token").numbers[row]);
        CHECK(column(near, "margin").numbers[row] == Approx(expected[row].first).margin(2e-5));
        CHECK(column(near, "margin").numbers[row] == Approx(margins.at(3 * token)).margin(2e-5));
        CHECK(column(near, "last chosen").numbers[row] == chosen.at(kTopK * token + kTopK - 1));
    }
    CHECK(near.provenance.tokens == expected.size());
}

TEST_CASE("Golden fewer experts: C6", "[core][engine]") {
    const Run& run = theRun();
    const NdArray chosen = run.read("fewer_experts", "chosen", std::nullopt);  // [L, k - 1, 3]
    checkOutcome(chosen, 0, run.golden.array("fewer_experts.chosen"), 0);
    const NdArray kept = run.read("fewer_experts", "kept", std::nullopt);  // [L, E - k, 3]
    const NdArray expected = run.golden.array("fewer_experts.kept");       // one more: intact
    const std::uint64_t counts = kExperts - kTopK;
    REQUIRE(kept.size() == kLayers * counts * 3);
    for (std::uint64_t layer = 0; layer < kLayers; ++layer) {
        for (std::uint64_t n = 0; n < counts; ++n) {
            checkOutcome(kept, layer * counts + n, expected, layer * (counts + 1) + n);
        }
    }
    CHECK(run.read("fewer_experts", "intact", std::nullopt).at(0) ==
          Approx(expected.at(counts * 4)).margin(1e-5));
}
