// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/session/head.h"

#include <limits>
#include <span>
#include <string_view>

/// What "A Closer Look into Mixture-of-Experts in Large Language Models" (arXiv 2406.18219, third
/// version of June 2025) and its published notebooks say of the models they look at, as plain data.
/// Tables, figures, sections and appendices are those of that version.
namespace moescope::figures {

/// A quantity that the paper has a word or a number for; how ours is taken from a session stands
/// in reproduction.h.
enum class Measure {
    WeightSimilarity,    ///< A1: mean cosine of two experts' matrices (S_ee)
    WeightBaseline,      ///< A1: the same of experts and the dense baseline (S_ef)
    WeightDepth,         ///< A1: S_ee of some layers minus S_ee of the others
    NeuronSimilarity,    ///< A2: S_ee of the mean neurons
    NeuronLargest,       ///< A2: the largest of S_ee
    NeuronBaseline,      ///< A2: share of layers in which S_ee is above S_ef
    MatchedOrder,        ///< A3: Kendall's tau between the neurons' order before and after
    MatchedGrowth,       ///< A3: relative growth of similarity, as a power of ten
    RouterSimilarity,    ///< A4: mean cosine of two rows of the router
    RouterFit,           ///< A4: mean over layers of r squared
    RouterCorrelation,   ///< A4: r, layer by layer
    OutputOrder,         ///< B1: layers by falling similarity of outputs
    OutputDepth,         ///< B1: S_ee of some layers minus S_ee of the others
    OutputBaseline,      ///< B1: S_ee minus S_ef
    OutputCosine,        ///< B1: mean cosine of two experts' outputs for single tokens
    RankAgreement,       ///< B3: norm ranks whose most frequent score rank is the same
    TopRanks,            ///< B3: the same, of the largest norms and among the largest scores
    RankCorrelation,     ///< B3: Spearman's rho of norm rank and score rank
    ActiveShare,         ///< B4: per cent of neurons with a state above 0.001
    WeightsTellOutputs,  ///< B6: correlation of the similarities of weights and of outputs
};

/// One published value.
struct PaperValue {
    Measure measure;
    std::string_view role{};  ///< "gate", "up" or "down"; empty: all three, or none
    std::string_view said;    ///< as the paper puts it: "0.2 to 0.4"
    double value = std::numeric_limits<double>::quiet_NaN();  ///< NaN where it gives no number
    /// What still agrees, both ends included: the range that is given, or half a unit of the last
    /// digit that is (for "about 0.6", of that digit), and what the rounding of the terms may add.
    double low = 0.0, high = 0.0;
    std::string_view source;  ///< "Table 3"
    /// Layers it is about; for RouterCorrelation the first layer of `series`. Empty: all.
    std::span<const int> layers{};
    std::span<const double> series{};  ///< RouterCorrelation: r of each layer

    [[nodiscard]] constexpr bool agreesWith(double measured) const {
        return measured >= low && measured <= high;
    }
};

/// A model of the paper, recognised by its sizes, and all that is said of it, static values first.
struct PaperModel {
    std::string_view title;   ///< "Mixtral 8x7B"
    std::string_view family;  ///< the adapter's id
    int layers = 0, hiddenSize = 0, experts = 0, intermediateSize = 0;
    std::span<const PaperValue> values;
};

[[nodiscard]] std::span<const PaperModel> paperModels();

/// The paper's model of the same family and sizes; nullptr for others. Whether it is the base or
/// an instructed model, its sizes do not tell.
[[nodiscard]] const PaperModel* findPaperModel(const session::ModelSummary& model);

/// The one to set a model beside: itself, the first of its family, else DeepSeekMoE for models with
/// shared experts or more than 16 experts, and Mixtral for the rest.
[[nodiscard]] const PaperModel& paperModelBeside(const session::ModelSummary& model);

/// The value of that measure and role; nullptr when the paper says nothing.
[[nodiscard]] const PaperValue* findPaperValue(const PaperModel& model, Measure measure,
                                               std::string_view role = {});

}  // namespace moescope::figures
