// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/rank_counts.h"

#include "core/checkpoint/checkpoint.h"
#include "core/numerics/ranks.h"
#include "tests/core/experiments/feed.h"
#include "tests/core/experiments/matrices.h"
#include "tests/support/catch.h"
#include "tests/support/paths.h"
#include "tests/support/reference_file.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

using namespace moescope;
using namespace moescope::tests;

namespace {

session::Part run(const LayerData& layer, bool skipFirst = false, std::size_t block = 7) {
    const auto probe = experiments::makeRankCounts({.skipFirstToken = skipFirst});
    return feed(*probe, layer, block);
}

void checkCounts(const NdArray& found, const NdArray& expected) {
    REQUIRE(found.shape() == expected.shape());
    const auto values = found.values<std::uint64_t>();
    const auto golden = expected.values<std::int64_t>();
    CHECK(std::equal(
        values.begin(), values.end(), golden.begin(),
        [](std::uint64_t a, std::int64_t b) { return static_cast<std::int64_t>(a) == b; }));
}

void checkMargins(const NdArray& counts, std::uint64_t tokens) {
    const std::uint64_t n = counts.shape()[0];
    const auto values = counts.values<std::uint64_t>();
    for (std::uint64_t i = 0; i < n; ++i) {
        std::uint64_t row = 0;
        std::uint64_t column = 0;
        for (std::uint64_t j = 0; j < n; ++j) {
            row += values[i * n + j];
            column += values[j * n + i];
        }
        CHECK(row == tokens);
        CHECK(column == tokens);
    }
}

/// Finished layers in memory.
class StoredCounts final : public engine::PartSource {
public:
    std::map<LayerId, NdArray> counts;
    [[nodiscard]] NdArray read(LayerId layer, std::string_view quantityName) const override {
        REQUIRE(quantityName == "count");
        return counts.at(layer);
    }
    [[nodiscard]] std::vector<LayerId> layers() const override {
        std::vector<LayerId> ids;
        for (const auto& [layer, values] : counts) {
            ids.push_back(layer);
        }
        return ids;
    }
};

std::optional<session::Part> total(const StoredCounts& stored) {
    const checkpoint::Checkpoint folder(referenceDir() / "models/mixtral");
    const model::ModelSpec model;
    const text::TokenizedCorpus corpus;
    return experiments::makeRankCounts({})->finishModel({model, folder, corpus}, stored);
}

}  // namespace

TEST_CASE("RankCounts: golden tables and summaries of the fixtures", "[core][experiments]") {
    const std::map<std::string, std::vector<int>> fixtures{
        {"mixtral", {0, 1, 2}}, {"deepseek", {1, 2}}, {"deepseek-variant", {2, 4}}};
    for (const auto& [fixture, layers] : fixtures) {
        const ReferenceFile golden(referenceDir() / "experiments" / (fixture + ".safetensors"));
        for (const bool skip : {false, true}) {
            const std::string prefix = std::string("rank_counts.") + (skip ? "without_first." : "");
            StoredCounts stored;
            for (const int layer : layers) {
                CAPTURE(fixture, layer, skip);
                const std::string at = "." + std::to_string(layer);
                const session::Part part = run(referenceLayer(fixture, layer), skip);
                checkCounts(quantity(part, "count").values, golden.array(prefix + "counts" + at));
                checkMargins(quantity(part, "count").values, part.tokens);
                CHECK(part.tokens == (skip ? 27U : 30U));
                const NdArray summary = golden.array(prefix + "summary" + at);
                CHECK(quantity(part, "diagonal_share").values.at(0) == Approx(summary.at(0)));
                CHECK(quantity(part, "agreeing_ranks").values.at(0) == summary.at(1));
                CHECK(quantity(part, "spearman").values.at(0) ==
                      Approx(summary.at(2)).margin(1e-9));
                stored.counts[LayerId{layer}] = quantity(part, "count").values;
            }
            const auto all = total(stored);
            REQUIRE(all);
            checkCounts(quantity(*all, "total_count").values, golden.array(prefix + "counts.all"));
            CHECK(all->tokens == (skip ? 27U : 30U));
        }
    }
}

TEST_CASE("RankCounts: blocks of any size give the same table", "[core][experiments]") {
    const LayerData layer = randomLayer(9, 2, 4, 50, true, 5);
    const NdArray whole = quantity(run(layer, false, 1000), "count").values;
    CHECK(quantity(run(layer, false, 1), "count").values == whole);
    CHECK(quantity(run(layer, false, 17), "count").values == whole);
    CHECK(quantity(run(layer), "count").axes[0].labels.front() == "1");
    CHECK(quantity(run(layer), "count").axes[1].labels.back() == "9");
}

TEST_CASE("RankCounts: renaming the experts changes nothing but ties", "[core][experiments]") {
    LayerData layer = randomLayer(6, 2, 4, 30, false, 6);
    const NdArray before = quantity(run(layer), "count").values;
    LayerData reversed = layer;
    const std::size_t d = 4;
    for (std::size_t t = 0; t < 30; ++t) {
        for (std::size_t e = 0; e < 6; ++e) {
            reversed.scores[t * 6 + e] = layer.scores[t * 6 + 5 - e];
            std::copy_n(layer.output(5 - e, t), d,
                        reversed.outputs.begin() + static_cast<std::ptrdiff_t>((e * 30 + t) * d));
        }
    }
    CHECK(quantity(run(reversed), "count").values == before);
}

TEST_CASE("RankCounts: NaN keeps the sums and gives a warning", "[core][experiments]") {
    LayerData layer = randomLayer(4, 1, 3, 12, false, 7);
    layer.outputs[5] = std::numeric_limits<float>::quiet_NaN();
    const session::Part part = run(layer);
    checkMargins(quantity(part, "count").values, 12);
    REQUIRE(part.warnings.size() == 1);
    CHECK_THAT(part.warnings[0], Catch::StartsWith("1 tokens"));
}

TEST_CASE("RankCounts: no total over layers with different numbers of experts, or none",
          "[core][experiments]") {
    StoredCounts stored;
    CHECK_FALSE(total(stored));
    stored.counts[LayerId{0}] = NdArray(ElementType::U64, {2, 2});
    stored.counts[LayerId{1}] = NdArray(ElementType::U64, {3, 3});
    CHECK_FALSE(total(stored));
}

TEST_CASE("RankCounts: documents of one token leave nothing when first tokens are skipped",
          "[core][experiments]") {
    LayerData layer = randomLayer(3, 1, 2, 4, false, 8);
    layer.corpus = corpusOf({1, 1, 1, 1});
    const session::Part part = run(layer, true);
    CHECK(part.tokens == 0);
    checkMargins(quantity(part, "count").values, 0);
    CHECK(std::isnan(quantity(part, "spearman").values.at(0)));
}
