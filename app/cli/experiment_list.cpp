// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/experiment_list.h"

#include "core/experiments/catalogue.h"
#include "core/experiments/experiment_groups.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace moescope::cli {
namespace {

using experiments::ExperimentGroup;
using experiments::ExperimentInfo;
using experiments::ExperimentKind;
using Json = nlohmann::ordered_json;

std::string_view nameOf(ExperimentKind kind) {
    switch (kind) {
        case ExperimentKind::Static:
            return "static";
        case ExperimentKind::Dynamic:
            return "dynamic";
        case ExperimentKind::Derived:
            break;
    }
    return "derived";
}

/// "A1, A2, A3": labels are shorter than ids.
std::string labelsOf(const ExperimentGroup& group) {
    std::string labels;
    for (const ExperimentInfo& info : experiments::catalogue()) {
        if (group.holds(info)) {
            labels += (labels.empty() ? "" : ", ") + std::string(info.label);
        }
    }
    return labels;
}

bool isTooMany(const ExperimentGroup& group) {
    return group.name == "all" || group.name == "dynamic";
}

}  // namespace

std::string experimentListText() {
    std::string text = "Experiments:\n";
    for (const ExperimentInfo& info : experiments::catalogue()) {
        text += fmt::format("  {:<25} {:<3}{} {}\n", info.id, info.label, info.isCostly ? '*' : ' ',
                            info.title);
    }
    text += "  * costly: done when named, or with its group\n\nGroups of experiments:\n";
    for (const ExperimentGroup& group : experiments::experimentGroups()) {
        text += fmt::format("  {:<12} {}{}\n", group.name, group.meaning,
                            isTooMany(group) ? std::string() : ": " + labelsOf(group));
    }
    return text;
}

std::string experimentListJson() {
    Json list = Json::array();
    for (const ExperimentInfo& info : experiments::catalogue()) {
        list.push_back({{"id", info.id},
                        {"label", info.label},
                        {"title", info.title},
                        {"kind", nameOf(info.kind)},
                        {"costly", info.isCostly},
                        {"version", info.version},
                        {"definition", info.definition},
                        {"source", info.source}});
    }
    Json groups = Json::object();
    for (const ExperimentGroup& group : experiments::experimentGroups()) {
        groups[std::string(group.name)] = experiments::membersOf(group);
    }
    const Json json{
        {"kind", "experiments"}, {"experiments", std::move(list)}, {"groups", std::move(groups)}};
    return json.dump(2) + "\n";
}

}  // namespace moescope::cli
