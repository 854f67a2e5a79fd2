// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
// Whole runs on the trained demo models against what tests/reference/make_demo_experiments.py makes
// of them with transformers (or the published code), NumPy, SciPy and scikit-learn.
#include "core/engine/run.h"
#include "core/experiments/catalogue.h"
#include "core/experiments/factory.h"
#include "core/session/session.h"
#include "tests/support/catch.h"
#include "tests/support/paths.h"
#include "tests/support/reference_file.h"
#include "tests/support/temporary_folder.h"

#include <algorithm>
#include <array>
#include <cmath>

using namespace moescope;
using tests::ReferenceFile;

namespace {

constexpr int kLayersWithValues[] = {1, 4, 7};

class Silent final : public engine::RunObserver {
public:
    void onEvent(const session::RunEvent&) override {}
};

/// A run with every experiment on the text of the values, and the values.
class DemoRun {
public:
    explicit DemoRun(const std::string& model)
        : m_golden(tests::referenceDir() / "demo" / ("experiments-" + model + ".safetensors")) {
        const auto demo = tests::sourceDir() / "resources/demo";
        engine::RunRequest request;
        request.checkpoint = demo / model;
        if (model == "tiny-mixtral") {
            request.baselines = {demo / "tiny-mistral"};
        }
        request.session = m_folder / "run.h5";
        request.device = "cpu";
        request.dtype = "float32";
        for (const auto& info : experiments::catalogue()) {
            request.experiments.push_back({std::string(info.id), "{}"});
        }
        for (const double id : m_golden.array("token_ids").toDoubles()) {
            request.corpus.ids.push_back(static_cast<text::TokenId>(id));
        }
        for (const double offset : m_golden.array("document_offsets").toDoubles()) {
            request.corpus.offsets.push_back(static_cast<std::uint64_t>(offset));
        }
        request.corpus.tokenBytes.resize(request.corpus.ids.size());
        request.corpus.sources.resize(request.corpus.documentCount());
        request.corpus.domainOf.assign(request.corpus.documentCount(), -1);
        Silent silent;
        (void)engine::run(request, experiments::makeProbes, silent, {});
        m_session = session::Session::open(m_folder / "run.h5");
    }

    [[nodiscard]] NdArray read(const std::string& experiment, const std::string& quantity,
                               std::optional<int> layer) const {
        return m_session->read({BranchId{}, experiment, quantity},
                               layer ? std::optional(LayerId{*layer}) : std::nullopt);
    }

    /// Along one axis.
    [[nodiscard]] std::vector<std::string> labels(const std::string& experiment,
                                                  const std::string& quantity,
                                                  std::size_t axis) const {
        return m_session->find({BranchId{}, experiment, quantity})->axes.at(axis).labels;
    }

    /// Each of the values within `margin` (of the largest, where it is relative). Arrays too large
    /// to be stored for every layer are skipped; how many were compared is counted.
    void check(const NdArray& found, const std::string& golden, double margin,
               bool ofLargest = false) {
        if (!m_golden.has(golden)) {
            return;
        }
        CAPTURE(golden);
        const NdArray expected = m_golden.array(golden);
        REQUIRE(found.size() == expected.size());
        double largest = 1.0;
        if (ofLargest) {
            for (const double value : expected.toDoubles()) {
                largest = std::max(largest, std::abs(value));
            }
        }
        for (std::uint64_t i = 0; i < expected.size(); ++i) {
            CAPTURE(i, found.at(i), expected.at(i));
            CHECK((std::isnan(expected.at(i))
                       ? std::isnan(found.at(i))
                       : std::abs(found.at(i) - expected.at(i)) <= margin * largest));
        }
        ++compared;
    }
    [[nodiscard]] const ReferenceFile& golden() const { return m_golden; }

    int compared = 0;

private:
    tests::TemporaryFolder m_folder;
    ReferenceFile m_golden;
    std::shared_ptr<const session::Session> m_session;
};

std::string place(int layer, const std::string& role = "") {
    return "." + std::to_string(layer) + (role.empty() ? "" : "." + role);
}

/// One row of an array [rows, ...].
NdArray rowOf(const NdArray& array, std::uint64_t row) {
    const std::uint64_t width = array.size() / array.shape()[0];
    std::vector<double> values;
    for (std::uint64_t i = 0; i < width; ++i) {
        values.push_back(array.at(row * width + i));
    }
    return NdArray::from<double>({width}, values);
}

void checkStatics(DemoRun& run, int layer) {
    const std::string roles[] = {"gate", "up", "down"};
    const NdArray regression = run.read("router_similarity", "regression", layer);
    const NdArray explained = run.read("expert_projection", "explained", layer);
    for (std::uint64_t r = 0; r < 3; ++r) {
        const std::string& role = roles[r];
        const std::string at = place(layer, role);
        run.check(run.read("weight_similarity", role, layer), "weight_similarity" + at, 1e-5);
        const bool hasBaseline = run.golden().has("weight_similarity.relative_to_baseline.7.gate");
        run.check(run.read("weight_similarity", role + "_relative", layer),
                  std::string("weight_similarity.relative_to_") +
                      (hasBaseline ? "baseline" : "mean") + at,
                  1e-5);
        run.check(run.read("mean_neuron_similarity", role, layer), "mean_neuron_similarity" + at,
                  1e-5);
        run.check(run.read("matched_similarity", role, layer), "matched_similarity.similarity" + at,
                  1e-5);
        run.check(run.read("matched_similarity", role + "_tau", layer),
                  "matched_similarity.kendall_tau" + at, 1e-5);
        run.check(rowOf(regression, r), "router_similarity.regression" + at, 1e-5);
        run.check(run.read("expert_projection", role, layer),
                  "expert_projection.scores.standardised" + at, 1e-4, true);
        run.check(rowOf(explained, r), "expert_projection.explained.standardised" + at, 1e-5);
        run.check(rowOf(run.read("neuron_projection", "explained", layer), r),
                  "neuron_projection.explained.standardised" + at, 1e-5);
    }
    run.check(run.read("router_similarity", "router", layer),
              "router_similarity.router" + place(layer), 1e-5);
}

/// The values have F and S as well, ours are of the experts alone.
void checkRelative(DemoRun& run, int layer) {
    const std::string name = "output_similarity.relative.angular" + place(layer);
    if (!run.golden().has(name)) {
        return;
    }
    const NdArray all = run.golden().array(name);
    const NdArray found = run.read("output_similarity", "mean_angular_relative", layer);
    const std::uint64_t experts = found.shape()[0];
    REQUIRE(experts <= all.shape()[0]);
    for (std::uint64_t i = 0; i < experts; ++i) {
        for (std::uint64_t j = 0; j < experts; ++j) {
            CHECK(std::abs(found.at(i * experts + j) - all.at(i * all.shape()[1] + j)) <= 1e-5);
        }
    }
    ++run.compared;
}

void checkDynamic(DemoRun& run, int layer) {
    run.check(run.read("output_similarity", "mean_angular", layer),
              "output_similarity.angular" + place(layer), 1e-5);
    checkRelative(run, layer);
    run.check(run.read("rank_counts", "count", layer), "rank_counts.counts" + place(layer), 0.0);
    const std::string share = "intermediate_states.active_share" + place(layer);
    if (run.golden().has(share)) {
        // The values are of the experts alone, ours have F and S behind them.
        const std::uint64_t experts = run.golden().array(share).size();
        for (const std::string quantity : {"active_share", "mean_magnitude"}) {
            const NdArray all = run.read("intermediate_states", quantity, layer);
            std::vector<double> values;
            for (std::uint64_t e = 0; e < experts; ++e) {
                values.push_back(all.at(e));
            }
            run.check(NdArray::from<double>({experts}, values),
                      "intermediate_states." + quantity + place(layer), 1e-5);
        }
    }
}

/// Loss, accuracy and changed predictions of a branch against loss, perplexity, accuracy, changed.
void compareOutcome(const NdArray& found, std::uint64_t row, const NdArray& expected,
                    std::uint64_t goldenRow) {
    CAPTURE(row);
    CHECK(found.at(3 * row) == Approx(expected.at(4 * goldenRow)).margin(1e-5));
    // Accuracy and changed predictions of 351 positions: a near tie moves one.
    CHECK(std::abs(found.at(3 * row + 1) - expected.at(4 * goldenRow + 2)) <= 1.0 / 350.0);
    CHECK(std::abs(found.at(3 * row + 2) - expected.at(4 * goldenRow + 3)) <= 1.0 / 350.0);
}

/// What is predicted without the expert of each index, where that is stored.
void checkPredictions(DemoRun& run) {
    if (!run.golden().has("expert_removal.all_predicted")) {
        return;
    }
    const NdArray expected = run.golden().array("expert_removal.all_predicted");  // [E, T]
    const NdArray found = run.read("expert_removal", "everywhere_predicted", std::nullopt);
    REQUIRE(found.shape() == expected.shape());
    for (std::uint64_t expert = 0; expert < expected.shape()[0]; ++expert) {
        CAPTURE(expert);
        int others = 0;
        const std::uint64_t first = expert * expected.shape()[1];
        for (std::uint64_t i = first; i < first + expected.shape()[1]; ++i) {
            others += found.at(i) == expected.at(i) ? 0 : 1;
        }
        CHECK(others <= 1);  // a near tie
    }
    ++run.compared;
}

/// Losses in layers 1, 4 and 7 and everywhere, and what is predicted instead.
void checkRemoval(DemoRun& run, int firstRouted) {
    const NdArray layers = run.golden().array("expert_removal.layer");
    const NdArray single = run.read("expert_removal", "single", std::nullopt);
    const std::uint64_t experts = layers.shape()[1];
    for (std::uint64_t l = 0; l < 3; ++l) {
        const auto row = static_cast<std::uint64_t>(kLayersWithValues[l] - firstRouted);
        for (std::uint64_t e = 0; e < experts; ++e) {
            compareOutcome(single, row * experts + e, layers, l * experts + e);
        }
    }
    const NdArray everywhere = run.read("expert_removal", "everywhere", std::nullopt);
    for (std::uint64_t e = 0; e < experts; ++e) {
        compareOutcome(everywhere, e, run.golden().array("expert_removal.all"), e);
    }
    checkPredictions(run);
}

/// Frequency, mean weight, EAN sum and mean, REAP and largest output of every expert.
void checkImportance(DemoRun& run, int firstRouted) {
    const NdArray table = run.golden().array("importance.table");  // [L, E, 6]
    const std::uint64_t layers = table.shape()[0];
    const std::uint64_t experts = table.shape()[1];
    for (std::uint64_t l = 0; l < layers; ++l) {
        const int layer = firstRouted + static_cast<int>(l);
        const NdArray ids = run.read("chosen_experts", "ids", layer);
        const NdArray weights = run.read("chosen_experts", "weights", layer);
        const NdArray norms = run.read("importance", "norm", layer);
        const NdArray largest = run.read("importance", "largest_output", layer);
        std::vector<std::array<double, 4>> sums(experts);  // tokens, weights, norms, products
        for (std::uint64_t i = 0; i < ids.size(); ++i) {
            auto& own = sums[static_cast<std::size_t>(ids.at(i))];
            own[0] += 1.0;
            own[1] += weights.at(i);
            own[2] += norms.at(i);
            own[3] += weights.at(i) * norms.at(i);
        }
        for (std::uint64_t e = 0; e < experts; ++e) {
            CAPTURE(layer, e);
            const auto& own = sums[e];
            const double count = std::max(own[0], 1.0);
            const std::array found{own[0] / static_cast<double>(ids.shape()[0]),
                                   own[1] / count,
                                   own[2],
                                   own[2] / count,
                                   own[3] / count,
                                   largest.at(e)};
            for (std::uint64_t c = 0; c < found.size(); ++c) {
                CAPTURE(c);
                CHECK(found[c] == Approx(table.at((l * experts + e) * 6 + c)).epsilon(2e-5));
            }
        }
    }
}

/// Shares of tokens whose score margin is below 0.01, 0.05 and 0.1.
void checkMargins(DemoRun& run, int firstRouted) {
    for (int layer = firstRouted; layer < 8; ++layer) {
        const NdArray margins = run.read("router_margin", "margin", layer);
        const std::uint64_t tokens = margins.shape()[0];
        std::vector<double> below;
        for (const double threshold : {0.01, 0.05, 0.1}) {
            double count = 0.0;
            for (std::uint64_t t = 0; t < tokens; ++t) {
                count += margins.at(3 * t) < threshold ? 1.0 : 0.0;
            }
            below.push_back(count / static_cast<double>(tokens));
        }
        // A margin at the threshold may fall on either side.
        run.check(NdArray::from<double>({3}, below), "router_margin.below" + place(layer),
                  1.0 / static_cast<double>(tokens) + 1e-9);
    }
}

/// C6: every smaller k, and the most used experts from layers 1, 4 and 7 on.
void checkFewer(DemoRun& run, int firstRouted) {
    const NdArray byCount = run.golden().array("fewer_experts.chosen");  // [k, 4]
    const NdArray chosen = run.read("fewer_experts", "chosen", std::nullopt);
    for (std::uint64_t k = 1; k < byCount.shape()[0]; ++k) {
        compareOutcome(chosen, k - 1, byCount, k - 1);  // from the first routed layer on
    }
    const NdArray expected = run.golden().array("fewer_experts.kept");  // [3, E - k + 1, 4]
    const NdArray kept = run.read("fewer_experts", "kept", std::nullopt);
    const auto topK = static_cast<int>(byCount.shape()[0]);
    const std::vector<std::string> counts = run.labels("fewer_experts", "kept", 1);
    for (std::uint64_t l = 0; l < 3; ++l) {
        const auto row = static_cast<std::uint64_t>(kLayersWithValues[l] - firstRouted);
        for (std::uint64_t n = 0; n < counts.size(); ++n) {
            const auto column = static_cast<std::uint64_t>(std::stoi(counts[n]) - topK);
            compareOutcome(kept, row * counts.size() + n, expected,
                           l * expected.shape()[1] + column);
        }
    }
}

}  // namespace

TEST_CASE("Demo experiments: tiny-mixtral", "[core][engine]") {
    DemoRun run("tiny-mixtral");
    for (const int layer : kLayersWithValues) {
        checkStatics(run, layer);
        checkDynamic(run, layer);
    }
    CHECK(run.compared > 75);
    checkRemoval(run, 0);
    checkImportance(run, 0);
    checkMargins(run, 0);
    checkFewer(run, 0);
}

TEST_CASE("Demo experiments: tiny-deepseekmoe", "[core][engine]") {
    DemoRun run("tiny-deepseekmoe");
    for (const int layer : kLayersWithValues) {
        checkStatics(run, layer);
        checkDynamic(run, layer);
    }
    CHECK(run.compared > 40);
    checkRemoval(run, 1);
    checkImportance(run, 1);
    checkMargins(run, 1);
    checkFewer(run, 1);
}
