// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/request.h"

#include "core/base/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace moescope::figures {
namespace {

constexpr std::array<std::string_view, 5> kSimilarities{
    "weight_similarity", "mean_neuron_similarity", "matched_similarity", "router_similarity",
    "output_similarity"};

constexpr std::array<std::string_view, 3> kWeightSimilarities{
    "weight_similarity", "mean_neuron_similarity", "matched_similarity"};

// Of whatever the session has: what is missing is said row by row.
constexpr std::array<std::string_view, 11> kReproduced{
    "weight_similarity",  "mean_neuron_similarity",
    "matched_similarity", "router_similarity",
    "output_similarity",  "rank_counts",
    "norms_scores",       "intermediate_states",
    "chosen_experts",     "expert_projection",
    "parameters"};

// Margins of selection scores are beside the chosen experts as well.
constexpr std::array<std::string_view, 2> kMargins{"router_margin", "chosen_experts"};

constexpr std::array<std::string_view, 1> kChoices{"chosen_experts"};

constexpr std::array kFigures{
    FigureInfo{.name = "weight-similarity",
               .experiment = "weight_similarity",
               .title = "Weight similarity",
               .listTitle = "Matrices",
               .hasTotal = true,
               .totalIsOfPanels = true,
               .hasRoles = true,
               .hasRelative = true,
               .hasColourScale = true,
               .canCluster = true},
    FigureInfo{.name = "mean-neuron-similarity",
               .experiment = "mean_neuron_similarity",
               .title = "Mean neuron similarity",
               .listTitle = "Mean neurons",
               .hasTotal = true,
               .totalIsOfPanels = true,
               .hasRoles = true,
               .hasColourScale = true,
               .canCluster = true},
    FigureInfo{.name = "matched-similarity",
               .experiment = "matched_similarity",
               .title = "Similarity of matched neurons",
               .listTitle = "Matched neurons",
               .hasTotal = true,
               .totalIsOfPanels = true,
               .hasRoles = true,
               .hasColourScale = true,
               .canCluster = true},
    FigureInfo{.name = "matched-growth-similarity",
               .experiment = "matched_similarity",
               .title = "Growth of similarity by matching",
               .listTitle = "Growth by matching",
               .hasTotal = true,
               .totalIsOfPanels = true,
               .hasRoles = true,
               .hasColourScale = true,
               .canCluster = true},
    FigureInfo{.name = "matched-order-similarity",
               .experiment = "matched_similarity",
               .title = "Order of matched neurons",
               .listTitle = "Order of matched",
               .hasTotal = true,
               .totalIsOfPanels = true,
               .hasRoles = true,
               .hasColourScale = true,
               .canCluster = true},
    FigureInfo{.name = "router-similarity",
               .experiment = "router_similarity",
               .title = "Router and weight similarity",
               .listTitle = "Router rows",
               .hasTotal = true,
               .totalIsOfPanels = true,
               .hasColourScale = true,
               .canCluster = true},
    FigureInfo{.name = "router-regression",
               .experiment = "router_similarity",
               .title = "Router on weight similarity",
               .listTitle = "Router regression",
               .hasTotal = true,
               .hasRoles = true},
    FigureInfo{.name = "router-table",
               .experiment = "router_similarity",
               .title = "Router on weight similarity, table",
               .listTitle = "Router table",
               .perLayer = false,
               .hasRoles = true},
    FigureInfo{.name = "expert-projection",
               .experiment = "expert_projection",
               .title = "Experts projected",
               .listTitle = "Experts projected",
               .hasRoles = true,
               .hasOutliers = true},
    FigureInfo{.name = "neuron-projection",
               .experiment = "neuron_projection",
               .title = "Neurons projected",
               .listTitle = "Neurons projected",
               .hasRoles = true,
               .hasDimensions = true},
    FigureInfo{.name = "similarity-trend",
               .experiment = "weight_similarity",
               .anyOf = kSimilarities,
               .title = "Similarity over layers",
               .listTitle = "Over layers",
               .perLayer = false,
               .hasRoles = true,
               .hasRelative = true,
               .choosesExperiments = true},
    FigureInfo{.name = "output-similarity",
               .experiment = "output_similarity",
               .title = "Expert output similarity",
               .listTitle = "Similarity",
               .subject = FigureSubject::Outputs,
               .hasTotal = true,
               .totalIsOfPanels = true,
               .hasRelative = true,
               .hasColourScale = true,
               .canCluster = true,
               .takesTokens = true,
               .hasMean = true,
               .ofSelection = true},
    FigureInfo{.name = "norms-scores",
               .experiment = "norms_scores",
               .title = "Output norms and router scores",
               .listTitle = "Norms and scores",
               .subject = FigureSubject::Outputs,
               .needsToken = true,
               .takesTokens = true,
               .hasMean = true,
               .ofSelection = true},
    FigureInfo{.name = "rank-counts",
               .experiment = "rank_counts",
               .title = "Rank counts",
               .subject = FigureSubject::Outputs,
               .hasTotal = true,
               .totalIsOfPanels = true,
               .takesTokens = true,
               .ofSelection = true,
               .takesRanks = true},
    FigureInfo{.name = "intermediate-states",
               .experiment = "intermediate_states",
               .title = "Intermediate states",
               .subject = FigureSubject::Outputs,
               .hasColourScale = true,
               .needsToken = true,
               .takesTokens = true},
    FigureInfo{.name = "weight-output-relation",
               .experiment = "output_similarity",
               .alongside = kWeightSimilarities,
               .title = "Weights and outputs",
               .subject = FigureSubject::Outputs,
               .hasTotal = true,
               .hasRoles = true},
    FigureInfo{.name = "chosen-experts",
               .experiment = "chosen_experts",
               .title = "Chosen experts",
               .subject = FigureSubject::Routing,
               .hasColourScale = true,
               .takesTokens = true,
               .ofSelection = true},
    FigureInfo{.name = "coloured-text",
               .experiment = "chosen_experts",
               .title = "Coloured text",
               .subject = FigureSubject::Routing,
               .hasTotal = true,
               .hasSideBySide = true,
               .takesTokens = true},
    FigureInfo{.name = "routing-comparison",
               .experiment = "chosen_experts",
               .title = "Chosen experts of two models",
               .listTitle = "Two models",
               .subject = FigureSubject::Routing,
               .hasColourScale = true,
               .needsOther = true,
               .takesTokens = true,
               .ofSelection = true},
    FigureInfo{.name = "routing-agreement",
               .experiment = "chosen_experts",
               .title = "Agreement of two models",
               .listTitle = "Agreement",
               .subject = FigureSubject::Routing,
               .perLayer = false,
               .needsOther = true,
               .takesTokens = true,
               .ofSelection = true},
    FigureInfo{.name = "router-saturation",
               .experiment = "chosen_experts",
               .definedBy = "router_saturation",
               .title = "Router saturation",
               .subject = FigureSubject::Routing,
               .perLayer = false,
               .needsOther = true,
               .takesSeries = true,
               .takesTokens = true,
               .ofSelection = true},
    FigureInfo{.name = "expert-card",
               .experiment = "chosen_experts",
               .title = "Expert card",
               .subject = FigureSubject::Routing,
               .needsExpert = true,
               .takesTokens = true,
               .ofSelection = true},
    FigureInfo{.name = "domain-share",
               .experiment = "chosen_experts",
               .definedBy = "domain_share",
               .title = "Share of assignments by domain",
               .listTitle = "By domain",
               .subject = FigureSubject::Routing,
               .hasTotal = true,
               .totalIsOfPanels = true,
               .hasColourScale = true,
               .takesTokens = true,
               .ofSelection = true},
    FigureInfo{.name = "domain-share-bars",
               .experiment = "chosen_experts",
               .definedBy = "domain_share",
               .title = "Share of assignments by domain, bars",
               .listTitle = "By domain, bars",
               .subject = FigureSubject::Routing,
               .hasTotal = true,
               .totalIsOfPanels = true,
               .takesTokens = true,
               .ofSelection = true},
    FigureInfo{.name = "domain-specialisation",
               .experiment = "chosen_experts",
               .definedBy = "domain_specialisation",
               .title = "Share of tokens by domain",
               .listTitle = "By domain, of tokens",
               .subject = FigureSubject::Routing,
               .hasTotal = true,
               .totalIsOfPanels = true,
               .hasColourScale = true,
               .takesTokens = true,
               .ofSelection = true},
    FigureInfo{.name = "domain-specialisation-bars",
               .experiment = "chosen_experts",
               .definedBy = "domain_specialisation",
               .title = "Share of tokens by domain, bars",
               .listTitle = "By domain, of tokens, bars",
               .subject = FigureSubject::Routing,
               .hasTotal = true,
               .totalIsOfPanels = true,
               .takesTokens = true,
               .ofSelection = true},
    FigureInfo{.name = "vocabulary-specialisation",
               .experiment = "chosen_experts",
               .title = "Tokens that experts take",
               .listTitle = "By token",
               .subject = FigureSubject::Routing,
               .takesExpert = true,
               .takesTokens = true,
               .ofSelection = true},
    FigureInfo{.name = "repetition",
               .experiment = "chosen_experts",
               .title = "Repetition of choices",
               .listTitle = "Repetition",
               .subject = FigureSubject::Routing,
               .perLayer = false,
               .takesTokens = true,
               .ofSelection = true},
    FigureInfo{.name = "repetition-table",
               .experiment = "chosen_experts",
               .definedBy = "repetition",
               .title = "Repetition of choices, table",
               .listTitle = "Repetition table",
               .subject = FigureSubject::Routing,
               .takesTokens = true,
               .ofSelection = true},
    FigureInfo{.name = "load-balance",
               .experiment = "chosen_experts",
               .title = "Load of experts",
               .listTitle = "Load",
               .subject = FigureSubject::Routing,
               .perLayer = false,
               .hasColourScale = true,
               .takesTokens = true,
               .ofSelection = true},
    FigureInfo{.name = "load-bars",
               .experiment = "chosen_experts",
               .definedBy = "load_balance",
               .title = "Load of experts, bars",
               .listTitle = "Load, bars",
               .subject = FigureSubject::Routing,
               .hasTotal = true,
               .totalIsOfPanels = true,
               .takesTokens = true,
               .ofSelection = true},
    FigureInfo{.name = "load-table",
               .experiment = "chosen_experts",
               .definedBy = "load_balance",
               .title = "Load of experts, table",
               .listTitle = "Load table",
               .subject = FigureSubject::Routing,
               .perLayer = false,
               .takesTokens = true,
               .ofSelection = true,
               .simulatesLoad = true},
    FigureInfo{.name = "load-curve",
               .experiment = "chosen_experts",
               .definedBy = "load_balance",
               .title = "Load curve",
               .subject = FigureSubject::Routing,
               .hasTotal = true,
               .totalIsOfPanels = true,
               .takesTokens = true,
               .ofSelection = true},
    FigureInfo{.name = "coactivation",
               .experiment = "chosen_experts",
               .title = "Co-activation of experts",
               .listTitle = "Co-activation",
               .subject = FigureSubject::Routing,
               .hasTotal = true,
               .totalIsOfPanels = true,
               .hasColourScale = true,
               .canCluster = true,
               .takesTokens = true,
               .ofSelection = true},
    FigureInfo{.name = "coactivation-table",
               .experiment = "chosen_experts",
               .definedBy = "coactivation",
               .title = "Co-activation of experts, table",
               .listTitle = "Co-activation table",
               .subject = FigureSubject::Routing,
               .takesTokens = true,
               .ofSelection = true},
    FigureInfo{.name = "paths",
               .experiment = "chosen_experts",
               .title = "From layer to layer",
               .subject = FigureSubject::Routing,
               .hasColourScale = true,
               .takesTokens = true,
               .ofSelection = true},
    FigureInfo{.name = "expert-removal",
               .experiment = "expert_removal",
               .quantity = "single",
               .title = "Loss without an expert",
               .listTitle = "Removal",
               .subject = FigureSubject::Routing,
               .perLayer = false,
               .hasColourScale = true,
               .hasUsualRange = true},
    FigureInfo{.name = "expert-removal-bars",
               .experiment = "expert_removal",
               .quantity = "everywhere",
               .title = "Loss without an index in every layer",
               .listTitle = "Removal by index",
               .subject = FigureSubject::Routing,
               .perLayer = false},
    FigureInfo{.name = "expert-removal-table",
               .experiment = "expert_removal",
               .title = "Removal of experts, table",
               .listTitle = "Removal table",
               .subject = FigureSubject::Routing,
               .perLayer = false},
    FigureInfo{.name = "expert-removal-tokens",
               .experiment = "expert_removal",
               .title = "Tokens that lose most without experts",
               .listTitle = "Removal, tokens",
               .subject = FigureSubject::Routing,
               .takesTokens = true,
               .ofSelection = true,
               .removes = true},
    FigureInfo{.name = "expert-removal-text",
               .experiment = "expert_removal",
               .title = "Text by the rise of loss without experts",
               .listTitle = "Removal, text",
               .subject = FigureSubject::Routing,
               .hasColourScale = true,
               .takesTokens = true,
               .removes = true},
    FigureInfo{.name = "fewer-experts",
               .experiment = "fewer_experts",
               .title = "Fewer experts",
               .subject = FigureSubject::Routing,
               .perLayer = false,
               .hasColourScale = true},
    FigureInfo{.name = "fewer-experts-table",
               .experiment = "fewer_experts",
               .title = "Fewer experts, table",
               .listTitle = "Fewer experts table",
               .subject = FigureSubject::Routing,
               .perLayer = false},
    FigureInfo{.name = "importance",
               .experiment = "chosen_experts",
               .title = "Importance of experts",
               .listTitle = "Importance",
               .subject = FigureSubject::Routing,
               .hasTotal = true,
               .takesTokens = true,
               .ofSelection = true,
               .prunes = true},
    FigureInfo{.name = "importance-map",
               .experiment = "chosen_experts",
               .definedBy = "importance",
               .title = "Importance of experts, map",
               .listTitle = "Importance map",
               .subject = FigureSubject::Routing,
               .perLayer = false,
               .hasColourScale = true,
               .hasUsualRange = true,
               .takesTokens = true,
               .ofSelection = true,
               .prunes = true},
    FigureInfo{.name = "importance-correlation",
               .experiment = "chosen_experts",
               .definedBy = "importance",
               .title = "Agreement of measures of importance",
               .listTitle = "Importance, agreement",
               .subject = FigureSubject::Routing,
               .hasTotal = true,
               .takesTokens = true,
               .ofSelection = true},
    FigureInfo{.name = "pruning",
               .experiment = "pruning",
               .title = "Pruning curves",
               .subject = FigureSubject::Routing,
               .perLayer = false},
    FigureInfo{.name = "pruning-table",
               .experiment = "pruning",
               .title = "Pruning, table",
               .listTitle = "Pruning table",
               .subject = FigureSubject::Routing,
               .perLayer = false},
    FigureInfo{.name = "router-margin",
               .experiment = "router_margin",
               .anyOf = kMargins,
               .title = "Margins of routers",
               .listTitle = "Margins",
               .subject = FigureSubject::Routing,
               .hasTotal = true,
               .hasColourScale = true,
               .takesTokens = true,
               .ofSelection = true},
    FigureInfo{.name = "router-margin-table",
               .experiment = "router_margin",
               .anyOf = kMargins,
               .title = "Margins of routers, table",
               .listTitle = "Margin table",
               .subject = FigureSubject::Routing,
               .perLayer = false,
               .takesTokens = true,
               .ofSelection = true},
    FigureInfo{.name = "near-flips",
               .experiment = "router_margin",
               .anyOf = kMargins,
               .alongside = kChoices,
               .title = "Tokens near a flip",
               .listTitle = "Near a flip",
               .subject = FigureSubject::Routing,
               .takesTokens = true,
               .ofSelection = true},
    FigureInfo{.name = "parameters",
               .experiment = "parameters",
               .title = "Parameters",
               .subject = FigureSubject::Model,
               .perLayer = false},
    FigureInfo{.name = "reproduction",
               .experiment = "weight_similarity",
               .anyOf = kReproduced,
               .title = "Reproduction",
               .subject = FigureSubject::Model,
               .perLayer = false},
};

// Plural or singular, underscore or hyphen, British or American: all one spelling.
std::string canonical(std::string_view text) {
    std::string out;
    std::string word;
    const auto flush = [&] {
        if (word.size() > 3 && word.back() == 's') {
            word.pop_back();
        }
        if (word == "similaritie") {
            word = "similarity";
        }
        if (word == "colored") {
            word = "coloured";
        }
        out += out.empty() ? word : "-" + word;
        word.clear();
    };
    for (const char c : text) {
        if (c == '-' || c == '_') {
            flush();
        } else {
            word += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
        }
    }
    flush();
    return out;
}

std::optional<double> parseNumber(std::string_view text) {
    double value = 0.0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
        return std::nullopt;
    }
    return value;
}

std::optional<std::uint64_t> parseIndex(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

}  // namespace

std::span<const FigureInfo> figureCatalogue() {
    return kFigures;
}

std::span<const std::string_view> experimentsOf(const FigureInfo& info) {
    return info.anyOf.empty() ? std::span(&info.experiment, 1) : info.anyOf;
}

const FigureInfo* findFigure(std::string_view name) {
    const std::string wanted = canonical(name);
    const auto* found = std::find_if(kFigures.begin(), kFigures.end(), [&](const FigureInfo& info) {
        return canonical(info.name) == wanted;
    });
    return found == kFigures.end() ? nullptr : &*found;
}

ColourRange parseColourRange(std::string_view text) {
    if (text == "layer") {
        return {};
    }
    if (text == "all") {
        return {ColourRange::Kind::AllLayers};
    }
    const std::size_t colon = text.find(':');
    if (colon != std::string_view::npos) {
        const auto low = parseNumber(text.substr(0, colon));
        const auto high = parseNumber(text.substr(colon + 1));
        if (low && high && *low < *high) {
            return {ColourRange::Kind::Fixed, *low, *high};
        }
    }
    throw Error(ErrorCode::Usage,
                fmt::format("The colour range \"{}\" is not understood: give \"layer\", \"all\" or "
                            "MIN:MAX with MIN below MAX, for example 0:1.",
                            text));
}

RankRange parseRankRange(std::string_view text) {
    constexpr std::uint64_t kMostRanks = 65536;
    const std::size_t colon = text.find(':');
    if (colon != std::string_view::npos) {
        const auto first = parseIndex(text.substr(0, colon));
        const auto last = parseIndex(text.substr(colon + 1));
        if (first && last && *first >= 1 && *first <= *last && *last <= kMostRanks) {
            return {static_cast<int>(*first), static_cast<int>(*last)};
        }
    }
    throw Error(ErrorCode::Usage,
                fmt::format("The ranks \"{}\" are not understood: give FIRST:LAST, both from 1 and "
                            "both included, for example 57:64.",
                            text));
}

}  // namespace moescope::figures
