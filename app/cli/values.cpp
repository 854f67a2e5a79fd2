// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/values.h"

#include "core/base/closest_name.h"
#include "core/base/error.h"
#include "core/experiments/catalogue.h"
#include "core/experiments/experiment_groups.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <set>

namespace moescope::cli {
namespace {

using experiments::catalogue;
using experiments::ExperimentInfo;
using experiments::ExperimentKind;

[[noreturn]] void refuse(const std::string& message) {
    throw Error(ErrorCode::Usage, message);
}

/// 1, 2^10, 2^20 ... for "", "K", "KB", "KiB", "M" ...; nullopt for anything else.
std::optional<double> unitFactor(std::string_view unit) {
    if (unit.empty() || unit == "B" || unit == "b") {
        return 1.0;
    }
    constexpr std::string_view kUnits = "KMGT";
    const char letter =
        unit.front() >= 'a' ? static_cast<char>(unit.front() - 'a' + 'A') : unit.front();
    const std::size_t power = kUnits.find(letter);
    const std::string_view rest = unit.substr(1);
    if (power == std::string_view::npos || !(rest.empty() || rest == "B" || rest == "iB")) {
        return std::nullopt;
    }
    return std::ldexp(1.0, 10 * (static_cast<int>(power) + 1));
}

std::string knownExperiments() {
    std::string list;
    for (const ExperimentInfo& info : catalogue()) {
        list += (list.empty() ? "" : ", ") + std::string(info.label) + " (" + std::string(info.id) +
                ")";
    }
    return list;
}

std::string knownGroups() {
    std::string list;
    for (const experiments::ExperimentGroup& group : experiments::experimentGroups()) {
        list += (list.empty() ? "" : ", ") + std::string(group.name);
    }
    return list;
}

std::string closestEntry(std::string_view entry) {
    std::vector<std::string_view> names;
    for (const ExperimentInfo& info : catalogue()) {
        names.push_back(info.id);
    }
    for (const experiments::ExperimentGroup& group : experiments::experimentGroups()) {
        names.push_back(group.name);
    }
    return didYouMean(entry, names);
}

/// What a named experiment is computed from, so that naming it alone gives its result.
void addSources(const ExperimentInfo& info, std::set<std::string_view>& wanted) {
    if (!info.derivedFrom.empty()) {
        wanted.insert(info.derivedFrom);
    }
    if (info.id == "weight_output_relation") {
        wanted.insert("weight_similarity");  // or another similarity of weights
    }
}

void addEntry(std::string_view entry, std::set<std::string_view>& wanted) {
    if (const experiments::ExperimentGroup* group = experiments::findGroup(entry)) {
        const auto members = experiments::membersOf(*group);
        wanted.insert(members.begin(), members.end());
        return;
    }
    const ExperimentInfo* info = experiments::findExperiment(entry);
    if (info == nullptr) {
        refuse("Unknown experiment \"" + std::string(entry) + "\"." + closestEntry(entry) +
               " There are: " + knownExperiments() + "; and the groups " + knownGroups() + ".");
    }
    wanted.insert(info->id);
    addSources(*info, wanted);
}

}  // namespace

std::uint64_t parseByteSize(std::string_view text) {
    double number = 0.0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const auto factor = unitFactor(text.substr(static_cast<std::size_t>(end - text.data())));
    const double bytes = number * factor.value_or(0.0);
    if (error != std::errc() || !factor || !(bytes >= 1.0) || bytes >= 0x1p63) {
        refuse("\"" + std::string(text) +
               "\" is not an amount of memory: write a number with K, M, G or T, as in 8G.");
    }
    return static_cast<std::uint64_t>(bytes);
}

std::string parseDevice(std::string_view text) {
    constexpr std::string_view kCuda = "cuda:";
    const auto isNumbered = [&](std::string_view name) {
        return name.size() > kCuda.size() && name.size() <= kCuda.size() + 3 &&
               name.starts_with(kCuda) &&
               name.substr(kCuda.size()).find_first_not_of("0123456789") == std::string_view::npos;
    };
    if (text == "auto" || text == "cpu" || text == "cuda") {
        return std::string(text);
    }
    std::set<std::string_view> seen;
    for (std::string_view rest = text;;) {
        const std::size_t comma = rest.find(',');
        const std::string_view name = rest.substr(0, comma);
        if (!isNumbered(name) || !seen.insert(name).second) {
            refuse("Unknown device \"" + std::string(text) +
                   "\". There are: auto, cpu, cuda (all there are), cuda:N, and several of them "
                   "with commas, as in cuda:0,cuda:1.");
        }
        if (comma == std::string_view::npos) {
            return std::string(text);
        }
        rest.remove_prefix(comma + 1);
    }
}

std::string parseDtype(std::string_view text) {
    if (text == "auto" || text == "float32" || text == "bfloat16") {
        return std::string(text);
    }
    if (text == "f32" || text == "fp32") {
        return "float32";
    }
    if (text == "bf16") {
        return "bfloat16";
    }
    refuse("Unknown number type \"" + std::string(text) +
           "\". There are: auto, float32, bfloat16.");
}

std::vector<std::string> parseExperiments(std::span<const std::string> entries) {
    std::set<std::string_view> wanted;
    for (const std::string& entry : parseList(entries)) {
        addEntry(entry, wanted);
    }
    if (entries.empty()) {
        for (const ExperimentInfo& info : catalogue()) {
            if (!info.isCostly) {
                wanted.insert(info.id);
            }
        }
    }
    std::vector<std::string> ids;
    for (const ExperimentInfo& info : catalogue()) {
        if (wanted.contains(info.id)) {
            ids.emplace_back(info.id);
        }
    }
    return ids;
}

std::vector<std::string> parseList(std::span<const std::string> lists) {
    std::vector<std::string> entries;
    for (const std::string& list : lists) {
        std::string_view rest = list;
        for (bool more = true; more;) {
            const std::size_t comma = rest.find(',');
            entries.emplace_back(rest.substr(0, comma));
            if (entries.back().empty()) {
                refuse("\"" + list + "\" has an empty entry.");
            }
            more = comma != std::string_view::npos;
            rest = more ? rest.substr(comma + 1) : std::string_view();
        }
    }
    return entries;
}

std::vector<int> parseLayers(std::span<const std::string> lists) {
    constexpr int kMostLayers = 100000;
    std::set<int> layers;
    for (const std::string& entry : parseList(lists)) {
        int first = -1;
        const char* const stop = entry.data() + entry.size();
        auto [end, error] = std::from_chars(entry.data(), stop, first);
        int last = first;
        if (error == std::errc() && end != stop && *end == '-') {
            const auto second = std::from_chars(end + 1, stop, last);
            end = second.ptr;
            error = second.ec;
        }
        if (error != std::errc() || end != stop || first < 0 || last < first ||
            last >= kMostLayers) {
            refuse("\"" + entry + "\" is not a layer: write numbers and ranges, as in 0,8-15,31.");
        }
        for (int layer = first; layer <= last; ++layer) {
            layers.insert(layer);
        }
    }
    return {layers.begin(), layers.end()};
}

bool needText(std::span<const std::string> experiments) {
    return std::any_of(experiments.begin(), experiments.end(), [](const std::string& id) {
        const ExperimentInfo* info = experiments::findExperiment(id);
        return info != nullptr && info->kind != ExperimentKind::Static;
    });
}

}  // namespace moescope::cli
