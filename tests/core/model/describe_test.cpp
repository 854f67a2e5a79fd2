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

    LayerSpec layer;
    AttentionSpec& attention = layer.attention;
    attention.headsQ = 32;
    attention.headsKv = 8;
    attention.headDim = 128;
    CHECK(attentionText(layer) ==
          "32 query heads, 8 key/value heads of dimension 128, full causal, no biases");
    attention.slidingWindow = 4096;
    attention.qkvBias = true;
    CHECK(attentionText(layer) ==
          "32 query heads, 8 key/value heads of dimension 128, sliding window 4096, biases on "
          "query, key and value");

    attention.latent = LatentAttention{
        .queryRank = 1536, .keyValueRank = 512, .plainDim = 128, .rotaryDim = 64, .valueDim = 128};
    attention.qkvBias = false;
    attention.slidingWindow.reset();
    CHECK(attentionText(layer) ==
          "latent, 32 heads of dimension 128 + 64 rotated, values of 128; keys and values of rank "
          "512 and queries of rank 1536, full causal, no biases");

    RopeSpec& rope = attention.rope;
    rope.rotaryDim = 128;
    rope.theta = 1e6;
    rope.maxPositions = 32768;
    CHECK(positionsText(layer) ==
          "RoPE half-split, 128 dimensions, theta 1000000, 32768 positions");
    rope.scaling.kind = RopeScalingKind::Llama3;
    rope.scaling.factor = 8;
    rope.scaling.originalMaxPositions = 8192;
    CHECK(
        positionsText(layer) ==
        "RoPE half-split, 128 dimensions, theta 1000000, 32768 positions, llama3 scaling by 8 from "
        "8192");
    rope.enabled = false;
    CHECK(positionsText(layer) == "no position embedding");
    CHECK(normText(NormKind::Rms, 1e-5) == "RMSNorm, epsilon 1e-05");
}

TEST_CASE("Describe: what few families have", "[core][model]") {
    LayerSpec layer;
    AttentionSpec& attention = layer.attention;
    attention.headsQ = 40;
    attention.headsKv = 8;
    attention.headDim = 128;
    attention.chunk = 8192;
    attention.temperature = QueryTemperature{};
    attention.sinks = true;
    attention.logitCap = 30.0;
    attention.outputGate = true;
    attention.valueIsKey = true;
    attention.valueNorm = true;
    CHECK(attentionText(layer) ==
          "40 query heads, 8 key/value heads of dimension 128 (values are keys), chunks of 8192, "
          "no biases, values normalised, scores capped at 30, a sink per head, queries scaled by "
          "1 + 0.1 ln(1 + position / 8192), output gated");
    layer.delta =
        DeltaNetSpec{.keyHeads = 16, .valueHeads = 32, .keyDim = 128, .valueDim = 64, .kernel = 4};
    CHECK(attentionText(layer) ==
          "gated DeltaNet, 16 key heads of dimension 128, 32 value heads of dimension 64, causal "
          "convolution over 4 positions");
    CHECK(positionsText(layer).empty());

    MoeSpec moe;
    moe.experts = 16;
    moe.topK = 2;
    moe.router.sparseMixerJitter = 0.01;
    CHECK(routerRule(moe) == "sparsemixer over 16, top 2 one by one, jitter 0.01");
    CHECK(feedForwardText({.intermediateSize = 2880, .bias = true, .clamped = ClampedSwiglu{}}) ==
          "width 2880 (SwiGLU clamped at 7), with biases");

    ModelSpec spec;
    CHECK(scalesText(spec).empty());
    spec.embeddingScale = 12.0;
    spec.logitScale = 1.0 / 6.0;
    spec.logitCap = 30.0;
    CHECK(scalesText(spec) == "embedding times 12, logits times 0.166667, logits capped at 30");
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
