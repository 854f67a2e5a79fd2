// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/domain_shares.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace moescope::figures {
namespace {

std::string evenText(const RoutedText& text, bool perToken) {
    return fmt::format(" An even spread gives {}/{} = {:.3f}.", perToken ? text.topK() : 1,
                       text.experts(), evenShare(text, perToken));
}

/// Of so few documents no order of them is unlikely enough.
std::string tooFewText(const RoutedText& text) {
    constexpr std::ptrdiff_t kFewest = 3;
    std::size_t few = 0;
    for (std::size_t domain = 0; domain < text.domains().size(); ++domain) {
        const auto documents = std::count(text.domainOf().begin(), text.domainOf().end(),
                                          static_cast<std::int32_t>(domain));
        few += documents < kFewest ? 1 : 0;
    }
    return few == 0 ? std::string()
                    : fmt::format(
                          " {} of {} domains {} fewer than {} documents: too few to tell "
                          "them from chance, and for intervals that say much.",
                          few, text.domains().size(), few == 1 ? "has" : "have", kFewest);
}

}  // namespace

DomainMeasure domainMeasure(const BuildContext& context) {
    return context.info.definedBy == "domain_specialisation"
               ? DomainMeasure{"domain_specialisation", "share of tokens by domain",
                               "share of tokens", true}
               : DomainMeasure{"domain_share", "share of assignments by domain",
                               "share of assignments", false};
}

std::vector<ShownChoice> shownChoices(const DomainMeasure& measure, int topK) {
    if (measure.perToken || topK == 1) {
        return {{"", numerics::kAnyChoice}};
    }
    std::vector<ShownChoice> shown{{"first choice", 0}};
    if (topK == 2) {
        shown.push_back({"second choice", 1});
    }
    shown.push_back(
        {topK == 2 ? "either" : fmt::format("any of {} choices", topK), numerics::kAnyChoice});
    return shown;
}

DomainShares domainShares(const RoutedText& text, int choice, bool perToken) {
    const DocumentCounts counts = countAssignments(text, choice, perToken);
    const numerics::GroupedCounts grouped = counts.view(text);
    DomainShares result;
    result.rows = text.domains();
    result.rows.emplace_back(kAllText);
    result.experts = counts.width;
    result.shares = numerics::groupShares(grouped);
    numerics::Intervals intervals = numerics::bootstrapShares(grouped);
    result.low = std::move(intervals.low);
    result.high = std::move(intervals.high);
    // The same test decides for all of them; the text as a whole has none.
    result.marks = numerics::discoveries(numerics::permutationChances(grouped));
    result.marks.resize(result.shares.size());
    return result;
}

double evenShare(const RoutedText& text, bool perToken) {
    return static_cast<double>(perToken ? text.topK() : 1) / text.experts();
}

std::string domainText(const RoutedText& text, bool perToken) {
    return evenText(text, perToken) + tooFewText(text) +
           (text.domains().empty() ? " This text names no domains: they come with a column of a "
                                     "table, or with one folder per domain."
                                   : "");
}

}  // namespace moescope::figures
