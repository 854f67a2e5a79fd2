// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/removed_experts.h"

#include "core/base/error.h"

#include <algorithm>
#include <charconv>

namespace moescope::experiments {
namespace {

[[noreturn]] void refuse(std::string_view text) {
    throw Error(ErrorCode::Usage,
                "\"" + std::string(text) +
                    "\" is no set of experts to remove: write LAYER:EXPERT with commas between, "
                    "as in 0:3,5:1, or an expert alone for every layer, as in 3.");
}

int number(std::string_view word, std::string_view text) {
    int value = -1;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc() || end != word.data() + word.size() || value < 0) {
        refuse(text);
    }
    return value;
}

std::string_view trimmed(std::string_view entry) {
    while (entry.starts_with(' ')) {
        entry.remove_prefix(1);
    }
    while (entry.ends_with(' ')) {
        entry.remove_suffix(1);
    }
    return entry;
}

}  // namespace

std::vector<RemovedExpert> parseRemoved(std::string_view text) {
    std::vector<RemovedExpert> removed;
    std::string_view rest = text;
    for (std::size_t comma = 0; comma != std::string_view::npos;) {
        comma = rest.find(',');
        const std::string_view entry = trimmed(rest.substr(0, comma));
        rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
        const std::size_t colon = entry.find(':');
        RemovedExpert one;
        if (colon != std::string_view::npos) {
            one.layer = number(entry.substr(0, colon), text);
        }
        one.expert =
            number(colon == std::string_view::npos ? entry : entry.substr(colon + 1), text);
        removed.push_back(one);
    }
    std::sort(removed.begin(), removed.end());
    removed.erase(std::unique(removed.begin(), removed.end()), removed.end());
    return removed;
}

std::string describe(const std::vector<RemovedExpert>& removed) {
    std::string text;
    for (const RemovedExpert& one : removed) {
        text += text.empty() ? "" : ",";
        text += one.layer ? std::to_string(*one.layer) + ":" : std::string();
        text += std::to_string(one.expert);
    }
    return text;
}

std::vector<ExpertList> canonicalLists(const std::vector<ExpertList>& lists) {
    std::vector<ExpertList> result;
    for (const ExpertList& list : lists) {
        ExpertList entry{list.name, describe(parseRemoved(list.experts))};
        const auto named = [&] {
            return std::find_if(result.begin(), result.end(),
                                [&](const ExpertList& other) { return other.name == entry.name; });
        };
        auto other = named();
        for (int n = 2; other != result.end() && other->experts != entry.experts; ++n) {
            entry.name = list.name + " (" + std::to_string(n) + ")";
            other = named();
        }
        if (other == result.end()) {
            result.push_back(std::move(entry));
        }
    }
    return result;
}

std::vector<std::string> canonicalRemovals(const std::vector<std::string>& sets) {
    std::vector<std::string> result;
    if (std::find(sets.begin(), sets.end(), kEachInTurn) != sets.end()) {
        result.emplace_back(kEachInTurn);
    }
    for (const std::string& set : sets) {
        const std::string text = set == kEachInTurn ? set : describe(parseRemoved(set));
        if (std::find(result.begin(), result.end(), text) == result.end()) {
            result.push_back(text);
        }
    }
    return result;
}

}  // namespace moescope::experiments
