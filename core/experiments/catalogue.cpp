// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/catalogue.h"

#include "core/base/closest_name.h"

#include <algorithm>
#include <array>
#include <vector>

namespace moescope::experiments {
namespace {

using Info = ExperimentInfo;

constexpr std::array kCatalogue{
    Info{"weight_similarity", "A1", "Weight similarity (matrix level)", ExperimentKind::Static,
         false, 1,
         "Cosine of the flattened gate, up and down matrices for every pair of routed experts, of "
         "the dense baselines F and, where the shape is equal, of the shared experts S. Relative: "
         "the same on expert minus F, or minus the mean of the experts where there is no F.",
         "1 = same direction, 0 = unrelated. Two random matrices with D entries give 0 with a "
         "standard deviation of 1/sqrt(D).",
         "arXiv 2406.18219"},
    Info{"mean_neuron_similarity", "A2", "Weight similarity (mean neuron)", ExperimentKind::Static,
         false, 1,
         "Mean over the neurons of a matrix first (rows of gate and up, columns of down), then the "
         "cosine of these vectors for every pair of routed experts, dense baselines F and shared "
         "experts S.",
         "1 = the experts' average neurons point the same way.", "arXiv 2406.18219"},
    Info{"matched_similarity", "A3", "Weight similarity (matched neurons)", ExperimentKind::Static,
         true, 1,
         "For every pair of routed experts, dense baselines F and, where they are as wide, shared "
         "experts S: cosines between the neurons of both (rows of gate and up, columns of down), "
         "the permutation of the second's neurons that maximises their sum (linear assignment, "
         "exact), then the cosine of the flattened matrices, Kendall's tau-b between the "
         "permutation and the identity, growth over the weight similarity (their difference), and "
         "the mean cosine of matched neurons. Joint: one permutation for gate, up and down, from "
         "the sum of their cosines. Diagonal 1. Random: the same for two Gaussian matrices.",
         "tau near 1: neurons still stand in the order of a common ancestor. Compare the "
         "similarity with the value for random matrices, which is above 0.",
         "arXiv 2406.18219"},
    Info{"router_similarity", "A4", "Router and weight similarity", ExperimentKind::Static, false,
         1,
         "Cosine of the router's rows for every pair of routed experts. Per layer and matrix the "
         "linear regression of that (Y) on the cosine of the experts' mean neurons, or of their "
         "flattened matrices (X), over the E(E-1)/2 pairs: slope, intercept, r, r squared, "
         "two-sided p, standard error of the slope; and the mean of the unrounded r squared over "
         "layers.",
         "r squared near 1: experts whose weights are alike have router rows that are alike.",
         "arXiv 2406.18219"},
    Info{"expert_projection", "A5", "Projection of experts", ExperimentKind::Static, false, 1,
         "Two principal components of the flattened matrices of the routed experts and dense "
         "baselines F as rows, each column less its mean over the rows and (standardised) over its "
         "unbiased deviation; scores U S by way of the Gram matrix, each component's score of "
         "largest magnitude positive; explained variance; DBSCAN labels of the scores, -1 an "
         "outlier.",
         "Close points are experts with similar weights. Read the explained variance first: the "
         "plane shows no more than that.",
         "arXiv 2406.18219"},
    Info{"neuron_projection", "A6", "Projection of neurons", ExperimentKind::Static, true, 1,
         "Three principal components of all neurons of the routed experts, dense baselines F and "
         "shared experts S as rows (rows of gate and up, columns of down), each column less its "
         "mean and (standardised) over its unbiased deviation, by way of the covariance of the "
         "columns; each component's score of largest magnitude positive; explained variance.",
         "Clouds that coincide: the experts' neurons fill the same space.", "arXiv 2406.18219"},
    Info{"parameters", "A7", "Parameter accounting", ExperimentKind::Static, false, 1,
         "Parameters in all and active per token by component, from the shapes of the "
         "checkpoint's own tensors; operations per token by context; bytes of expert weights that "
         "a batch touches when routing is uniform.",
         "Active = what one token is multiplied with: k of E experts in every layer, and all the "
         "rest.",
         "arXiv 2401.04088"},
    Info{"output_similarity", "B1", "Expert output similarity", ExperimentKind::Dynamic, false, 1,
         "Per token, cosine of the output vectors of all routed experts, of the dense baselines F "
         "at the same layer and of the shared experts S; averaged over tokens as "
         "1 - acos(cos)/pi, diagonal 1. Relative: on the experts' outputs minus their mean.",
         "One token: 1 = the experts say the same about it. Averaged map: 1 = same direction, "
         "0.5 = at right angles.",
         "arXiv 2406.18219"},
    Info{"norms_scores", "B2", "Output norm and router score", ExperimentKind::Dynamic, false, 1,
         "Per token and expert, the L2 norm of the expert's output before the routing weight is "
         "applied, and the router's score.",
         "Paired bars: does the router score those experts high whose outputs are large?",
         "arXiv 2406.18219"},
    Info{"rank_counts", "B3", "Rank counts", ExperimentKind::Dynamic, false, 1,
         "Per token, experts ranked ascending by output norm and by router score (1 = smallest, "
         "ties by expert index); count[score rank, norm rank] over experts and tokens.",
         "Tall bars where both ranks are equal: the larger an expert's output, the higher its "
         "score. All bars equal: no relation.",
         "arXiv 2406.18219"},
    Info{"intermediate_states", "B4", "Intermediate states", ExperimentKind::Dynamic, false, 1,
         "act(gate x) of every neuron of every routed expert, of the dense baselines F and of the "
         "shared experts S, kept for some tokens; per expert, over all tokens, the share of "
         "neurons whose magnitude is above the threshold, and the mean magnitude.",
         "A row is an expert, a column a neuron: bright = it fires for this token. Beside it the "
         "share of neurons that are active.",
         "arXiv 2406.18219"},
    Info{"chosen_experts", "B5", "Chosen experts", ExperimentKind::Dynamic, false, 1,
         "Ids of the chosen experts by falling selection score, ties to the lower index, and the "
         "weights that multiplied their outputs.",
         "A row is a token, a column an expert; the colour is the routing weight, blank = not "
         "chosen.",
         "arXiv 2406.18219"},
    Info{
        "weight_output_relation", "B6", "Weights and outputs", ExperimentKind::Derived, false, 1,
        "Per layer and role, Pearson's and Spearman's correlation over all pairs of routed experts "
        "between the similarity of weights (matrix level, mean neuron, matched) and the averaged "
        "similarity of outputs.",
        "Near 1: similarity of weights, which needs no text, tells which experts have alike "
        "outputs; 0: it tells nothing.",
        "arXiv 2406.18219", "output_similarity"},
    Info{"domain_share", "C1", "Share of assignments by domain", ExperimentKind::Derived, false, 1,
         "Per layer and domain of the text, the share of assignments that each expert takes: of "
         "first choices, of second ones, of all; they sum to 1 over the experts. Intervals: 95 % "
         "percentile bootstrap over documents. Marked: the share differs from that of all text by "
         "permutation of the documents' domains, at a false discovery rate of 0.05 (Benjamini and "
         "Hochberg) over the cells of a panel.",
         "Columns of one colour: the expert is used alike for every domain. A dot: more or less "
         "than in all text, beyond chance.",
         "arXiv 2401.04088, section 5", "chosen_experts"},
    Info{"repetition", "C2", "Repetition of choices", ExperimentKind::Derived, false, 1,
         "Per layer, among positions with a token before them in the same document: the share "
         "whose first choice equals that token's, and the share whose chosen sets overlap. "
         "Independent even choices would give 1/E and 1 - C(E-k, k)/C(E, k).",
         "Above independent even choices: neighbouring tokens go to the same experts more often "
         "than chance "
         "has it.",
         "arXiv 2401.04088, table 5", "chosen_experts"},
    Info{"coloured_text", "C3", "Coloured text", ExperimentKind::Derived, false, 1,
         "Each token's background is its first choice at the layer shown.",
         "Colour = the expert with the largest selection score; hover for all chosen ones.",
         "arXiv 2401.04088, section 5", "chosen_experts"},
    Info{
        "expert_removal", "C4", "Removal of experts", ExperimentKind::Dynamic, true, 2,
        "One routed expert removed: its logit is -infinity before the scores are taken, so that it "
        "is out of score and choice (of its group's as well) and the weights of the others are "
        "made as the model does. In every layer at once, by index, and in one layer alone; or "
        "chosen sets together, each "
        "beside as many other experts of the same layers whose tokens are about as many. Mean "
        "negative log-likelihood of "
        "the text's next tokens within documents (loss, in nats), share of them that the model "
        "predicts (accuracy), and share of predictions that are others than the intact model's.",
        "How much the loss rises: what the expert is worth to this text.",
        "ablation of single experts"},
    Info{
        "load_balance", "C5", "Load of experts", ExperimentKind::Derived, false, 1,
        "Per layer, assignments of each expert: the largest over the mean, the population "
        "deviation over the mean, the entropy over ln E, experts never chosen; the largest over "
        "the mean within batches of consecutive tokens; the share of assignments dropped when an "
        "expert takes at most ceil(f B k / E) of a batch of B tokens; the largest load of a device "
        "over the mean with experts placed in order, or by falling load on the least loaded "
        "device.",
        "1 = even: most over mean, entropy. 0 = even: variation.", "arXiv 2101.03961",
        "chosen_experts"},
    Info{"fewer_experts", "C6", "Fewer experts", ExperimentKind::Dynamic, true, 2,
         "From a layer on, fewer experts are chosen for a token than the model's k, the weights "
         "made as the model does; or only the n experts of each layer are left that most tokens "
         "of the text choose (ties to the lower index), the logits of the others -infinity. Mean "
         "negative log-likelihood of the text's next tokens within documents (loss, in nats), "
         "share of them that the model predicts (accuracy), and share of predictions that are "
         "others than the intact model's. With more than 16 experts, n is k and eighths of them.",
         "How little the loss rises from a layer on: how few experts the layers behind it need.",
         "ablation of top-k"},
    Info{
        "router_saturation", "D1", "Router saturation", ExperimentKind::Derived, false, 1,
        "Two checkpoints of one model on one text, or two models of one shape: per layer, the "
        "mean over tokens of the share of the first k' choices that both make, for k' = 1 to k. "
        "Unrelated routers share k'/E.",
        "1 = both send every token to the same experts; between checkpoints of one run: the choice "
        "is settled.",
        "arXiv 2409.02060", "chosen_experts"},
    Info{"coactivation", "D2", "Co-activation of experts", ExperimentKind::Derived, false, 2,
         "Per layer, tokens for which experts i and j were both chosen, over tokens for which i "
         "was, for all pairs of the chosen set (not neighbours in rank alone). By chance: every "
         "token chooses k experts by the layer's loads alone (conditional Poisson sampling). "
         "Intervals: 95 % percentile bootstrap over documents. Beyond chance: more or fewer tokens "
         "for both than that gives under their loads (noncentral hypergeometric, two-sided), at a "
         "false discovery rate of 0.05 (Benjamini and Hochberg) over the pairs of a layer.",
         "Bright in row i, column j: where i works, j does as well. A dot: more often than by "
         "chance; a ring: less often. The map is not symmetric.",
         "arXiv 2409.02060", "chosen_experts"},
    Info{"domain_specialisation", "D3", "Share of tokens by domain", ExperimentKind::Derived, false,
         1,
         "Per layer and domain of the text, tokens for which the expert was chosen over tokens of "
         "the domain; they sum to k over the experts. Intervals: 95 % percentile bootstrap over "
         "documents. Marked: the share differs from that of all text by permutation of the "
         "documents' domains, at a false discovery rate of 0.05 (Benjamini and Hochberg) over the "
         "cells of a panel.",
         "Bright: the expert works for most tokens of this domain. A dot: more or less than in all "
         "text, beyond chance.",
         "arXiv 2409.02060", "chosen_experts"},
    Info{"vocabulary_specialisation", "D4", "Tokens that experts take", ExperimentKind::Derived,
         false, 1,
         "Per layer, for token ids seen at least 10 times: the share of their occurrences that "
         "are routed to the expert, taking the id as the input token, as the token that follows, "
         "and (where expert_removal kept them) as the token that the model predicts. Mean share: "
         "over all ids that the expert takes at all. Beyond chance: a larger share than where the "
         "choices are dealt out anew among the tokens (hypergeometric), at a false discovery rate "
         "of 0.05 (Benjamini and Hochberg) over the ids and experts.",
         "Share 1: the expert is chosen whenever this token is seen. Rare tokens have large shares "
         "by chance as well.",
         "arXiv 2409.02060", "chosen_experts"},
    Info{"importance", "E1", "Importance of experts", ExperimentKind::Dynamic, false, 1,
         "Per expert, over its tokens (none: 0). Load: their share of all. Weight mass: sum of "
         "routing weights / all tokens; mean weight: / its own. EAN: sum and mean of output L2 "
         "norms, before the weight. REAP: mean of weight times norm. Largest: largest magnitude of "
         "outputs; super: "
         "above the 99.5th percentile and a tenth of the largest of all experts, in the first 75 % "
         "of layers. Near: largest similarity in its layer, of outputs (B1) and weights (A1, mean "
         "of roles). Removal: rise of the loss without it (C4).",
         "Sort by a column: what is small could go first.", "arXiv 2510.13999, arXiv 2507.23279"},
    Info{
        "pruning", "E1b", "Pruning curves", ExperimentKind::Dynamic, true, 2,
        "A share of each layer's experts removed in all layers at once (logits -infinity), rounded "
        "down and never so many that fewer than k are left: the lowest by load, weight mass, mean "
        "weight, EAN sum, EAN mean and REAP (ties to the lower index), and three random draws "
        "beside them. Mean negative log-likelihood of the text's next tokens within documents "
        "(loss, in nats), share of them that the model predicts (accuracy), and share of "
        "predictions that are others than the intact model's.",
        "The lower a measure's curve of the loss, the better it tells which experts the text can "
        "do without; "
        "what does no better than random tells nothing.",
        "arXiv 2510.13999, section 5"},
    Info{"router_margin", "E2", "Margin and entropy of routers", ExperimentKind::Dynamic, false, 1,
         "Per token and layer: k-th less (k+1)-th selection score, the same of logits, and the "
         "entropy of the scores (as shares of their sum) in nats; whether the set of chosen "
         "experts changes when the router's input x carries noise, s times the root mean square "
         "of x times standard normal numbers, and when input, weight and logits of the router are "
         "rounded to bfloat16, against the router in float32.",
         "Small margin: a little noise sends the token to another expert.",
         "margins of top-k routing"},
    Info{"paths", "E6", "From layer to layer", ExperimentKind::Derived, false, 1,
         "Of the tokens whose first choice in a layer is expert i, the share whose first choice in "
         "the next routed layer is expert j. Rows sum to 1.",
         "Rows that look alike: where a token goes next does not depend on where it was.",
         "transition probabilities of first choices", "chosen_experts"},
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
    const auto* found = std::find_if(
        kCatalogue.begin(), kCatalogue.end(),
        [&](const ExperimentInfo& info) { return sameId(info.id, id) || info.label == id; });
    return found == kCatalogue.end() ? nullptr : &*found;
}

std::string closestExperiment(std::string_view id) {
    std::vector<std::string_view> ids;
    ids.reserve(kCatalogue.size());
    for (const ExperimentInfo& info : kCatalogue) {
        ids.push_back(info.id);
    }
    return didYouMean(id, ids);
}

}  // namespace moescope::experiments
