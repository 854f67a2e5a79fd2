// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/state/inspection.h"

#include "core/base/error.h"
#include "tests/support/catch.h"
#include "tests/support/open_synthetic.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

using namespace moescope;
using namespace moescope::widgets;

namespace {

constexpr LayerId kLayer{2};

std::vector<double> readAll(const figures::FigureSource& source, const char* experiment,
                            const char* quantity, LayerId layer) {
    return source.read({BranchId(0), experiment, quantity}, layer).toDoubles();
}

/// The session with one quantity's rows replaced by ones of another width at every layer, and as
/// before 1.3 without means of norms.
class ReshapedLayer final : public figures::FigureSource {
public:
    ReshapedLayer(std::shared_ptr<const figures::FigureSource> from, std::string quantity,
                  std::uint64_t width)
        : m_from(std::move(from)), m_quantity(std::move(quantity)), m_width(width) {}
    [[nodiscard]] const session::Head& head() const override { return m_from->head(); }
    [[nodiscard]] const session::QuantityInfo* find(const session::QuantityId& id) const override {
        return id.quantity == "mean_norm" ? nullptr : m_from->find(id);
    }
    [[nodiscard]] NdArray read(const session::QuantityId& id,
                               std::optional<LayerId> layer) const override {
        return m_from->read(id, layer);
    }
    [[nodiscard]] NdArray readRows(const session::QuantityId& id, std::optional<LayerId> layer,
                                   std::uint64_t first, std::uint64_t count) const override {
        if (id.quantity != m_quantity) {
            return m_from->readRows(id, layer, first, count);
        }
        return NdArray::from<float>({count, m_width}, std::vector<float>(count * m_width, 1.0F));
    }

private:
    std::shared_ptr<const figures::FigureSource> m_from;
    std::string m_quantity;
    std::uint64_t m_width;
};

}  // namespace

TEST_CASE("Inspection: a token's path is what the session holds", "[widgets][state]") {
    const tests::SyntheticSession file;
    const LoadedSession loaded = file.load();
    const std::uint64_t token = 17;
    const TokenPath path = readTokenPath(*loaded.source, BranchId(0), token, {});
    REQUIRE(path.steps.size() == 3);
    CHECK(path.steps[0].layer == LayerId{1});
    for (const TokenStep& step : path.steps) {
        const auto ids = readAll(*loaded.source, "chosen_experts", "ids", step.layer);
        const auto weights = readAll(*loaded.source, "chosen_experts", "weights", step.layer);
        auto scores = readAll(*loaded.source, "norms_scores", "score", step.layer);
        REQUIRE(step.choices.size() == 2);
        for (std::size_t k = 0; k < 2; ++k) {
            CHECK(step.choices[k].expert == static_cast<int>(ids[token * 2 + k]));
            CHECK(static_cast<double>(step.choices[k].weight) == weights[token * 2 + k]);
        }
        std::vector<double> row(scores.begin() + token * 8, scores.begin() + (token + 1) * 8);
        std::sort(row.rbegin(), row.rend());
        REQUIRE(step.margin.has_value());
        CHECK(static_cast<double>(*step.margin) == Approx(row[1] - row[2]));
    }
    const auto& offsets = loaded.source->head().corpus.offsets;
    CHECK(offsets[path.document] + path.position == token);
}

TEST_CASE("Inspection: a margin that was not kept is not made up from the scores",
          "[widgets][state]") {
    tests::SyntheticRun run;
    run.withMargin = false;
    const tests::SyntheticSession file(run);
    const LoadedSession loaded = file.load();
    REQUIRE(loaded.source->find({BranchId(0), "norms_scores", "score"}) != nullptr);
    for (const TokenStep& step : readTokenPath(*loaded.source, BranchId(0), 17, {}).steps) {
        CHECK_FALSE(step.margin.has_value());
    }
}

TEST_CASE("Inspection: an expert's counts equal a plain count", "[widgets][state]") {
    const tests::SyntheticSession file;
    const LoadedSession loaded = file.load();
    const auto ids = readAll(*loaded.source, "chosen_experts", "ids", kLayer);
    const auto weights = readAll(*loaded.source, "chosen_experts", "weights", kLayer);
    const auto norms = readAll(*loaded.source, "norms_scores", "norm", kLayer);
    const auto& tokenIds = loaded.source->head().corpus.ids;
    for (int expert = 0; expert < 8; ++expert) {
        const ExpertFacts facts =
            readExpertFacts(*loaded.source, BranchId(0), kLayer, expert, 1000, {});
        std::uint64_t chosen = 0;
        std::uint64_t first = 0;
        double sum = 0.0;
        std::map<std::uint32_t, std::uint64_t> routed;
        for (std::size_t i = 0; i < ids.size(); ++i) {
            if (static_cast<int>(ids[i]) == expert) {
                ++chosen;
                first += i % 2 == 0 ? 1 : 0;
                sum += weights[i];
                ++routed[tokenIds[i / 2]];
            }
        }
        CHECK(facts.chosen == chosen);
        CHECK(facts.firstChoice == first);
        CHECK(facts.load[static_cast<std::size_t>(expert)] == chosen);
        CHECK(std::accumulate(facts.load.begin(), facts.load.end(), std::uint64_t{0}) ==
              2 * facts.tokens);
        if (chosen > 0) {
            CHECK(facts.meanWeight == Approx(sum / static_cast<double>(chosen)));
        }
        REQUIRE(facts.topTokens.size() == routed.size());
        for (const ExpertToken& entry : facts.topTokens) {
            CHECK(entry.routed == routed.at(entry.id));
            CHECK(entry.seen == static_cast<std::uint64_t>(
                                    std::count(tokenIds.begin(), tokenIds.end(), entry.id)));
            CHECK(tokenIds[entry.example] == entry.id);
        }
        double norm = 0.0;
        for (std::size_t t = 0; t < facts.tokens; ++t) {
            norm += norms[t * 8 + static_cast<std::size_t>(expert)];
        }
        CHECK(facts.meanNorm == Approx(norm / static_cast<double>(facts.tokens)));
    }
}

TEST_CASE("Inspection: a dense layer has no facts, a missing experiment is said",
          "[widgets][state]") {
    const tests::SyntheticSession file;
    const ExpertFacts dense =
        readExpertFacts(*file.load().source, BranchId(0), LayerId{0}, 1, 10, {});
    CHECK(dense.tokens == 0);
    CHECK(dense.topTokens.empty());

    tests::SyntheticRun run;
    run.experiments = {"weight_similarity"};
    const tests::SyntheticSession weightsOnly(run);
    CHECK_THROWS_AS(readTokenPath(*weightsOnly.load().source, BranchId(0), 0, {}), Error);
}

TEST_CASE("Inspection: layers of other width are read by their own, damaged ones refused",
          "[widgets][state]") {
    const tests::SyntheticSession file;
    const LoadedSession loaded = file.load();
    const ReshapedLayer narrower(loaded.source, "norm", 5);
    CHECK(std::isnan(readExpertFacts(narrower, BranchId(0), kLayer, 6, 10, {}).meanNorm));
    CHECK(readExpertFacts(narrower, BranchId(0), kLayer, 0, 10, {}).meanNorm == Approx(1.0));
    const ReshapedLayer damaged(loaded.source, "weights", 1);
    CHECK_THROWS_AS(readExpertFacts(damaged, BranchId(0), kLayer, 0, 10, {}), Error);
}

TEST_CASE("Inspection: a pair's values are the cells of the maps", "[widgets][state]") {
    const tests::SyntheticSession file;
    const LoadedSession loaded = file.load();
    const std::vector<PairSeries> series = readPair(*loaded.source, BranchId(0), "3", "F", {});
    REQUIRE(series.size() == 7);
    for (const PairSeries& one : series) {
        for (std::size_t i = 0; i < one.layers.size(); ++i) {
            const NdArray map =
                loaded.source->read({BranchId(0), one.experiment, one.quantity}, one.layers[i]);
            CHECK(one.values[i] == map.at(3 * map.shape()[1] + 8));
        }
    }
    CHECK(readPair(*loaded.source, BranchId(0), "3", "nobody", {}).empty());
}
