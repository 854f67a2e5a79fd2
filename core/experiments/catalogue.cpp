// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/catalogue.h"

#include <algorithm>
#include <array>

namespace moescope::experiments {
namespace {

constexpr std::string_view kPaper = "arXiv 2406.18219";

constexpr std::array kCatalogue{
    ExperimentInfo{
        "weight_similarity", "A1", "Weight similarity (matrix level)", ExperimentKind::Static, 1,
        "Cosine of the flattened gate, up and down matrices for every pair of routed experts, of "
        "the "
        "dense baseline F and, where the shape is equal, of the shared experts S. Relative: the "
        "same "
        "after subtracting F, or the mean of the experts where there is no F.",
        "1 = same direction, 0 = unrelated. Two random matrices of this size give 0 +- 1/sqrt(D).",
        kPaper},
    ExperimentInfo{
        "mean_neuron_similarity", "A2", "Weight similarity (mean neuron)", ExperimentKind::Static,
        1,
        "Mean over the neurons of a matrix first (rows of gate and up, columns of down), then the "
        "cosine of these vectors for every pair of routed experts, F and S.",
        "1 = the experts' average neurons point the same way.", kPaper},
    ExperimentInfo{
        "parameters", "A7", "Parameter accounting", ExperimentKind::Static, 1,
        "Parameters in all and active per token by component, from the shapes of the checkpoint's "
        "own "
        "tensors.",
        "Active parameters are those one token is multiplied with; experts are counted per layer.",
        "arXiv 2401.04088"},
    ExperimentInfo{
        "output_similarity", "B1", "Expert output similarity", ExperimentKind::Dynamic, 1,
        "Per token, cosine of the output vectors of all experts, of the dense baseline F at the "
        "same "
        "layer and of the shared experts S; averaged over tokens as 1 - acos(cos)/pi. Relative: "
        "after "
        "subtracting the mean of the experts' outputs.",
        "1 = the experts say the same about this token; 0.5 = at right angles (averaged map).",
        kPaper},
    ExperimentInfo{"norms_scores", "B2", "Output norm and router score", ExperimentKind::Dynamic, 1,
                   "Per token and expert, the L2 norm of the expert's output before the routing "
                   "weight is applied, "
                   "and the router's score.",
                   "Paired bars: does the router prefer experts with large outputs?", kPaper},
    ExperimentInfo{
        "rank_counts", "B3", "Rank counts", ExperimentKind::Dynamic, 1,
        "Per token, experts ranked ascending by output norm and by router score (1 = smallest, "
        "ties by "
        "expert index); count[score rank, norm rank] over experts and tokens.",
        "A tall bar where both ranks are largest: the router prefers the expert with the largest "
        "output.",
        kPaper},
    ExperimentInfo{
        "chosen_experts", "B5", "Chosen experts", ExperimentKind::Dynamic, 1,
        "Ids of the chosen experts by falling selection score and the routing weights actually "
        "used.",
        "A row is a token; a cell's colour is the weight of that expert; blank = not chosen.",
        kPaper},
    ExperimentInfo{
        "coloured_text", "C3", "Coloured text", ExperimentKind::Derived, 1,
        "Each token's background is its first choice at the layer shown.",
        "Colour = the expert with the largest selection score; hover for all chosen ones.",
        "arXiv 2401.04088, section 5"},
};

bool sameId(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return (x == '-' ? '_' : x) == (y == '-' ? '_' : y); });
}

}  // namespace

std::span<const ExperimentInfo> catalogue() {
    return kCatalogue;
}

const ExperimentInfo* findExperiment(std::string_view id) {
    const auto found =
        std::find_if(kCatalogue.begin(), kCatalogue.end(),
                     [&](const ExperimentInfo& info) { return sameId(info.id, id); });
    return found == kCatalogue.end() ? nullptr : &*found;
}

}  // namespace moescope::experiments
