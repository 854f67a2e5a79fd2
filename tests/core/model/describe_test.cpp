// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/describe.h"

#include "tests/support/catch.h"

using namespace moescope::model;

TEST_CASE("Describe: router rules in words", "[core][model]") {
    MoeSpec moe;
    moe.experts = 64;
    moe.topK = 6;
    CHECK(routerRule(moe) == "softmax over 64, top 6, not renormalised");
    moe.router.renormalise = Renormalise::SumEps;
    CHECK(routerRule(moe) == "softmax over 64, top 6, renormalised");
    moe.router.score = RouterScore::Sigmoid;
    moe.router.scale = 2.5;
    CHECK(routerRule(moe) == "sigmoid over 64, top 6, renormalised, times 2.5");
    moe.router.groups = 8;
    moe.router.keptGroups = 4;
    moe.router.selectionBias = true;
    CHECK(routerRule(moe) ==
          "sigmoid over 64, top 6, renormalised, from the best 4 of 8 groups, chosen with a "
          "correction bias, times 2.5");
    moe.router = {};
    moe.router.softmaxOverSelected = true;
    CHECK(routerRule(moe) == "top 6 of 64 logits, softmax over the chosen");
    moe.router.unitWeights = true;
    CHECK(routerRule(moe) == "top 6 of 64 logits, every chosen expert weighs 1");
}

TEST_CASE("Describe: experts, attention, positions, norm", "[core][model]") {
    MoeSpec moe;
    moe.experts = 64;
    moe.topK = 6;
    moe.expert.intermediateSize = 1408;
    CHECK(expertsText(moe) == "64 of width 1408 (silu), 6 chosen per token, no shared expert");
    moe.sharedCount = 2;
    moe.shared = FeedForwardSpec{.intermediateSize = 2816};
    CHECK(expertsText(moe) ==
          "64 of width 1408 (silu), 6 chosen per token, 2 shared (fused), width 2816 in all");

    AttentionSpec attention;
    attention.headsQ = 32;
    attention.headsKv = 8;
    attention.headDim = 128;
    CHECK(attentionText(attention) ==
          "32 query heads, 8 key/value heads of dimension 128, full causal, no biases");
    attention.slidingWindow = 4096;
    attention.qkvBias = true;
    CHECK(attentionText(attention) ==
          "32 query heads, 8 key/value heads of dimension 128, sliding window 4096, biases on "
          "query, key and value");

    attention.latent = LatentAttention{
        .queryRank = 1536, .keyValueRank = 512, .plainDim = 128, .rotaryDim = 64, .valueDim = 128};
    attention.qkvBias = false;
    attention.slidingWindow.reset();
    CHECK(attentionText(attention) ==
          "latent, 32 heads of dimension 128 + 64 rotated, values of 128; keys and values of rank "
          "512 and queries of rank 1536, full causal, no biases");

    RopeSpec rope;
    rope.rotaryDim = 128;
    rope.theta = 1e6;
    rope.maxPositions = 32768;
    CHECK(positionsText(rope) == "RoPE half-split, 128 dimensions, theta 1000000, 32768 positions");
    rope.scaling.kind = RopeScalingKind::Llama3;
    rope.scaling.factor = 8;
    rope.scaling.originalMaxPositions = 8192;
    CHECK(
        positionsText(rope) ==
        "RoPE half-split, 128 dimensions, theta 1000000, 32768 positions, llama3 scaling by 8 from "
        "8192");
    rope.enabled = false;
    CHECK(positionsText(rope) == "no position embedding");
    CHECK(normText(NormKind::Rms, 1e-5) == "RMSNorm, epsilon 1e-05");
}

TEST_CASE("Describe: layer ranges and groups", "[core][model]") {
    CHECK(layerRanges({}).empty());
    CHECK(layerRanges(std::vector<int>{4}) == "4");
    CHECK(layerRanges(std::vector<int>{0, 1, 2, 5, 7, 8}) == "0-2, 5, 7-8");
    ModelSpec spec;
    spec.layers.resize(4);
    spec.layers[1].dense = FeedForwardSpec{};
    const auto groups = groupLayers(
        spec, [](const LayerSpec& layer) { return std::string(layer.dense ? "dense" : "other"); });
    REQUIRE(groups.size() == 2);
    CHECK(groups[0] == LayerGroup{"other", {0, 2, 3}});
    CHECK(groups[1] == LayerGroup{"dense", {1}});
    CHECK(groupLayers(spec, [](const LayerSpec&) { return std::string(); }).empty());
}
