// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/experiment_groups.h"

#include "core/experiments/catalogue.h"

#include <algorithm>
#include <array>
#include <initializer_list>

namespace moescope::experiments {
namespace {

using Info = ExperimentInfo;

bool isOneOf(const Info& info, std::initializer_list<std::string_view> ids) {
    return std::find(ids.begin(), ids.end(), info.id) != ids.end();
}

constexpr std::array kGroups{
    ExperimentGroup{"all", "everything, costly ones too", [](const Info&) { return true; }},
    ExperimentGroup{"static", "what needs no text",
                    [](const Info& info) { return info.kind == ExperimentKind::Static; }},
    ExperimentGroup{"dynamic", "what needs a text",
                    [](const Info& info) { return info.kind != ExperimentKind::Static; }},
    ExperimentGroup{"weights", "the experts' weights compared",
                    [](const Info& info) {
                        return info.kind == ExperimentKind::Static && info.id != "parameters";
                    }},
    ExperimentGroup{"outputs", "what each expert makes of every token",
                    [](const Info& info) {
                        return isOneOf(info, {"output_similarity", "norms_scores", "rank_counts",
                                              "intermediate_states"});
                    }},
    ExperimentGroup{"routing", "who is chosen, and all that follows from it without the model",
                    [](const Info& info) {
                        return info.id == "chosen_experts" || info.derivedFrom == "chosen_experts";
                    }},
    ExperimentGroup{"removal", "the loss without experts and with fewer of them",
                    [](const Info& info) {
                        return isOneOf(info, {"expert_removal", "fewer_experts"});
                    }},
    ExperimentGroup{"importance", "all columns of the table of importance, and pruning",
                    [](const Info& info) {
                        return isOneOf(info,
                                       {"weight_similarity", "output_similarity", "chosen_experts",
                                        "expert_removal", "importance", "pruning"});
                    }},
};

}  // namespace

std::span<const ExperimentGroup> experimentGroups() {
    return kGroups;
}

const ExperimentGroup* findGroup(std::string_view name) {
    const auto* found = std::find_if(kGroups.begin(), kGroups.end(),
                                     [&](const auto& group) { return group.name == name; });
    return found == kGroups.end() ? nullptr : &*found;
}

std::vector<std::string_view> membersOf(const ExperimentGroup& group) {
    std::vector<std::string_view> ids;
    for (const ExperimentInfo& info : catalogue()) {
        if (group.holds(info)) {
            ids.push_back(info.id);
        }
    }
    return ids;
}

}  // namespace moescope::experiments
