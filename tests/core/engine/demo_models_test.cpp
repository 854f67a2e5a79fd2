// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/core/engine/reference_model.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <cmath>

using namespace moescope;
using tests::largestDifference;
using tests::ReferenceModel;

namespace {

ReferenceModel demoModel(const std::string& name) {
    return {tests::sourceDir() / "resources/demo" / name,
            tests::referenceDir() / "demo" / (name + ".safetensors")};
}

/// Columns of a row-major [rows, width] array.
std::vector<float> pick(std::span<const float> values, std::size_t rows,
                        const std::vector<double>& columns) {
    std::vector<float> picked;
    const std::size_t width = values.size() / rows;
    for (std::size_t row = 0; row < rows; ++row) {
        for (const double column : columns) {
            picked.push_back(values[row * width + static_cast<std::size_t>(column)]);
        }
    }
    return picked;
}

/// Of the softmax of a row of logits, in float64.
double logProbability(std::span<const float> row, std::size_t id) {
    const auto largest = static_cast<double>(*std::max_element(row.begin(), row.end()));
    double sum = 0.0;
    for (const float logit : row) {
        sum += std::exp(static_cast<double>(logit) - largest);
    }
    return static_cast<double>(row[id]) - largest - std::log(sum);
}

/// By how much the worst element of [rows, d] is further away than 1e-4 and, since trained residual
/// streams have elements of some thousands, a few units in the last place of the row's largest.
double excess(std::span<const float> ours, std::span<const float> theirs, std::size_t rows,
              double relative = 5e-7) {
    REQUIRE(ours.size() == theirs.size());
    const std::size_t width = ours.size() / rows;
    double worst = -1.0;
    for (std::size_t row = 0; row < rows; ++row) {
        const auto mine = ours.subspan(row * width, width);
        const auto other = theirs.subspan(row * width, width);
        double size = 0.0;
        double distance = 0.0;
        for (std::size_t i = 0; i < width; ++i) {
            const auto value = static_cast<double>(other[i]);
            size = std::max(size, std::abs(value));
            distance = std::max(distance, std::abs(static_cast<double>(mine[i]) - value));
        }
        worst = std::max(worst, distance - 1e-4 - relative * size);
    }
    return worst;
}

}  // namespace

// The stored text starts where all router margins are clear, so nothing is left out.
TEST_CASE("Demo models: logits and choices equal transformers in float32", "[core][engine]") {
    const std::string name =
        GENERATE("tiny-mistral", "tiny-mixtral", "tiny-mixtral-instruct", "tiny-deepseekmoe");
    INFO(name);
    const ReferenceModel model = demoModel(name);
    const auto trace = model.trace();
    const std::size_t tokens = model.corpus.tokenCount();
    REQUIRE(tokens > 30);

    const auto columns = model.expected.array("logit_columns").toDoubles();
    const auto logits = trace.logits.values<float>();
    CHECK(largestDifference(pick(logits, tokens, columns), model.expected.floats("logits"),
                            tokens) < 1e-4);
    const auto topIds = model.expected.array("top_ids").toDoubles();
    const auto topLogits = model.expected.floats("top_logits");
    const std::size_t width = logits.size() / tokens;
    for (std::size_t token = 0; token < tokens; ++token) {
        const auto row = logits.subspan(token * width, width);
        const std::size_t best = token * topIds.size() / tokens;
        CHECK(std::abs(row[static_cast<std::size_t>(topIds[best])] - topLogits[best]) < 1e-4F);
        CHECK(*std::max_element(row.begin(), row.end()) - topLogits[best] < 1e-4F);
    }
    const auto logProbabilities = model.expected.array("next_token_log_probability").toDoubles();
    for (std::size_t token = 0; token + 1 < tokens; ++token) {
        if (std::isnan(logProbabilities[token])) {  // the last token of a document
            continue;
        }
        const auto row = logits.subspan(token * width, width);
        const auto next = static_cast<std::size_t>(model.corpus.ids[token + 1]);
        CHECK(std::abs(logProbability(row, next) - logProbabilities[token]) < 1e-4);
    }
    for (const int layer : {1, 4, 8}) {
        INFO("into layer " << layer);
        CHECK(excess(trace.hidden.at(static_cast<std::size_t>(layer)).values<float>(),
                     model.expected.floats("hidden." + std::to_string(layer)), tokens) <= 0.0);
    }
    for (const auto& [layer, routed] : trace.routed) {
        const std::string prefix = "layers." + std::to_string(layer.value) + ".";
        INFO(prefix);
        CHECK(largestDifference(routed.logits.values<float>(),
                                model.expected.floats(prefix + "router_logits"), tokens) < 1e-4);
        CHECK(routed.chosen.toDoubles() ==
              model.expected.array(prefix + "chosen_experts").toDoubles());
        CHECK(largestDifference(routed.weights.values<float>(),
                                model.expected.floats(prefix + "weights"), tokens) < 1e-5);
        const auto norms = model.expected.floats(prefix + "expert_output_norms");
        const auto hidden = static_cast<std::size_t>(model.spec.hiddenSize);
        const auto outputs = tests::outputsByToken(routed.outputs.values<float>(),
                                                   norms.size() / tokens, tokens, hidden);
        // An expert's output sums products of rounded inputs: norms of thousands differ by some
        // 1e-6.
        CHECK(excess(tests::norms(outputs, hidden), norms, tokens, 2e-6) <= 0.0);
    }
}
