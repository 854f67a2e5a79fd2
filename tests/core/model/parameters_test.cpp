// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/parameters.h"

#include "core/base/file_system.h"
#include "core/model/load_spec.h"
#include "core/model/published_figures.h"
#include "tests/support/catch.h"
#include "tests/support/paths.h"
#include "tests/support/published_models.h"
#include "tests/support/temporary_folder.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <functional>
#include <numeric>
#include <random>
#include <set>

using namespace moescope;
using namespace moescope::model;
using checkpoint::Checkpoint;
using checkpoint::Contents;

namespace {

ModelSpec published(const std::function<void(const std::filesystem::path&)>& write) {
    const tests::TemporaryFolder root;
    write(root / "model");
    return loadSpec(Checkpoint(root / "model", Contents::HeadersOnly));
}

}  // namespace

TEST_CASE("Parameters: 8x7B is not 56B", "[core][model]") {
    const auto spec = published(tests::writeMixtral8x7B);
    const auto account = countParameters(spec);
    CHECK(sum(account.total) == 46'702'792'704);
    CHECK(sum(account.active) == 12'879'925'248);
    CHECK(account.of(Component::RoutedExperts) == 32ULL * 8 * 3 * 4096 * 14336);
    CHECK(account.activeOf(Component::RoutedExperts) == 32ULL * 2 * 3 * 4096 * 14336);
    CHECK(account.of(Component::Router) == 32ULL * 8 * 4096);
    CHECK(account.of(Component::Head) == 32000ULL * 4096);
    CHECK(account.activeWithoutInputEmbedding() == 12'879'925'248 - 131'072'000);
    CHECK(expertBytesTouched(spec, 1, 2.0) == Approx(32.0 * 2 * 3 * 4096 * 14336 * 2));
}

TEST_CASE("Parameters: other published models", "[core][model]") {
    const auto large = countParameters(published(tests::writeMixtral8x22B));
    CHECK(sum(large.total) == 140'620'634'112);
    CHECK(static_cast<double>(sum(large.active)) == Approx(39.1e9).epsilon(0.005));
    const auto deepseek = countParameters(published(tests::writeDeepSeekMoe16B));
    CHECK(sum(deepseek.total) == 16'375'728'128);
    CHECK(sum(deepseek.active) == 2'828'650'496);
    CHECK(deepseek.of(Component::SharedExperts) == 467'140'608);
    const auto granite = countParameters(published(tests::writeGranite1B));
    CHECK(sum(granite.total) == 1'334'628'352);
    CHECK(sum(granite.active) == 428'658'688);
}

TEST_CASE("Parameters: counts of the published shapes, beside what is published", "[core][model]") {
    struct Row {
        void (*write)(const std::filesystem::path&);
        std::uint64_t total, active, activeWithoutEmbedding;
    };
    // Counted by hand from the published shapes.
    const Row row =
        GENERATE(Row{tests::writeMixtral8x7B, 46'702'792'704, 12'879'925'248, 12'748'853'248},
                 Row{tests::writeMixtral8x22B, 140'620'634'112, 39'152'031'744, 38'955'423'744},
                 Row{tests::writeDeepSeekMoe16B, 16'375'728'128, 2'828'650'496, 2'618'935'296},
                 Row{tests::writeOlmoe, 6'919'161'856, 1'282'017'280, 1'178'994'688},
                 Row{tests::writeQwen30B, 30'532'122'624, 3'353'032'704, 3'041'867'776},
                 Row{tests::writeDeepSeekV3, 671'026'419'200, 37'552'297'472, 36'625'618'432},
                 Row{tests::writeGptOss20B, 20'914'757'184, 4'187'440'704, 3'608'307'264},
                 Row{tests::writeDbrx, 131'596'523'520, 36'469'708'800, 35'853'146'112});
    const auto spec = published(row.write);
    INFO(spec.family);
    const auto account = countParameters(spec);
    CHECK(sum(account.total) == row.total);
    CHECK(sum(account.active) == row.active);
    CHECK(account.activeWithoutInputEmbedding() == row.activeWithoutEmbedding);
    const PublishedFigures* figures = findPublished(spec);
    REQUIRE(figures != nullptr);
    // As far as the published digits go.
    CHECK(static_cast<double>(row.total) == Approx(figures->total * 1e9).epsilon(0.006));
    CHECK((static_cast<double>(row.active) == Approx(figures->active * 1e9).epsilon(0.02) ||
           static_cast<double>(row.activeWithoutEmbedding) ==
               Approx(figures->active * 1e9).epsilon(0.02)));
}

TEST_CASE("Parameters: the reference rows are the published counts", "[core][model]") {
    const auto rows = denseReferences();
    REQUIRE(rows.size() == 3);
    CHECK(rows[0].parameters() == 7'241'732'096);
    CHECK(rows[1].parameters() == 13'015'864'320);
    CHECK(rows[2].parameters() == 68'976'648'192);
    for (const auto& row : rows) {
        CHECK_FALSE(row.source.empty());
        const auto account = countParameters(row.spec());
        CHECK(account.active == account.total);
    }
}

TEST_CASE("Parameters: equal the reference implementation on the fixtures", "[core][model]") {
    const auto path = tests::referenceDir() / "experiments/parameters.json";
    const auto golden = nlohmann::json::parse(readTextFile(path));
    CHECK(golden.size() >= 5);
    for (const auto& [model, expected] : golden.items()) {
        INFO(model);
        const auto spec = loadSpec(Checkpoint(tests::referenceDir() / "models" / model));
        const auto account = countParameters(spec);
        for (const auto component : kComponents) {
            INFO(name(component));
            const std::string key(name(component));
            CHECK(account.of(component) == expected["total_by_component"][key]);
            CHECK(account.activeOf(component) == expected["active_by_component"][key]);
        }
        CHECK(sum(account.total) == expected["total"]);
        CHECK(sum(account.active) == expected["active"]);
        CHECK(account.activeWithoutInputEmbedding() == expected["active_without_input_embedding"]);
        CHECK(operationsPerToken(spec, expected["context"]) == expected["operations_per_token"]);
        CHECK(expertBytesTouched(spec, expected["batch"], expected["bytes_per_weight"]) ==
              Approx(expected["expert_bytes_touched_uniform"].get<double>()).epsilon(1e-12));
    }
}

TEST_CASE("Parameters: a sliding window bounds the positions attended to", "[core][model]") {
    auto spec = denseReferences()[0].spec();
    const auto full = operationsPerToken(spec, 32768);
    for (auto& layer : spec.layers) {
        layer.attention.slidingWindow = 4096;
    }
    CHECK(operationsPerToken(spec, 32768) == full - 4ULL * (32768 - 4096) * 4096 * 32);
    CHECK(operationsPerToken(spec, 100) == operationsPerToken(denseReferences()[0].spec(), 100));
    auto chunked = denseReferences()[0].spec();
    for (auto& layer : chunked.layers) {
        layer.attention.chunk = 4096;
    }
    CHECK(operationsPerToken(chunked, 32768) == operationsPerToken(spec, 32768));
}

TEST_CASE("Parameters: a DeltaNet costs the same at any context", "[core][model]") {
    auto spec = denseReferences()[0].spec();
    LayerSpec& first = spec.layers.front();
    first.delta =
        DeltaNetSpec{.keyHeads = 16, .valueHeads = 32, .keyDim = 128, .valueDim = 64, .kernel = 4};
    // One position more in each of the other 31 layers, of 32 heads of 128.
    CHECK(operationsPerToken(spec, 1001) - operationsPerToken(spec, 1000) == 31ULL * 4 * 4096);
    first.delta->keyDim = 256;
    const auto more = operationsPerToken(spec, 1000);
    first.delta->keyDim = 128;
    CHECK(more - operationsPerToken(spec, 1000) == 6ULL * 32 * 128 * 64);
}

TEST_CASE("Parameters: expected different experts against a simulation", "[core][model]") {
    CHECK(expectedDistinctExperts(8, 2, 1) == Approx(2.0));
    CHECK(expectedDistinctExperts(8, 2, 0) == 0.0);
    CHECK(expectedDistinctExperts(8, 8, 5) == Approx(8.0));
    CHECK(expectedDistinctExperts(std::vector<double>(8, 0.25), 7) ==
          Approx(expectedDistinctExperts(8, 2, 7)));

    std::mt19937 random(7);
    constexpr int kTrials = 20000;
    std::vector<int> experts(16);
    std::iota(experts.begin(), experts.end(), 0);
    double seen = 0.0;
    for (int trial = 0; trial < kTrials; ++trial) {
        std::set<int> distinct;
        for (int token = 0; token < 5; ++token) {
            std::shuffle(experts.begin(), experts.end(), random);
            distinct.insert(experts.begin(), experts.begin() + 3);
        }
        seen += static_cast<double>(distinct.size());
    }
    CHECK(expectedDistinctExperts(16, 3, 5) == Approx(seen / kTrials).epsilon(0.01));
}

TEST_CASE("Parameters: bytes on disk by dtype", "[core][model]") {
    const Checkpoint checkpoint(tests::referenceDir() / "models/mixtral");
    std::uint64_t bytes = 0;
    for (const auto& tensor : checkpoint.tensors()) {
        bytes += tensor.bytes.size();
    }
    const auto shares = bytesByDtype(checkpoint);
    REQUIRE_FALSE(shares.empty());
    std::uint64_t counted = 0;
    std::uint64_t tensors = 0;
    for (const auto& share : shares) {
        counted += share.bytes;
        tensors += share.tensors;
    }
    CHECK(counted == bytes);
    CHECK(tensors == checkpoint.tensors().size());
}
