// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
// What probes take of a device's memory is what they say. float16 outputs in main memory are summed
// by LibTorch's operations, as on a device.
#include "core/experiments/device_ranks.h"
#include "core/experiments/device_similarity.h"
#include "core/experiments/output_similarity.h"
#include "core/experiments/rank_counts.h"
#include "tests/core/experiments/feed.h"
#include "tests/support/catch.h"
#include "tests/support/limited_memory.h"
#include "tests/support/torch.h"

#include <limits>

using namespace moescope;

TEST_CASE("OutputSimilarity: the plan counts what it takes on a device", "[core][experiments]") {
    for (const auto& [experts, hidden] : {std::pair{4, 160}, {24, 40}}) {
        constexpr int kTokens = 100;
        CAPTURE(experts, hidden);
        const tests::LayerData data = tests::randomLayer(experts, 2, hidden, kTokens, true, 3);
        model::MoeSpec moe;
        moe.experts = experts;
        moe.topK = 2;
        const model::ModelSpec model;
        const engine::LayerContext layer{BranchId{0}, LayerId{3},   model,      moe,
                                         hidden,      data.columns, data.corpus};
        const auto probe = experiments::makeOutputSimilarity({.keptTokenCount = 0});
        probe->begin(layer);
        // All alike: then relative similarities, too, want the outputs in float64.
        const at::Tensor outputs =
            at::randn({1, kTokens, hidden})
                .expand({static_cast<std::int64_t>(data.columns.size()), kTokens, hidden})
                .to(at::kHalf)
                .contiguous();
        const at::Tensor none;
        const std::uint64_t said = probe->deviceBytes(layer).of(kTokens);
        const tests::LimitedMemory memory(std::numeric_limits<std::uint64_t>::max());
        probe->consume({.firstToken = 0,
                        .count = kTokens,
                        .input = none,
                        .logits = none,
                        .scores = none,
                        .selection = none,
                        .chosen = none,
                        .weights = none,
                        .outputs = &outputs});
        CHECK(memory.most() <= said * 11 / 10);
        CHECK(memory.most() >= said / 2);
    }
}

TEST_CASE("similarityBytes: Gram matrices in float32 of a whole block", "[core][experiments]") {
    // As many tokens as have 2^24 numbers of two matrices, each with its matrix in float32, three
    // in float64 and one that is made of it, beside outputs of 2^24 numbers, twice, in float64.
    constexpr std::uint64_t kNumbers = std::uint64_t{1} << 24U;
    CHECK(experiments::similarityBytes(64, 2048).of(2048) >=
          kNumbers / 2 * (4 + 4 * 8) + kNumbers * 2 * 8);
}

TEST_CASE("RankCounts: the plan counts what it takes on a device", "[core][experiments]") {
    constexpr int kTokens = 500;
    constexpr int kExperts = 64;
    const tests::LayerData data = tests::randomLayer(kExperts, 2, 4, kTokens, false, 3);
    model::MoeSpec moe;
    moe.experts = kExperts;
    moe.topK = 2;
    const model::ModelSpec model;
    const engine::LayerContext layer{BranchId{0}, LayerId{3},   model,      moe,
                                     4,           data.columns, data.corpus};
    const std::uint64_t said = experiments::makeRankCounts({})->deviceBytes(layer).of(kTokens);
    const at::Tensor values = at::randn({kTokens, kExperts});
    const tests::LimitedMemory memory(std::numeric_limits<std::uint64_t>::max());
    const at::Tensor norms = values.clone();
    const at::Tensor scores = values.clone();
    CHECK(experiments::rankCountsOf(scores, norms).sum().item<std::int64_t>() ==
          kTokens * kExperts);
    CHECK(memory.most() <= said);
    CHECK(memory.most() >= said / 2);
}
