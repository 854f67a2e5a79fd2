// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/options.h"

#include "core/base/error.h"
#include "core/base/json_depth.h"
#include "core/experiments/removed_experts.h"
#include "core/text/token_selection.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace moescope::experiments {
namespace {

using Json = nlohmann::json;

constexpr std::array<std::pair<RelativeTo, std::string_view>, 3> kRelativeNames{{
    {RelativeTo::Automatic, "automatic"},
    {RelativeTo::Baseline, "baseline"},
    {RelativeTo::Mean, "mean"},
}};

constexpr std::array<std::pair<KeptTokens, std::string_view>, 3> kKeptNames{{
    {KeptTokens::First, "first"},
    {KeptTokens::Spread, "spread"},
    {KeptTokens::Listed, "listed"},
}};

constexpr std::array<std::pair<WeightMeasure, std::string_view>, 2> kMeasureNames{{
    {WeightMeasure::MeanNeuron, "mean_neuron"},
    {WeightMeasure::Matrix, "matrix"},
}};

constexpr std::array<std::pair<Scaling, std::string_view>, 2> kScalingNames{{
    {Scaling::Standardised, "standardised"},
    {Scaling::Raw, "raw"},
}};

constexpr std::array<std::pair<Matching, std::string_view>, 2> kMatchingNames{{
    {Matching::Separate, "separate"},
    {Matching::Joint, "joint"},
}};

template <typename Names, typename Value>
std::string wordOf(const Names& names, Value value) {
    const auto found = std::find_if(names.begin(), names.end(),
                                    [&](const auto& entry) { return entry.first == value; });
    return std::string(found->second);
}

[[noreturn]] void refuse(std::string_view experiment, const std::string& what) {
    throw Error(ErrorCode::Usage,
                "Options of experiment " + std::string(experiment) + ": " + what + ".");
}

template <typename Names>
auto valueOf(const Names& names, std::string_view experiment, const Json& word) {
    const auto found = std::find_if(names.begin(), names.end(), [&](const auto& entry) {
        return word.is_string() && word.get_ref<const std::string&>() == entry.second;
    });
    if (found == names.end()) {
        refuse(experiment, "unknown value " + word.dump());
    }
    return found->first;
}

bool hasRelative(std::string_view experiment) {
    return experiment == "weight_similarity";
}
bool hasKeptTokens(std::string_view experiment) {
    return experiment == "output_similarity";
}
bool hasStates(std::string_view experiment) {
    return experiment == "intermediate_states";
}
bool hasRemovals(std::string_view experiment) {
    return experiment == "expert_removal";
}
bool hasLists(std::string_view experiment) {
    return experiment == "pruning";
}
/// Keeps single tokens, up to some bytes.
bool hasKeptBytes(std::string_view experiment) {
    return experiment == "norms_scores" || experiment == "expert_removal" ||
           hasKeptTokens(experiment) || hasStates(experiment);
}
/// Keeps tokens that can be named.
bool hasKeptList(std::string_view experiment) {
    return hasKeptTokens(experiment) || hasStates(experiment);
}
bool hasSkipFirst(std::string_view experiment) {
    return experiment == "output_similarity" || experiment == "rank_counts" ||
           hasStates(experiment);
}
bool hasRouterAgainst(std::string_view experiment) {
    return experiment == "router_similarity";
}
bool hasProjection(std::string_view experiment) {
    return experiment == "expert_projection" || experiment == "neuron_projection";
}
bool hasOutliers(std::string_view experiment) {
    return experiment == "expert_projection";
}

bool hasMatching(std::string_view experiment) {
    return experiment == "matched_similarity";
}

std::vector<std::string> words(std::string_view experiment, const Json& list) {
    if (!list.is_array() ||
        !std::all_of(list.begin(), list.end(), [](const Json& word) { return word.is_string(); })) {
        refuse(experiment, list.dump() + " is not a list of words");
    }
    return list.get<std::vector<std::string>>();
}

std::vector<ExpertList> listsOf(std::string_view experiment, const Json& lists) {
    std::vector<ExpertList> result;
    const auto isText = [](const Json& entry, const char* key) {
        const auto found = entry.find(key);
        return found != entry.end() && found->is_string();
    };
    for (const Json& entry : lists) {
        if (!entry.is_object() || !isText(entry, "name") || !isText(entry, "experts")) {
            refuse(experiment, entry.dump() + " is no list with its name and experts");
        }
        result.push_back({entry["name"].get<std::string>(), entry["experts"].get<std::string>()});
    }
    return canonicalLists(result);
}

std::set<std::string> rolesOf(std::string_view experiment, const Json& list) {
    std::set<std::string> roles;
    for (const std::string& role : words(experiment, list)) {
        if (role != "gate" && role != "up" && role != "down") {
            refuse(experiment, "unknown role \"" + role + "\"; there are gate, up and down");
        }
        roles.insert(role);
    }
    return roles;
}

/// Sorted, without repetitions.
std::vector<LabelPair> pairsOf(std::string_view experiment, const Json& list) {
    std::set<LabelPair> pairs;
    for (const std::string& text : words(experiment, list)) {
        pairs.insert(parseLabelPair(text));
    }
    return {pairs.begin(), pairs.end()};
}

bool readMatching(std::string_view experiment, const std::string& key, const Json& value,
                  ExperimentOptions& options) {
    if (key == "matching") {
        options.matching = valueOf(kMatchingNames, experiment, value);
    } else if (key == "roles") {
        options.matchRoles = rolesOf(experiment, value);
    } else if (key == "pairs") {
        options.matchPairs = pairsOf(experiment, value);
    } else {
        return false;
    }
    return true;
}

Json matchingJson(const ExperimentOptions& options) {
    Json json = Json::object();
    json["matching"] = wordOf(kMatchingNames, options.matching);
    if (!options.matchRoles.empty()) {
        json["roles"] = options.matchRoles;
    }
    const std::set<LabelPair> pairs(options.matchPairs.begin(), options.matchPairs.end());
    for (const LabelPair& pair : pairs) {
        json["pairs"].push_back(pair.first + ":" + pair.second);
    }
    return json;
}

bool hasNoise(std::string_view experiment) {
    return experiment == "router_margin";
}

/// How many tokens are kept, and which.
Json keptJson(const ExperimentOptions& options, std::uint64_t count) {
    Json json = Json::object();
    json["kept_tokens"] = wordOf(kKeptNames, options.keptTokens);
    const bool isListed = options.keptTokens == KeptTokens::Listed;
    if (!isListed || count != kEveryListed) {
        json["kept_token_count"] = count;
    }
    if (isListed && !options.keptList.empty()) {
        json["kept_list"] = options.keptList;
    }
    if (isListed && !options.keptDocuments.empty()) {
        json["kept_documents"] = options.keptDocuments;
    }
    return json;
}

double positive(std::string_view experiment, const Json& value) {
    if (!value.is_number() || !(value.get<double>() > 0.0)) {
        refuse(experiment, value.dump() + " is not a positive number");
    }
    return value.get<double>();
}

/// Ascending, without repetitions.
std::vector<double> sizesOf(std::string_view experiment, const Json& list) {
    if (!list.is_array()) {
        refuse(experiment, list.dump() + " is not a list of numbers");
    }
    std::set<double> sizes;
    for (const Json& size : list) {
        sizes.insert(positive(experiment, size));
    }
    return {sizes.begin(), sizes.end()};
}

void readEntry(std::string_view experiment, const std::string& key, const Json& value,
               ExperimentOptions& options) {
    if (key == "relative_to" && hasRelative(experiment)) {
        options.relativeTo = valueOf(kRelativeNames, experiment, value);
    } else if (key == "skip_first_token" && hasSkipFirst(experiment) && value.is_boolean()) {
        options.skipFirstToken = value.get<bool>();
    } else if (key == "kept_token_count" && hasKeptTokens(experiment) &&
               value.is_number_unsigned()) {
        options.keptTokenCount = value.get<std::uint64_t>();
    } else if (key == "kept_token_count" && hasStates(experiment) && value.is_number_unsigned()) {
        options.keptStateCount = value.get<std::uint64_t>();
    } else if (key == "activity_threshold" && hasStates(experiment) && value.is_number() &&
               value.get<double>() >= 0.0) {
        options.activityThreshold = value.get<double>();
    } else if (key == "kept_bytes" && hasKeptBytes(experiment) && value.is_number_unsigned()) {
        options.keptBytes = value.get<std::uint64_t>();
    } else if (key == "kept_tokens" && hasKeptBytes(experiment) && !hasRemovals(experiment)) {
        options.keptTokens = valueOf(kKeptNames, experiment, value);
    } else if ((key == "kept_list" || key == "kept_documents") && hasKeptList(experiment) &&
               value.is_string()) {
        std::string& list = key == "kept_list" ? options.keptList : options.keptDocuments;
        list = text::canonicalRanges(value.get<std::string>());
    } else if (key == "router_against" && hasRouterAgainst(experiment)) {
        options.routerAgainst = valueOf(kMeasureNames, experiment, value);
    } else if (key == "projection" && hasProjection(experiment)) {
        options.projection = valueOf(kScalingNames, experiment, value);
    } else if (key == "outlier_radius" && hasOutliers(experiment)) {
        options.outlierRadius = positive(experiment, value);
    } else if (key == "outlier_neighbours" && hasOutliers(experiment) &&
               value.is_number_unsigned()) {
        options.outlierNeighbours = value.get<std::uint64_t>();
    } else if (key == "noise_sizes" && hasNoise(experiment)) {
        options.noiseSizes = sizesOf(experiment, value);
    } else if (key == "sets" && hasRemovals(experiment)) {
        options.removals = canonicalRemovals(words(experiment, value));
    } else if (key == "controls" && hasRemovals(experiment) && value.is_number_unsigned() &&
               value.get<std::uint64_t>() <= kMostControls) {
        options.removalControls = value.get<std::uint64_t>();
    } else if (key == "lists" && hasLists(experiment) && value.is_array()) {
        options.lists = listsOf(experiment, value);
    } else if (key == "curves" && hasLists(experiment) && value.is_boolean()) {
        options.curves = value.get<bool>();
    } else if (key == "choices" && answersChoices(experiment) && value.is_string()) {
        options.choices = value.get<std::string>();
    } else if (hasMatching(experiment) && readMatching(experiment, key, value, options)) {
        return;
    } else {
        refuse(experiment, "\"" + key + "\": " + value.dump() + " is not understood");
    }
}

}  // namespace

LabelPair parseLabelPair(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size() ||
        text.substr(0, colon) == text.substr(colon + 1)) {
        throw Error(ErrorCode::Usage, "\"" + std::string(text) +
                                          "\" is not a pair of experts: write two different "
                                          "ones, as in 0:1 or 3:F.");
    }
    return {std::string(text.substr(0, colon)), std::string(text.substr(colon + 1))};
}

std::string optionsJson(std::string_view experiment, const ExperimentOptions& options) {
    Json json = Json::object();  // keys come out sorted
    if (hasRelative(experiment)) {
        json["relative_to"] = wordOf(kRelativeNames, options.relativeTo);
    }
    if (hasSkipFirst(experiment)) {
        json["skip_first_token"] = options.skipFirstToken;
    }
    if (hasKeptTokens(experiment)) {
        json.update(keptJson(options, options.keptTokenCount));
    }
    if (hasKeptBytes(experiment) && options.keptBytes) {
        json["kept_bytes"] = *options.keptBytes;
    }
    // They are kept for all tokens that there is room for, whichever are named.
    if (experiment == "norms_scores" && options.keptTokens == KeptTokens::Spread) {
        json["kept_tokens"] = wordOf(kKeptNames, options.keptTokens);
    }
    if (hasRouterAgainst(experiment)) {
        json["router_against"] = wordOf(kMeasureNames, options.routerAgainst);
    }
    if (hasProjection(experiment)) {
        json["projection"] = wordOf(kScalingNames, options.projection);
    }
    if (hasOutliers(experiment)) {
        json["outlier_radius"] = options.outlierRadius;
        json["outlier_neighbours"] = options.outlierNeighbours;
    }
    if (hasStates(experiment)) {
        json.update(keptJson(options, options.keptStateCount));
        json["activity_threshold"] = options.activityThreshold;
    }
    if (hasNoise(experiment)) {
        json["noise_sizes"] = options.noiseSizes;
    }
    if (hasMatching(experiment)) {
        json.update(matchingJson(options));
    }
    const std::vector<std::string> removals = canonicalRemovals(options.removals);
    const bool hasSets = std::any_of(removals.begin(), removals.end(),
                                     [](const std::string& set) { return set != kEachInTurn; });
    if (hasRemovals(experiment) && hasSets) {
        json["sets"] = removals;
        json["controls"] = options.removalControls;
    }
    if (hasLists(experiment)) {
        for (const ExpertList& list : canonicalLists(options.lists)) {
            json["lists"].push_back({{"name", list.name}, {"experts", list.experts}});
        }
        if (!options.curves) {
            json["curves"] = false;
        }
    }
    if (answersChoices(experiment) && !options.choices.empty()) {
        json["choices"] = options.choices;
    }
    return json.dump();
}

ExperimentOptions parseOptions(std::string_view experiment, std::string_view json) {
    const Json parsed = isNestedDeeper(json) ? Json() : Json::parse(json, nullptr, false);
    if (!parsed.is_object()) {
        refuse(experiment, "not a JSON object");
    }
    ExperimentOptions options;
    for (const auto& [key, value] : parsed.items()) {
        readEntry(experiment, key, value, options);
    }
    const bool hasList = !options.keptList.empty() || !options.keptDocuments.empty();
    if (hasList != (options.keptTokens == KeptTokens::Listed)) {
        refuse(experiment, "tokens to keep are \"listed\" where there is a list of them");
    }
    if (hasList && !parsed.contains("kept_token_count")) {
        (hasStates(experiment) ? options.keptStateCount : options.keptTokenCount) = kEveryListed;
    }
    return options;
}

bool answersChoices(std::string_view experiment) {
    return experiment == "expert_removal" || experiment == "fewer_experts" ||
           experiment == "pruning";
}

std::string withChoices(std::string_view experiment, std::string_view json,
                        const std::string& digest) {
    ExperimentOptions options = parseOptions(experiment, json);
    options.choices = digest;
    return optionsJson(experiment, options);
}

std::string joinedOptions(std::string_view experiment, std::string_view there,
                          std::string_view asked, bool goesOn) {
    if (!hasRemovals(experiment) && !hasLists(experiment)) {
        return std::string(asked);
    }
    const ExperimentOptions kept = parseOptions(experiment, there);
    ExperimentOptions joined = parseOptions(experiment, asked);
    if (hasLists(experiment)) {
        std::vector<ExpertList> lists = kept.lists;
        lists.insert(lists.end(), joined.lists.begin(), joined.lists.end());
        joined.lists = canonicalLists(lists);
        joined.curves = joined.curves || kept.curves;
        return optionsJson(experiment, joined);
    }
    const auto hasSets = [](const ExperimentOptions& options) {
        return std::any_of(options.removals.begin(), options.removals.end(),
                           [](const std::string& set) { return set != kEachInTurn; });
    };
    if (hasSets(kept)) {  // the controls of a set are the first of more of them
        joined.removalControls = hasSets(joined)
                                     ? std::max(joined.removalControls, kept.removalControls)
                                     : kept.removalControls;
    }
    std::vector<std::string> sets = kept.removals;
    sets.insert(sets.end(), joined.removals.begin(), joined.removals.end());
    const bool asksNothing = joined.removals.empty() && !goesOn;
    if (kept.removals.empty() || asksNothing) {
        sets.emplace_back(kEachInTurn);
    }
    joined.removals = canonicalRemovals(sets);
    joined.keptBytes = joined.keptBytes ? joined.keptBytes : kept.keptBytes;
    return optionsJson(experiment, joined);
}

std::vector<std::uint64_t> tokenIndices(KeptTokens which, std::uint64_t wanted,
                                        std::uint64_t total) {
    const std::uint64_t count = std::min(wanted, total);
    std::vector<std::uint64_t> indices(count);
    for (std::uint64_t i = 0; i < count; ++i) {
        const auto place = static_cast<long double>(i) * static_cast<long double>(total) /
                           static_cast<long double>(count);
        indices[i] = which == KeptTokens::First ? i : static_cast<std::uint64_t>(place);
    }
    return indices;
}

}  // namespace moescope::experiments
