// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/probe.h"

#include <filesystem>
#include <string>
#include <vector>

/// Plays the engine's part for a single layer, on plain numbers.
namespace moescope::tests {

/// What a routed layer does to a text.
struct LayerData {
    int experts = 0, topK = 0, hiddenSize = 0;
    std::vector<engine::Column> columns;
    text::TokenizedCorpus corpus;
    std::vector<float> outputs;        ///< [N, T, d]
    std::vector<float> scores;         ///< [T, E]
    std::vector<float> selection;      ///< [T, E]; empty: the scores
    std::vector<std::int64_t> chosen;  ///< [T, k]
    std::vector<float> weights;        ///< [T, k]
    /// Outputs are given in float64, which probes take by LibTorch's operations, as on a device.
    bool wideOutputs = false;

    [[nodiscard]] std::size_t tokens() const { return corpus.ids.size(); }
    [[nodiscard]] const float* output(std::size_t column, std::size_t token) const {
        const auto d = static_cast<std::size_t>(hiddenSize);
        return outputs.data() + (column * tokens() + token) * d;
    }
};

/// Matrices of one layer by role and column.
struct WeightData {
    int experts = 0, hiddenSize = 0;
    std::vector<engine::Column> columns;
    /// [role][column]: gate and up [m, d], down [d, m].
    std::vector<std::vector<std::vector<float>>> matrices;
    std::vector<float> router;  ///< [E, d]
};

/// Carries the layer past the probe in blocks of at most that many tokens, or slabs of neurons.
[[nodiscard]] session::Part feed(engine::DynamicProbe& probe, const LayerData& layer,
                                 std::size_t blockTokens);
[[nodiscard]] session::Part feed(engine::StaticProbe& probe, const WeightData& layer,
                                 int slabNeurons);
/// Every unit of work, one after the other.
[[nodiscard]] session::Part feed(engine::UnitProbe& probe, const WeightData& layer);

/// The neurons of these matrices. The data must outlive it.
[[nodiscard]] std::unique_ptr<engine::NeuronSource> neuronsOf(const WeightData& layer);

/// A text of as many one-word documents as there are sizes.
[[nodiscard]] text::TokenizedCorpus corpusOf(const std::vector<std::size_t>& documentSizes);

/// Normally distributed numbers, columns 0..E-1 and, if asked, F; documents of 1 and T - 1 tokens.
[[nodiscard]] LayerData randomLayer(int experts, int topK, int hiddenSize, std::size_t tokens,
                                    bool withBaseline, unsigned seed);

/// A fixture's activations, and those of its dense baseline where a folder is given.
[[nodiscard]] LayerData referenceLayer(const std::string& fixture, int layer,
                                       const std::string& baseline = {});

/// A fixture's matrices, read by tensor names in the layout of its family, so that the model code
/// is not needed.
[[nodiscard]] WeightData referenceWeights(const std::string& fixture, int layer,
                                          const std::string& baseline = {});

/// Normally distributed matrices of experts 0..E-1 and, if asked, F of equal width.
[[nodiscard]] WeightData randomWeights(int experts, int neurons, int hiddenSize, bool withBaseline,
                                       unsigned seed);

/// The fixtures of tests/data/reference/experiments with their mixture layers.
struct GoldenFixture {
    std::string name, baseline;
    std::vector<int> layers;
};
[[nodiscard]] const std::vector<GoldenFixture>& goldenFixtures();

/// Throws std::out_of_range when the part has no such quantity.
[[nodiscard]] const session::Quantity& quantity(const session::Part& part, const std::string& name);

}  // namespace moescope::tests
