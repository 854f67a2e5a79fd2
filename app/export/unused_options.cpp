// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/export/unused_options.h"

#include "core/base/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace moescope::cli {
namespace {

using figures::FigureInfo;

/// An option, whether it was given, and whether it means something to a figure.
struct Option {
    const char* name;
    bool (*isGiven)(const ExportPlan& plan);
    bool (*isUsed)(const FigureInfo& info);
};

constexpr std::array kOptions{
    Option{"--with", [](const ExportPlan& plan) { return !plan.others.empty(); },
           [](const FigureInfo& info) { return info.needsOther; }},
    Option{"--expert", [](const ExportPlan& plan) { return plan.expert.has_value(); },
           [](const FigureInfo& info) {
               return info.needsExpert || info.takesExpert || info.removes;
           }},
    Option{"--without", [](const ExportPlan& plan) { return plan.removal.has_value(); },
           [](const FigureInfo& info) { return info.removes; }},
    Option{"--tokens", [](const ExportPlan& plan) { return !plan.tokens.empty(); },
           [](const FigureInfo& info) { return info.takesTokens; }},
    Option{"--documents", [](const ExportPlan& plan) { return !plan.documents.empty(); },
           [](const FigureInfo& info) { return info.takesTokens; }},
    Option{"--mean", [](const ExportPlan& plan) { return plan.mean; },
           [](const FigureInfo& info) { return info.hasMean; }},
    Option{"--role", [](const ExportPlan& plan) { return !plan.roles.empty(); },
           [](const FigureInfo& info) { return info.hasRoles; }},
    Option{"--relative", [](const ExportPlan& plan) { return plan.relative; },
           [](const FigureInfo& info) { return info.hasRelative; }},
    Option{"--ranks", [](const ExportPlan& plan) { return plan.ranks.has_value(); },
           [](const FigureInfo& info) { return info.takesRanks; }},
    Option{"--similarity", [](const ExportPlan& plan) { return !plan.experiments.empty(); },
           [](const FigureInfo& info) { return info.choosesExperiments; }},
    Option{"--dimensions", [](const ExportPlan& plan) { return plan.dimensions != 2; },
           [](const FigureInfo& info) { return info.hasDimensions; }},
    Option{"--without-outliers", [](const ExportPlan& plan) { return plan.withoutOutliers; },
           [](const FigureInfo& info) { return info.hasOutliers; }},
    Option{"--prune-by, --prune-share and --prune-over",
           [](const ExportPlan& plan) { return plan.prune.has_value(); },
           [](const FigureInfo& info) { return info.prunes; }},
    Option{"--side-by-side", [](const ExportPlan& plan) { return plan.sideBySide; },
           [](const FigureInfo& info) { return info.hasTotal || info.hasSideBySide; }},
    Option{"--colour-map", [](const ExportPlan& plan) { return plan.colourMap.has_value(); },
           [](const FigureInfo& info) { return info.hasColourScale; }},
};

std::string namesOf(std::span<const FigureInfo* const> figures) {
    std::string names;
    for (const FigureInfo* info : figures) {
        names += (names.empty() ? "" : ", ") + std::string(info->name);
    }
    return names;
}

}  // namespace

void requireUsed(const ExportPlan& plan, std::span<const FigureInfo* const> wanted) {
    for (const Option& option : kOptions) {
        const auto isUsed = [&](const FigureInfo* info) { return option.isUsed(*info); };
        if (!option.isGiven(plan) || std::any_of(wanted.begin(), wanted.end(), isUsed)) {
            continue;
        }
        std::vector<const FigureInfo*> users;
        for (const FigureInfo& info : figures::figureCatalogue()) {
            if (option.isUsed(info)) {
                users.push_back(&info);
            }
        }
        throw Error(ErrorCode::Usage, fmt::format("{} would change nothing about {}; it is for {}.",
                                                  option.name, namesOf(wanted), namesOf(users)));
    }
}

}  // namespace moescope::cli
