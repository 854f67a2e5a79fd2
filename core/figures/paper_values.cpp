// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/paper_values.h"

#include <algorithm>
#include <array>

namespace moescope::figures {
namespace {

using V = PaperValue;
using enum Measure;

constexpr double kOne = 1.0;  // the largest cosine and correlation

// "close to zero", "around zero": what a heat map with one decimal shows as 0.
constexpr double kAroundZero = 0.05;

// "high" similarities: above the middle of the scale.
constexpr double kHigh = 0.5;

// Layers of the notebooks' reordering cells.
constexpr std::array kMixtralReordered{0, 5, 10, 15, 20, 25, 30, 31};
constexpr std::array kDeepSeekReordered{1, 5, 10, 15, 20, 25, 27};
constexpr std::array kGrokReordered{0};

// "lower in the deeper layers (22nd-30th for Mixtral and 35th-50th for Mixtral-22)".
constexpr std::array kMixtralDeep{22, 23, 24, 25, 26, 27, 28, 29, 30};
constexpr std::array kMixtral22Deep{35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50};
// "relatively low in the deeper (22nd-27th for Mixtral and 30nd-50th for Mixtral-22) layers".
constexpr std::array kMixtral22DeepOutputs{30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
                                           41, 42, 43, 44, 45, 46, 47, 48, 49, 50};
constexpr std::array kDeepSeekLast{27};
constexpr std::array kMixtralShown{31, 6, 27};  // "Layer 31 > Layer 6 > Layer 27"

constexpr std::array kFromFirst{0};
constexpr std::array kFromSecond{1};

// Table 5: r of router similarity and mean gate neurons, layer by layer. The means of their squares
// are the gate column of Table 3. All but those of Mixtral 8x22B are roots of squares that had been
// rounded to two decimals.
constexpr std::array kMixtralR{0.82, -0.44, 0.26, 0.54, 0.48, 0.70, 0.84, 0.74, 0.42, 0.66, 0.53,
                               0.32, 0.14,  0.51, 0.66, 0.40, 0.39, 0.53, 0.35, 0.17, 0.51, 0.63,
                               0.36, 0.51,  0.48, 0.66, 0.81, 0.63, 0.73, 0.75, 0.84, 0.57};
constexpr std::array kMixtral22R{
    -0.01, 0.23, 0.62, 0.76, 0.47, 0.49, 0.28, 0.69, 0.66, 0.84, 0.59, 0.61, 0.55, 0.48,
    0.62,  0.59, 0.68, 0.65, 0.66, 0.72, 0.77, 0.67, 0.65, 0.35, 0.30, 0.13, 0.27, 0.22,
    0.38,  0.52, 0.38, 0.45, 0.37, 0.28, 0.72, 0.69, 0.34, 0.46, 0.31, 0.26, 0.48, 0.41,
    0.46,  0.33, 0.44, 0.50, 0.43, 0.34, 0.50, 0.42, 0.43, 0.51, 0.67, 0.32, 0.68, 0.20};
constexpr std::array kDeepSeekR{0.75, 0.78, 0.71, 0.77, 0.77, 0.69, 0.73, 0.66, 0.66,
                                0.63, 0.60, 0.54, 0.60, 0.56, 0.58, 0.53, 0.55, 0.57,
                                0.57, 0.58, 0.62, 0.62, 0.62, 0.68, 0.62, 0.58, 0.46};
constexpr std::array kGrokR{
    0.89,  -0.10, -0.28, 0.66,  0.52,  0.37,  0.28,  0.17,  0.51,  0.84,  0.28,  0.30,  0.46,
    0.14,  0.00,  0.54,  0.32,  0.30,  0.10,  -0.17, 0.24,  0.58,  0.46,  0.14,  0.10,  0.00,
    -0.10, -0.26, -0.66, -0.41, -0.83, -0.76, -0.24, -0.53, -0.46, 0.14,  0.17,  -0.46, -0.17,
    -0.26, -0.70, 0.17,  0.00,  -0.17, -0.22, 0.14,  -0.47, -0.44, -0.17, -0.14, 0.17,  0.22,
    0.10,  0.33,  -0.24, -0.57, -0.24, -0.37, 0.00,  -0.69, -0.17, 0.35,  0.30,  0.10};

// Table 3: two decimals of a mean of r squared, each of which had been rounded to two decimals.
constexpr V fit(std::string_view role, std::string_view said, double value) {
    constexpr double kRounding = 0.005 + 0.005;
    return {.measure = RouterFit,
            .role = role,
            .said = said,
            .value = value,
            .low = value - kRounding,
            .high = value + kRounding,
            .source = "Table 3"};
}

constexpr V correlations(std::string_view said, std::span<const int> first,
                         std::span<const double> series) {
    const auto layers = static_cast<double>(series.size());
    return {.measure = RouterCorrelation,
            .role = "gate",
            .said = said,
            .value = layers,
            .low = layers,
            .high = layers,
            .source = "Table 5",
            .layers = first,
            .series = series};
}

// Neurons in unrelated order give tau = 0 with a standard deviation of sqrt(2 (2 m + 5) / (9 m (m -
// 1))) a pair: up to 0.0004 for the mean over the pairs and roles of a layer of Grok-1, so that
// their margin is not that of the last digit.
constexpr double kScatterOfTau = 0.001;

constexpr V tau(std::string_view said, double value, double margin, std::span<const int> layers) {
    return {.measure = MatchedOrder,
            .said = said,
            .value = value,
            .low = value - margin,
            .high = value + margin,
            .source = "Table 2",
            .layers = layers};
}

constexpr V growth(std::string_view said, double power, std::span<const int> layers) {
    return {.measure = MatchedGrowth,
            .said = said,
            .value = power,
            .low = power - 0.5,
            .high = power + 0.5,
            .source = "Table 2",
            .layers = layers};
}

constexpr V activeShare(std::string_view said, double percent) {
    return {.measure = ActiveShare,
            .said = said,
            .value = percent,
            .low = percent - 0.05,
            .high = percent + 0.05,
            .source = "App. H"};
}

constexpr V kUpcycledWeights{.measure = WeightSimilarity,
                             .said = "0.2 to 0.4",
                             .value = 0.3,
                             .low = 0.2,
                             .high = 0.4,
                             .source = "\u00A7 4.1.1, \u00A7 4.3"};
constexpr V kUnrelatedWeights{.measure = WeightSimilarity,
                              .said = "close to 0",
                              .value = 0.0,
                              .low = -kAroundZero,
                              .high = kAroundZero,
                              .source = "\u00A7 4.1.1"};
constexpr V kWeightsTellOutputs{.measure = WeightsTellOutputs,
                                .said = "alike",
                                .low = 0.0,
                                .high = kOne,
                                .source = "\u00A7 5.3, Fig. 3"};

constexpr std::array kMixtral{
    kUpcycledWeights,
    V{.measure = WeightBaseline,
      .said = "about 0.6",
      .value = 0.6,
      .low = 0.55,
      .high = 0.65,
      .source = "\u00A7 4.1.1"},
    V{.measure = WeightDepth,
      .said = "lower in 22 to 30",
      .low = -2.0,
      .high = 0.0,
      .source = "\u00A7 4.1.1",
      .layers = kMixtralDeep},
    V{.measure = NeuronBaseline,
      .role = "gate",
      .said = "often",
      .low = 0.5,
      .high = kOne,
      .source = "App. D"},
    tau("0.75", 0.75, 0.005, kMixtralReordered),
    growth("1e\u22123", -3.0, kMixtralReordered),
    V{.measure = RouterSimilarity,
      .said = "0.2 to 0.4",
      .low = 0.2,
      .high = 0.4,
      .source = "App. E"},
    fit("gate", "0.33", 0.33),
    fit("up", "0.06", 0.06),
    fit("down", "0.07", 0.07),
    correlations("32 layers", kFromFirst, kMixtralR),
    V{.measure = OutputOrder,
      .said = "31 > 6 > 27",
      .low = 2.0,
      .high = 2.0,
      .source = "Fig. 2, README of the notebooks",
      .layers = kMixtralShown},
    V{.measure = OutputBaseline,
      .said = "above 0",
      .low = 0.0,
      .high = kOne,
      .source = "\u00A7 5.1"},
    V{.measure = RankAgreement,
      .said = "8 of 8",
      .value = 8.0,
      .low = 8.0,
      .high = 8.0,
      .source = "App. G, Fig. 10"},
    activeShare("99.6", 99.6),
    kWeightsTellOutputs,
};

constexpr std::array kMixtral22{
    kUpcycledWeights,
    V{.measure = WeightDepth,
      .said = "lower in 35 to 50",
      .low = -2.0,
      .high = 0.0,
      .source = "\u00A7 4.1.1",
      .layers = kMixtral22Deep},
    fit("gate", "0.26", 0.26),
    fit("up", "0.13", 0.13),
    fit("down", "0.13", 0.13),
    correlations("56 layers", kFromFirst, kMixtral22R),
    V{.measure = OutputDepth,
      .said = "lower in 30 to 50",
      .low = -1.0,
      .high = 0.0,
      .source = "\u00A7 5.1",
      .layers = kMixtral22DeepOutputs},
    kWeightsTellOutputs,
};

constexpr std::array kDeepSeek{
    kUnrelatedWeights,
    V{.measure = NeuronSimilarity,
      .role = "up",
      .said = "almost 0",
      .value = 0.0,
      .low = -kAroundZero,
      .high = kAroundZero,
      .source = "App. E"},
    V{.measure = NeuronSimilarity,
      .role = "down",
      .said = "almost 0",
      .value = 0.0,
      .low = -kAroundZero,
      .high = kAroundZero,
      .source = "App. E"},
    V{.measure = NeuronLargest,
      .role = "gate",
      .said = "above 0.4",
      .low = 0.4,
      .high = kOne,
      .source = "App. E"},
    tau("\u22120.0002", -0.0002, kScatterOfTau, kDeepSeekReordered),
    growth("1e0", 0.0, kDeepSeekReordered),
    fit("gate", "0.40", 0.40),
    fit("up", "0.00", 0.00),
    fit("down", "0.00", 0.00),
    correlations("27 layers", kFromSecond, kDeepSeekR),
    V{.measure = OutputCosine,
      .said = "around 0",
      .value = 0.0,
      .low = -kAroundZero,
      .high = kAroundZero,
      .source = "\u00A7 5.1"},
    V{.measure = OutputDepth,
      .said = "higher in the last",
      .low = 0.0,
      .high = kOne,
      .source = "\u00A7 5.1",
      .layers = kDeepSeekLast},
    V{.measure = TopRanks,
      .said = "norm ranks 60 to 64",
      .value = 5.0,
      .low = 5.0,
      .high = 5.0,
      .source = "App. G"},
    activeShare("99.7", 99.7),
    kWeightsTellOutputs,
};

constexpr std::array kGrok{
    kUnrelatedWeights,
    tau("\u22120.0003", -0.0003, kScatterOfTau, kGrokReordered),
    growth("1e0", 0.0, kGrokReordered),
    fit("gate", "0.15", 0.15),
    fit("up", "0.04", 0.04),
    fit("down", "0.04", 0.04),
    correlations("64 layers", kFromFirst, kGrokR),
    V{.measure = OutputCosine, .said = "high", .low = kHigh, .high = kOne, .source = "\u00A7 5.1"},
    V{.measure = RankCorrelation, .said = "inverse", .low = -kOne, .high = 0.0, .source = "App. G"},
    activeShare("25.3", 25.3),
    kWeightsTellOutputs,
};

// Table 1.
constexpr std::array kModels{
    PaperModel{"Mixtral 8x7B", "mixtral", 32, 4096, 8, 14336, kMixtral},
    PaperModel{"Mixtral 8x22B", "mixtral", 56, 6144, 8, 16384, kMixtral22},
    PaperModel{"DeepSeekMoE 16B", "deepseek", 28, 2048, 64, 1408, kDeepSeek},
    PaperModel{"Grok-1", "grok1", 64, 6144, 8, 32768, kGrok},
};
constexpr const PaperModel& kMixtralModel = kModels[0];
constexpr const PaperModel& kDeepSeekModel = kModels[2];

}  // namespace

std::span<const PaperModel> paperModels() {
    return kModels;
}

const PaperModel* findPaperModel(const session::ModelSummary& model) {
    const auto* const found =
        std::find_if(kModels.begin(), kModels.end(), [&](const PaperModel& one) {
            // Dense layers come first where there are any.
            return one.family == model.family && !model.layers.empty() &&
                   one.layers == static_cast<int>(model.layers.size()) &&
                   one.hiddenSize == model.hiddenSize &&
                   one.experts == model.layers.back().experts &&
                   one.intermediateSize == model.layers.back().intermediateSize;
        });
    return found == kModels.end() ? nullptr : found;
}

const PaperModel& paperModelBeside(const session::ModelSummary& model) {
    if (const PaperModel* same = findPaperModel(model)) {
        return *same;
    }
    const auto* const kin =
        std::find_if(kModels.begin(), kModels.end(),
                     [&](const PaperModel& one) { return one.family == model.family; });
    if (kin != kModels.end()) {
        return *kin;
    }
    constexpr int kMostCoarse = 16;
    const bool isFine = std::any_of(
        model.layers.begin(), model.layers.end(), [](const session::LayerSummary& layer) {
            return layer.isRouted() && (layer.sharedExperts > 0 || layer.experts > kMostCoarse);
        });
    return isFine ? kDeepSeekModel : kMixtralModel;
}

const PaperValue* findPaperValue(const PaperModel& model, Measure measure, std::string_view role) {
    const auto found = std::find_if(
        model.values.begin(), model.values.end(),
        [&](const PaperValue& one) { return one.measure == measure && one.role == role; });
    return found == model.values.end() ? nullptr : &*found;
}

}  // namespace moescope::figures
