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

/// Maps of pairs, whose diagonal says nothing.
bool hasDiagonal(const FigureInfo& info) {
    return info.name.ends_with("-similarity");
}

constexpr std::array kOptions{
    Option{"--layers", [](const ExportPlan& plan) { return !plan.allLayers; },
           [](const FigureInfo& info) { return info.perLayer; }},
    Option{"--range", [](const ExportPlan& plan) { return plan.range != figures::ColourRange(); },
           [](const FigureInfo& info) { return info.hasColourScale; }},
    Option{"--with-diagonal", [](const ExportPlan& plan) { return !plan.maskDiagonal; },
           hasDiagonal},
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
    Option{"--domain", [](const ExportPlan& plan) { return !plan.domains.empty(); },
           [](const FigureInfo& info) { return info.takesTokens; }},
    Option{"--mean", [](const ExportPlan& plan) { return plan.mean; },
           [](const FigureInfo& info) { return info.hasMean; }},
    Option{"--role", [](const ExportPlan& plan) { return !plan.roles.empty(); },
           [](const FigureInfo& info) { return info.hasRoles; }},
    Option{"--clustered", [](const ExportPlan& plan) { return plan.clustered; },
           [](const FigureInfo& info) { return info.canCluster; }},
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
    Option{"--batch-tokens, --capacity and --devices",
           [](const ExportPlan& plan) { return plan.load.has_value(); },
           [](const FigureInfo& info) { return info.simulatesLoad; }},
    Option{"--prune-by, --prune-share and --prune-over",
           [](const ExportPlan& plan) { return plan.prune.has_value(); },
           [](const FigureInfo& info) { return info.prunes; }},
    Option{"--side-by-side", [](const ExportPlan& plan) { return plan.sideBySide; },
           [](const FigureInfo& info) { return info.hasTotal || info.hasSideBySide; }},
    Option{"--colour-map", [](const ExportPlan& plan) { return plan.colourMap.has_value(); },
           [](const FigureInfo& info) { return info.hasColourScale; }},
};

/// Whether the layers, or the expert, of a removal are asked for.
bool isOfLayer(figures::RemovalChoice::Kind kind) {
    return kind == figures::RemovalChoice::Kind::InLayer;
}
bool isOfIndex(figures::RemovalChoice::Kind kind) {
    return isOfLayer(kind) || kind == figures::RemovalChoice::Kind::Everywhere;
}

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

void requireUsed(const ExportPlan& plan, const FigureInfo& info,
                 const figures::RemovalChoice& removal) {
    if (info.removes) {
        const char* const shown = isOfIndex(removal.kind)
                                      ? "one index in every layer"
                                      : "sets of experts that are gone together";
        const char* const unused = !isOfLayer(removal.kind) && !plan.allLayers ? "--layers"
                                   : !isOfIndex(removal.kind) && plan.expert   ? "--expert"
                                                                               : nullptr;
        if (unused != nullptr) {
            throw Error(ErrorCode::Usage,
                        fmt::format("{} would change nothing about {} of {}; leave it out, or give "
                                    "--without layer for one expert in one layer.",
                                    unused, info.name, shown));
        }
    }
    if (plan.sideBySide && !plan.allLayers && info.hasTotal && !info.totalIsOfPanels &&
        !info.hasSideBySide) {
        throw Error(ErrorCode::Usage,
                    fmt::format("--side-by-side draws {} of all layers: leave out --layers, or "
                                "--side-by-side for a file for each.",
                                info.name));
    }
}

}  // namespace moescope::cli
