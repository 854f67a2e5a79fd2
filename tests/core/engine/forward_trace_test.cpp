// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/forward_trace.h"

#include "tests/core/engine/reference_model.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <cmath>
#include <set>

using namespace moescope;
using engine::ForwardTrace;
using tests::largestDifference;
using tests::lastRowsDifference;
using tests::ReferenceModel;

namespace {

constexpr double kLogitTolerance = 1e-4;  ///< absolute, float32
constexpr double kNearTie = 1e-5;         ///< margin below which a choice may differ

/// How far another order of summing may move a value, as a share of the largest value on the way.
/// Each layer adds two sums to the residual stream, through two matrices each. In float32 a sum of
/// n terms rounds n times by at most 2^-24; roundings of either sign add up to about sqrt(n) of
/// them.
double orderBound(const model::ModelSpec& spec) {
    constexpr double kRounding = 0x1p-24;
    constexpr double kSumsOfLayer = 4.0;
    int terms = spec.hiddenSize;
    for (const auto& layer : spec.layers) {
        terms = std::max(terms, layer.attention.headsQ * layer.attention.headDim);
    }
    return spec.layerCount() * kSumsOfLayer * std::sqrt(static_cast<double>(terms)) * kRounding;
}

double largestValue(const NdArray& array) {
    double largest = 0.0;
    for (const float value : array.values<float>()) {
        largest = std::max(largest, std::abs(static_cast<double>(value)));
    }
    return largest;
}

double differenceOf(const NdArray& a, const NdArray& b) {
    return largestDifference(a.values<float>(), b.values<float>(), 1);
}

/// What may not be compared since a near tie was decided the other way: later layers of that
/// token, and of the tokens behind it in its document, which attend to it.
class LeftOut {
public:
    explicit LeftOut(const text::TokenizedCorpus& corpus)
        : m_corpus(corpus), m_rows(corpus.tokenCount(), false) {}
    void tokenAndFollowing(std::size_t token) {
        for (std::size_t d = 0; d + 1 < m_corpus.offsets.size(); ++d) {
            if (token >= m_corpus.offsets[d] && token < m_corpus.offsets[d + 1]) {
                for (std::size_t t = token; t < m_corpus.offsets[d + 1]; ++t) {
                    m_rows[t] = true;
                }
            }
        }
    }
    [[nodiscard]] const std::vector<bool>& rows() const { return m_rows; }
    [[nodiscard]] std::size_t count() const {
        return static_cast<std::size_t>(std::count(m_rows.begin(), m_rows.end(), true));
    }

private:
    const text::TokenizedCorpus& m_corpus;
    std::vector<bool> m_rows;
};

/// Distance between the last chosen selection score and the next.
double margin(std::span<const float> selection, std::size_t k) {
    std::vector<float> sorted(selection.begin(), selection.end());
    std::sort(sorted.begin(), sorted.end(), std::greater<>());
    return k < sorted.size() ? static_cast<double>(sorted[k - 1] - sorted[k]) : 1.0;
}

void compareChoices(const ReferenceModel& model, const ForwardTrace::RoutedLayer& layer,
                    const std::string& prefix, LeftOut& leftOut) {
    const NdArray expected = model.expected.array(prefix + "chosen_experts");
    const auto ours = layer.chosen.values<std::int64_t>();
    const auto theirs = expected.values<std::int32_t>();
    const auto selection = model.expected.floats(prefix + "selection_scores");
    REQUIRE(ours.size() == theirs.size());
    const std::size_t tokens = model.corpus.tokenCount();
    const std::size_t k = ours.size() / tokens;
    const std::size_t experts = selection.size() / tokens;
    for (std::size_t t = 0; t < tokens; ++t) {
        if (leftOut.rows()[t]) {
            continue;
        }
        const auto a = ours.subspan(t * k, k);
        const auto b = theirs.subspan(t * k, k);
        if (std::equal(a.begin(), a.end(), b.begin())) {
            continue;
        }
        INFO("token " << t);
        CHECK(margin(std::span(selection).subspan(t * experts, experts), k) < kNearTie);
        leftOut.tokenAndFollowing(t);
    }
}

void compareLayer(const ReferenceModel& model, const ForwardTrace::RoutedLayer& layer, int index,
                  LeftOut& leftOut) {
    const std::string prefix = "layers." + std::to_string(index) + ".";
    const std::size_t tokens = model.corpus.tokenCount();
    const auto differs = [&](const NdArray& ours, const std::string& name) {
        return largestDifference(ours.values<float>(), model.expected.floats(prefix + name), tokens,
                                 leftOut.rows());
    };
    const auto lastRows = [&](std::span<const float> ours, const std::string& name) {
        return lastRowsDifference(ours, model.expected.floats(prefix + name), tokens,
                                  leftOut.rows());
    };
    INFO(prefix);
    CHECK(lastRows(layer.input.values<float>(), "moe_input") < 1e-4);
    CHECK(differs(layer.logits, "router_logits") < 1e-4);
    CHECK(differs(layer.scores, "scores") < 1e-5);
    CHECK(differs(layer.selection, "selection_scores") < 1e-4);
    compareChoices(model, layer, prefix, leftOut);
    CHECK(differs(layer.weights, "weights") < 1e-5);

    // Ours lie column by column, theirs token by token.
    const auto experts =
        static_cast<std::size_t>(model.spec.layers[static_cast<std::size_t>(index)].moe->experts);
    const auto hidden = static_cast<std::size_t>(model.spec.hiddenSize);
    const auto outputs = layer.outputs.values<float>();
    const auto byToken = tests::outputsByToken(outputs, experts, tokens, hidden);
    CHECK(lastRows(byToken, "expert_outputs") < 1e-4);
    CHECK(largestDifference(tests::norms(byToken, hidden),
                            model.expected.floats(prefix + "expert_output_norms"), tokens,
                            leftOut.rows()) < 1e-4);
    // Gemma's dense branch takes the place of shared experts.
    for (const char* const name : {"shared_output", "dense_output"}) {
        if (model.expected.has(prefix + name)) {
            CHECK(lastRows(outputs.subspan(experts * tokens * hidden), name) < 1e-4);
        }
    }
}

}  // namespace

TEST_CASE("traceForward: equals transformers in float32", "[core][engine]") {
    const std::string name = GENERATE(
        "mixtral", "mixtral-early", "mistral-baseline", "mistral-window", "llama", "deepseek",
        "deepseek-variant", "olmoe", "qwen2_moe", "qwen3_moe", "glm4_moe", "dots1", "ernie4_5_moe",
        "hunyuan_v1_moe", "minimax_m2", "minimax_m2-fp8", "deepseek_v2", "deepseek_v2-lite",
        "deepseek_v3", "kimi_k2", "phimoe", "grok1", "qwen3_next", "qwen3_5_moe", "gemma4",
        "llama4", "bailing_moe", "bailing_moe-variant", "bailing_moe_v2", "dbrx", "granitemoe",
        "granitemoeshared", "gpt_oss");
    INFO(name);
    const ReferenceModel model(name);
    const ForwardTrace trace = model.trace();
    const std::size_t tokens = model.corpus.tokenCount();
    const auto hidden = model.expected.floats("hidden");
    const std::size_t layerSize = tokens * static_cast<std::size_t>(model.spec.hiddenSize);
    REQUIRE(trace.hidden.size() * layerSize == hidden.size());

    LeftOut leftOut(model.corpus);
    for (int layer = 0; layer < model.spec.layerCount(); ++layer) {
        const auto index = static_cast<std::size_t>(layer);
        INFO("into layer " << layer);
        CHECK(largestDifference(trace.hidden[index].values<float>(),
                                std::span(hidden).subspan(index * layerSize, layerSize), tokens,
                                leftOut.rows()) < 1e-4);
        const auto found = trace.routed.find(LayerId{layer});
        CHECK((found != trace.routed.end()) ==
              model.expected.has("layers." + std::to_string(layer) + ".moe_input"));
        if (found != trace.routed.end()) {
            compareLayer(model, found->second, layer, leftOut);
        }
    }
    CHECK(largestDifference(trace.finalHidden.values<float>(),
                            model.expected.floats("final_hidden"), tokens, leftOut.rows()) < 1e-4);
    CHECK(lastRowsDifference(trace.logits.values<float>(), model.expected.floats("logits"), tokens,
                             leftOut.rows()) < kLogitTolerance);
    // The fixtures' seeds leave no near ties.
    CHECK(leftOut.count() == 0);
}

TEST_CASE("traceForward: results do not depend on the size of blocks", "[core][engine]") {
    const std::string name =
        GENERATE("mixtral", "mistral-window", "deepseek", "phimoe", "grok1", "qwen3_next",
                 "deepseek_v2", "gemma4", "llama4", "bailing_moe_v2", "gpt_oss");
    INFO(name);
    const ReferenceModel model(name);
    const ForwardTrace whole = model.trace();
    engine::TraceRequest small;
    small.blockTokens = 3;
    small.queryRows = 4;
    small.scoreBytes = 256;
    small.residentExperts = false;
    const ForwardTrace pieces = model.trace(small);
    double largest = largestValue(whole.logits);
    double difference = differenceOf(whole.logits, pieces.logits);
    for (const auto& [layer, routed] : whole.routed) {
        const auto& piece = pieces.routed.at(layer);
        CHECK(routed.chosen == piece.chosen);
        largest = std::max(largest, largestValue(routed.outputs));
        difference = std::max(difference, differenceOf(routed.outputs, piece.outputs));
    }
    for (const NdArray& hidden : whole.hidden) {
        largest = std::max(largest, largestValue(hidden));
    }
    INFO("difference " << difference << " of values up to " << largest);
    CHECK(difference < orderBound(model.spec) * largest);
}

TEST_CASE("traceForward: all documents at once equal one at a time", "[core][engine]") {
    const std::string name = GENERATE("mixtral", "llama", "deepseek-variant", "mistral-window",
                                      "phimoe", "grok1", "qwen3_next", "gemma4", "llama4");
    INFO(name);
    const ReferenceModel model(name);
    const ForwardTrace together = model.trace();
    const auto logits = together.logits.values<float>();
    const std::size_t width = logits.size() / model.corpus.tokenCount();
    for (std::size_t d = 0; d < model.corpus.documentCount(); ++d) {
        const auto begin = static_cast<std::ptrdiff_t>(model.corpus.offsets[d]);
        const auto end = static_cast<std::ptrdiff_t>(model.corpus.offsets[d + 1]);
        text::TokenizedCorpus alone;
        alone.ids.assign(model.corpus.ids.begin() + begin, model.corpus.ids.begin() + end);
        alone.offsets = {0, alone.ids.size()};
        const ForwardTrace trace = engine::traceForward(model.traced(), {}, alone, {});
        CHECK(largestDifference(
                  trace.logits.values<float>(),
                  logits.subspan(static_cast<std::size_t>(begin) * width, alone.ids.size() * width),
                  alone.ids.size()) < kLogitTolerance);
    }
}

TEST_CASE("traceForward: a baseline is run in lockstep on its own states", "[core][engine]") {
    const ReferenceModel model("mixtral");
    const ReferenceModel dense("mistral-baseline");
    const ForwardTrace trace =
        engine::traceForward(model.traced(), {dense.traced()}, model.corpus, {});
    const std::size_t tokens = model.corpus.tokenCount();
    const auto hidden = static_cast<std::size_t>(model.spec.hiddenSize);
    const auto expected = dense.expected.floats("ffn_output");
    for (const auto& [layer, routed] : trace.routed) {
        const auto outputs = routed.outputs.values<float>();
        const std::size_t layerSize = tokens * hidden;
        const auto ours = outputs.subspan(outputs.size() - layerSize, layerSize);
        const auto theirs = std::span(expected).subspan(
            static_cast<std::size_t>(layer.value) * layerSize, layerSize);
        CHECK(largestDifference(ours, theirs, tokens) < 1e-4);
    }
}

TEST_CASE("traceForward: each tensor is read once", "[core][engine]") {
    const ReferenceModel model("deepseek");
    const ForwardTrace trace = model.trace();
    CHECK(trace.bytesRead == model.neededBytes(true));
}

TEST_CASE("traceForward: bfloat16 stays near float32", "[core][engine]") {
    const std::string name = GENERATE("mixtral", "deepseek", "llama", "phimoe", "grok1",
                                      "qwen3_next", "gemma4", "llama4");
    INFO(name);
    const ReferenceModel model(name);
    engine::TraceRequest request;
    request.dtype = "bfloat16";
    const ForwardTrace narrow = model.trace(request);
    const auto expected = model.expected.floats("hidden");
    const std::size_t layerSize =
        model.corpus.tokenCount() * static_cast<std::size_t>(model.spec.hiddenSize);
    double norm = 0.0;
    double difference = 0.0;
    const auto ours = narrow.hidden[1].values<float>();
    for (std::size_t i = 0; i < layerSize; ++i) {
        const auto wide = static_cast<double>(expected[layerSize + i]);
        norm += wide * wide;
        difference += (static_cast<double>(ours[i]) - wide) * (static_cast<double>(ours[i]) - wide);
    }
    // After one layer a few roundings of 2^-9 each; more would be a wrong formula.
    CHECK(std::sqrt(difference / norm) < 0.02);
    CHECK(difference > 0.0);
}

TEST_CASE("traceForward: a removed expert is out of score and choice", "[core][engine]") {
    const ReferenceModel model("mixtral");
    const int experts = model.spec.layers[1].moe->experts;
    engine::Intervention change;
    change.branch = BranchId{1};
    change.layers.emplace_back(LayerId{1}, engine::LayerIntervention::without(experts, {2}));
    engine::TraceRequest request;
    request.change = &change;
    const ForwardTrace intact = model.trace();
    const ForwardTrace changed = model.trace(request);
    CHECK(intact.hidden[1] == changed.hidden[1]);
    CHECK_FALSE(intact.hidden[2] == changed.hidden[2]);
    const auto& layer = changed.routed.at(LayerId{1});
    const auto scores = layer.scores.values<float>();
    std::set<std::int64_t> chosen;
    for (const std::int64_t id : layer.chosen.values<std::int64_t>()) {
        chosen.insert(id);
    }
    CHECK_FALSE(chosen.contains(2));
    for (std::size_t t = 0; t < model.corpus.tokenCount(); ++t) {
        CHECK(scores[t * static_cast<std::size_t>(experts) + 2] == 0.0F);
    }
    const auto weights = layer.weights.values<float>();
    for (std::size_t t = 0; t < weights.size() / 2; ++t) {
        CHECK(weights[2 * t] + weights[2 * t + 1] == Approx(1.0F));
    }
}

TEST_CASE("traceForward: the same on a CUDA device", "[core][engine][cuda]") {
    const ReferenceModel model("mixtral");
    engine::TraceRequest request;
    request.device = "cuda";
    ForwardTrace trace;
    try {
        trace = model.trace(request);
    } catch (const Error& error) {
        REQUIRE(error.code() == ErrorCode::Device);
        WARN("no CUDA device here: not compared");
        return;
    }
    CHECK(lastRowsDifference(trace.logits.values<float>(), model.expected.floats("logits"),
                             model.corpus.tokenCount()) < kLogitTolerance);
    const ForwardTrace onCpu = model.trace();
    for (const auto& [layer, routed] : trace.routed) {
        CHECK(routed.chosen == onCpu.routed.at(layer).chosen);
        CHECK(largestDifference(routed.outputs.values<float>(),
                                onCpu.routed.at(layer).outputs.values<float>(), 1) < 1e-4);
    }
}
