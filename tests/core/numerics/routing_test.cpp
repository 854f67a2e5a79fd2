// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/numerics/routing.h"

#include "core/base/file_system.h"
#include "core/numerics/resampling.h"
#include "tests/support/catch.h"
#include "tests/support/paths.h"

#include <nlohmann/json.hpp>

#include <cmath>

using namespace moescope;
using namespace moescope::numerics;

namespace {

using Ids = std::vector<std::uint16_t>;
using Counts = std::vector<std::uint64_t>;

/// Golden values of tests/reference/make_routing_statistics.py.
nlohmann::json golden() {
    const auto path = tests::referenceDir() / "numerics/routing.json";
    return nlohmann::json::parse(readTextFile(path));
}

}  // namespace

TEST_CASE("Statistics of routing: NumPy's from the definitions", "[core][numerics]") {
    const nlohmann::json all = golden();
    for (const auto& one : all.at("cases")) {
        const Ids ids = one.at("ids");
        const Choices choices{ids, one.at("k"), one.at("experts")};
        CAPTURE(choices.experts, choices.topK);
        const Counts counts = expertCounts(choices);
        CHECK(counts == one.at("counts").get<Counts>());
        CHECK(expertCounts(choices, 0) == one.at("first_counts").get<Counts>());
        const Counts pairs = one.at("pairs");
        CHECK(pairCounts(choices) == pairs);
        const auto experts = static_cast<std::size_t>(choices.experts);
        for (std::size_t e = 0; e < experts; ++e) {
            const Counts row(pairs.begin() + static_cast<std::ptrdiff_t>(e * experts),
                             pairs.begin() + static_cast<std::ptrdiff_t>((e + 1) * experts));
            CHECK(pairCountsOf(choices, static_cast<std::uint16_t>(e)) == row);
        }

        const Counts offsets = one.at("offsets");
        Repetition repetition;
        for (std::size_t d = 0; d + 1 < offsets.size(); ++d) {
            repetition += repetitionOf(choices.part(offsets[d], offsets[d + 1] - offsets[d]));
        }
        CHECK(repetition.positions == one.at("positions"));
        CHECK(repetition.sameFirst == one.at("same_first"));
        CHECK(repetition.overlapping == one.at("overlapping"));

        const LoadSummary load = loadOf(counts);
        CHECK(load.maxOverMean == Approx(one.at("max_over_mean").get<double>()));
        CHECK(load.variation == Approx(one.at("variation").get<double>()));
        CHECK(load.entropy == Approx(one.at("entropy").get<double>()));
        CHECK(load.idle == one.at("idle"));
        const std::vector<double> lorenz = lorenzCurve(counts);
        const std::vector<double> expected = one.at("lorenz");
        REQUIRE(lorenz.size() == expected.size());
        for (std::size_t i = 0; i < lorenz.size(); ++i) {
            CHECK(lorenz[i] == Approx(expected[i] / expected.back()));
        }
        const BatchLoad batches =
            batchLoad(choices, all.at("batch_tokens"), all.at("capacity_factor"));
        CHECK(batches.batches == one.at("batch").at("batches"));
        CHECK(batches.meanMaxOverMean == Approx(one.at("batch").at("mean").get<double>()));
        CHECK(batches.worstMaxOverMean == Approx(one.at("batch").at("worst").get<double>()));
        CHECK(batches.dropped == Approx(one.at("batch").at("dropped").get<double>()));
        const int devices = all.at("devices");
        CHECK(placementImbalance(counts, devices, Placement::Contiguous) ==
              Approx(one.at("contiguous").get<double>()));
        CHECK(placementImbalance(counts, devices, Placement::Greedy) ==
              Approx(one.at("greedy").get<double>()));
    }
}

TEST_CASE("groupShares: assignments of each group's documents", "[core][numerics]") {
    const nlohmann::json all = golden();  // outlives the loop
    for (const auto& one : all.at("cases")) {
        const Ids ids = one.at("ids");
        const Choices choices{ids, one.at("k"), one.at("experts")};
        const Counts offsets = one.at("offsets");
        const std::vector<std::int32_t> group = one.at("groups");
        std::vector<double> counts;
        std::vector<double> totals;
        for (std::size_t d = 0; d + 1 < offsets.size(); ++d) {
            const std::size_t length = offsets[d + 1] - offsets[d];
            for (const std::uint64_t count : expertCounts(choices.part(offsets[d], length))) {
                counts.push_back(static_cast<double>(count));
            }
            totals.push_back(static_cast<double>(length) * choices.topK);
        }
        const auto& expected = one.at("shares");
        const GroupedCounts grouped{static_cast<std::size_t>(choices.experts), counts, totals,
                                    group, expected.size() - 1};
        const std::vector<double> shares = groupShares(grouped);
        for (std::size_t row = 0; row < expected.size(); ++row) {
            for (std::size_t e = 0; e < grouped.width; ++e) {
                CHECK(shares[row * grouped.width + e] == Approx(expected[row].at(e).get<double>()));
            }
        }
    }
}

TEST_CASE("expectedOverlap: enumeration of all sets", "[core][numerics]") {
    const nlohmann::json all = golden();
    for (const auto& one : all.at("overlap")) {
        CHECK(expectedOverlap(one.at("experts"), one.at("k")) ==
              Approx(one.at("expected").get<double>()));
    }
    CHECK(expectedFirstRepetition(8) == 0.125);
}

TEST_CASE("transitionCounts: first choices of two layers", "[core][numerics]") {
    const Ids from{0, 1, 1, 0, 2, 1};
    const Ids to{3, 0, 3, 1, 0, 1};
    CHECK(transitionCounts({from, 2, 3}, {to, 2, 4}) == Counts{0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 0});
}

TEST_CASE("Statistics of routing: nothing routed gives gaps, not zeros", "[core][numerics]") {
    const Choices none{{}, 2, 4};
    CHECK(std::isnan(repetitionOf(none).firstShare()));
    CHECK(std::isnan(loadOf(expertCounts(none)).entropy));
    CHECK(loadOf(expertCounts(none)).idle == 4);
    CHECK(std::isnan(batchLoad(none, 16, 1.0).dropped));
    CHECK(std::isnan(placementImbalance(expertCounts(none), 2, Placement::Greedy)));
}
