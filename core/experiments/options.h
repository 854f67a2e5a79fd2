// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiments/removed_experts.h"

#include <compare>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace moescope::experiments {

/// What relative similarities are taken against.
enum class RelativeTo {
    Automatic,  ///< the first dense baseline, or the mean of the experts where there is none
    Baseline,
    Mean,
};

/// Which tokens keep a map of their own.
enum class KeptTokens {
    First,   ///< the first ones of the text
    Spread,  ///< at equal distances over the whole text
    Listed,  ///< those that were named
};

/// Which similarity of weights the router's is held against.
enum class WeightMeasure {
    MeanNeuron,  ///< A2
    Matrix,      ///< A1
};

/// How columns are scaled before principal components are taken.
enum class Scaling {
    Standardised,  ///< mean 0, unbiased deviation 1
    Raw,           ///< mean 0
};

/// How many permutations match the neurons of two experts.
enum class Matching {
    Separate,  ///< one for each role
    Joint,     ///< one for all roles, from the sum of their similarities
};

/// Two columns by their labels, "0" and "F".
struct LabelPair {
    std::string first, second;
    auto operator<=>(const LabelPair&) const = default;
};

/// "0:1" or "3:F" as a pair. Throws Error(Usage).
[[nodiscard]] LabelPair parseLabelPair(std::string_view text);

/// A count of kept tokens that leaves out none of those that were named.
inline constexpr std::uint64_t kEveryListed = std::numeric_limits<std::uint64_t>::max();

/// Each is a pass of the whole text.
inline constexpr std::uint64_t kMostControls = 1000;

/// Everything a user may set about how numbers are made. Each experiment sees only its own part
/// (optionsJson), so that changing one option makes no other experiment's results stale.
struct ExperimentOptions {
    RelativeTo relativeTo = RelativeTo::Automatic;  ///< weight_similarity
    bool skipFirstToken = false;  ///< output_similarity, rank_counts, intermediate_states: leave
                                  ///< each document's first token (the BOS) out of the statistics
    std::uint64_t keptTokenCount = 64;  ///< output_similarity
    std::uint64_t keptStateCount = 8;   ///< intermediate_states: tokens whose neurons are all kept
    /// norms_scores, output_similarity, intermediate_states: bytes that single tokens may take in
    /// all layers together; absent: 4 GiB, 1 GiB and 1 GiB. Fewer tokens are kept where they would
    /// take more. expert_removal: bytes that losses of single tokens may take; absent: 256 MiB.
    std::optional<std::uint64_t> keptBytes{};
    double activityThreshold = 0.001;           ///< intermediate_states; at least 0
    KeptTokens keptTokens = KeptTokens::First;  ///< of the same three
    /// With KeptTokens::Listed, of output_similarity and intermediate_states: ranges of tokens and
    /// of documents in the form of text::canonicalRanges(), not both empty. The counts above are
    /// kEveryListed then unless they were set.
    std::string keptList{}, keptDocuments{};
    WeightMeasure routerAgainst = WeightMeasure::MeanNeuron;  ///< router_similarity
    Scaling projection = Scaling::Standardised;  ///< expert_projection, neuron_projection
    double outlierRadius = 50.0;             ///< expert_projection: DBSCAN's eps, as in the source
    std::uint64_t outlierNeighbours = 5;     ///< expert_projection: its min_samples
    Matching matching = Matching::Separate;  ///< matched_similarity
    std::set<std::string> matchRoles{};   ///< matched_similarity: "gate", "up", "down"; empty: all
    std::vector<LabelPair> matchPairs{};  ///< matched_similarity; empty: all
    /// router_margin: noise on the router's input over the root mean square of the input;
    /// ascending.
    std::vector<double> noiseSizes{0.01, 0.05, 0.2};
    /// expert_removal: sets as removed_experts.h writes them, and kEachInTurn; empty: each in turn.
    std::vector<std::string> removals{};
    /// expert_removal: others of like load beside each set; at most kMostControls.
    std::uint64_t removalControls = 5;
    std::vector<ExpertList> lists{};  ///< pruning: experts that are removed together
    bool curves = true;               ///< pruning: the curves too, not the lists alone
    /// expert_removal, fewer_experts, pruning: digest of the multiple-choice questions that are
    /// answered beside the text; empty: none.
    std::string choices{};
    bool operator==(const ExperimentOptions&) const = default;
};

/// The options that concern one experiment as a JSON object in a canonical form: equal options give
/// equal text. "{}" for an experiment without options.
[[nodiscard]] std::string optionsJson(std::string_view experiment,
                                      const ExperimentOptions& options);

/// The reverse; what the text does not mention keeps its default. Throws Error(Usage) naming a
/// value that is not understood.
[[nodiscard]] ExperimentOptions parseOptions(std::string_view experiment, std::string_view json);

/// Whether an experiment answers multiple-choice questions where there are some, and its options
/// with the digest of those questions.
[[nodiscard]] bool answersChoices(std::string_view experiment);
[[nodiscard]] std::string withChoices(std::string_view experiment, std::string_view optionsJson,
                                      const std::string& digest);

/// The options under which results hold both what was asked for and what is there already under
/// options of its own, of the same text: those asked for, and of expert_removal the sets of both,
/// of pruning the lists, and the curves where either has them.
/// Throws Error(Usage) as parseOptions() does.
/// `goesOn`: what is there was interrupted, and where nothing is asked to be removed the run goes
/// on with what it was about, rather than with each expert in turn.
[[nodiscard]] std::string joinedOptions(std::string_view experiment, std::string_view there,
                                        std::string_view asked, bool goesOn = false);

/// At most `wanted` of `total` tokens, ascending; First or Spread.
[[nodiscard]] std::vector<std::uint64_t> tokenIndices(KeptTokens which, std::uint64_t wanted,
                                                      std::uint64_t total);

}  // namespace moescope::experiments
