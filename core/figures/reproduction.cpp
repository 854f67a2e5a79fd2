// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/reproduction.h"

#include "core/figures/reproduction_reader.h"

#include <array>
#include <cmath>

namespace moescope::figures {
namespace {

/// A measure with its words and its function.
struct Entry {
    Measure measure;
    MeasureInfo info;
    Measured (*take)(const Reading&);
};

constexpr std::array kEntries{
    Entry{Measure::WeightSimilarity,
          {"weight_similarity", "weights of experts (S_ee)",
           "Cosines in float32 here, in bfloat16 there."},
          &measureWeightSimilarity},
    Entry{Measure::WeightBaseline,
          {"weight_similarity", "weights of experts and F (S_ef)",
           "F is Mistral 7B there. Cosines in float32 here, in bfloat16 there."},
          &measureWeightBaseline},
    Entry{Measure::WeightDepth,
          {"weight_similarity", "weights in deep layers, S_ee minus that of others",
           "A tendency read off heat maps there."},
          &measureWeightDepth},
    Entry{Measure::NeuronSimilarity,
          {"mean_neuron_similarity", "mean {} neurons (S_ee)", "Read off heat maps there."},
          &measureNeuronSimilarity},
    Entry{Measure::NeuronLargest,
          {"mean_neuron_similarity", "mean {} neurons, largest S_ee", "Read off heat maps there."},
          &measureNeuronLargest},
    Entry{Measure::NeuronBaseline,
          {"mean_neuron_similarity", "layers with S_ee above S_ef, mean {} neurons",
           "\u201COften\u201D there is read as half of the layers."},
          &measureNeuronBaseline},
    Entry{
        Measure::MatchedOrder,
        {"matched_similarity", "Kendall's \u03C4 of matched neurons",
         "Neurons' similarities are rounded to bfloat16 there before the assignment, which leaves "
         "ties; some layers only."},
        &measureMatchedOrder},
    Entry{Measure::MatchedGrowth,
          {"matched_similarity", "growth of similarity by matching, power of ten",
           "Only an order of magnitude there, taken as relative growth."},
          &measureMatchedGrowth},
    Entry{Measure::RouterSimilarity,
          {"router_similarity", "rows of the router",
           "Typical values there; more in the last "
           "layer."},
          &measureRouterSimilarity},
    Entry{Measure::RouterFit,
          {"router_similarity", "mean r\u00B2 of router and {}",
           "r\u00B2 is not rounded here, there to two decimals before averaging; similarities in "
           "bfloat16 there."},
          &measureRouterFit},
    Entry{Measure::RouterCorrelation,
          {"router_similarity", "layers with the same r of router and {}",
           "Same: r\u00B2 with the sign of r within 0.015, since r is given as the root of a "
           "rounded r\u00B2 there."},
          &measureRouterCorrelation},
    Entry{
        Measure::OutputOrder,
        {"output_similarity", "layers by falling similarity of outputs",
         "Mean angular similarity over this text here; cosines of single tokens of a short prompt "
         "there."},
        &measureOutputOrder},
    Entry{Measure::OutputDepth,
          {"output_similarity", "outputs in those layers, S_ee minus that of others",
           "Read off heat maps there; another text."},
          &measureOutputDepth},
    Entry{Measure::OutputBaseline,
          {"output_similarity", "outputs, S_ee minus S_ef", "Another text there."},
          &measureOutputBaseline},
    Entry{Measure::OutputCosine,
          {"output_similarity", "outputs for single tokens, cosine",
           "Seven tokens of a short prompt there."},
          &measureOutputCosine},
    Entry{Measure::RankAgreement,
          {"rank_counts", "norm ranks whose most frequent score rank is the same",
           "Norms and scores are rounded to bfloat16 there before ranking, which makes ties; "
           "another text, about 1100 tokens."},
          &measureRankAgreement},
    Entry{Measure::TopRanks,
          {"rank_counts", "largest norm ranks that go with the largest score ranks",
           "Norms and scores are rounded to bfloat16 there before ranking; another text."},
          &measureTopRanks},
    Entry{Measure::RankCorrelation,
          {"rank_counts", "Spearman's \u03C1 of norm rank and score rank",
           "In words there; norms and scores rounded to bfloat16 before ranking."},
          &measureRankCorrelation},
    Entry{Measure::ActiveShare,
          {"intermediate_states", "neurons above 0.001, per cent",
           "Tokens of a short prompt there, all tokens of the text here."},
          &measureActiveShare},
    Entry{Measure::WeightsTellOutputs,
          {"weight_output_relation", "r of similarities of weights and of outputs",
           "Maps called alike there, without a number; mean over layers of Pearson's r here."},
          &measureWeightsTellOutputs},
};

const Entry& entryOf(Measure measure) {
    for (const Entry& entry : kEntries) {
        if (entry.measure == measure) {
            return entry;
        }
    }
    return kEntries.front();  // every measure is listed; the test says so
}

}  // namespace

const MeasureInfo& infoOf(Measure measure) {
    return entryOf(measure).info;
}

Measured measured(const FigureSource& source, BranchId branch, const PaperModel& model,
                  const PaperValue& value, bool isSame) {
    return entryOf(value.measure).take(Reading{source, branch, model, value, isSame});
}

RowState stateOf(const PaperValue& value, const Measured& measured, bool isSame) {
    if (!measured.missing.empty()) {
        return RowState::NotRun;
    }
    if (!isSame && (std::isfinite(measured.value) || !measured.isComparable)) {
        return RowState::OtherModel;
    }
    if (!std::isfinite(measured.value)) {
        return RowState::NoValue;
    }
    return value.agreesWith(measured.value) ? RowState::Agrees : RowState::Deviates;
}

std::string_view nameOf(RowState state) {
    switch (state) {
        case RowState::Agrees:
            return "agrees";
        case RowState::Deviates:
            return "deviates";
        case RowState::OtherModel:
            return "other model";
        case RowState::NotRun:
            return "not run";
        case RowState::NoValue:
            break;
    }
    return "no value";
}

}  // namespace moescope::figures
