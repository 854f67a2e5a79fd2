// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/domain_selection.h"

#include "core/base/closest_name.h"
#include "core/base/error.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace moescope::text {
namespace {

/// A text may have a domain for every source file.
constexpr std::size_t kMostListed = 40;

[[noreturn]] void refuse(const std::string& message) {
    throw Error(ErrorCode::Usage, message);
}

std::string listed(std::string_view mistyped, const std::vector<std::string>& domains) {
    std::vector<std::string_view> names(domains.begin(), domains.end());
    if (const auto closest = closestName(mistyped, names)) {
        const auto found = std::find(names.begin(), names.end(), *closest);
        std::rotate(names.begin(), found, std::next(found));
    }
    const std::size_t shown = std::min(names.size(), kMostListed);
    std::string text = fmt::format("{}", fmt::join(std::span(names).first(shown), ", "));
    if (names.size() > shown) {
        text += fmt::format(" and {} more", names.size() - shown);
    }
    return text;
}

std::optional<std::size_t> indexOf(std::string_view name, const std::vector<std::string>& domains) {
    const auto found = std::find(domains.begin(), domains.end(), name);
    return found == domains.end()
               ? std::nullopt
               : std::optional(static_cast<std::size_t>(found - domains.begin()));
}

/// Marks the domains that `text` names.
void mark(std::string_view text, const std::vector<std::string>& domains,
          std::vector<bool>& wanted) {
    if (const auto whole = indexOf(text, domains)) {
        wanted[*whole] = true;
        return;
    }
    for (std::size_t comma = 0; comma != std::string_view::npos;) {
        comma = text.find(',');
        const std::string_view name = text.substr(0, comma);
        const auto index = indexOf(name, domains);
        if (!index) {
            refuse(fmt::format("The text has no domain \"{}\"; its domains are: {}.", name,
                               listed(name, domains)));
        }
        wanted[*index] = true;
        text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    }
}

}  // namespace

TokenSelection selectDomains(std::span<const std::string> names, const TokenizedCorpus& corpus) {
    if (corpus.domains.empty()) {
        refuse(
            "The text of this session has no domains to select by; give --documents or --tokens, "
            "or analyse a table with a column of domains or a folder with one folder for each.");
    }
    std::vector<bool> wanted(corpus.domains.size());
    for (const std::string& name : names) {
        mark(name, corpus.domains, wanted);
    }
    std::vector<TokenRange> ranges;
    const std::size_t documents = std::min(corpus.domainOf.size(), corpus.documentCount());
    for (std::size_t d = 0; d < documents; ++d) {
        const std::int32_t domain = corpus.domainOf[d];
        if (domain >= 0 && static_cast<std::size_t>(domain) < wanted.size() &&
            wanted[static_cast<std::size_t>(domain)]) {
            ranges.push_back({corpus.offsets[d], corpus.offsets[d + 1] - corpus.offsets[d]});
        }
    }
    TokenSelection selection(std::move(ranges));
    if (selection.empty()) {
        refuse(fmt::format("The documents of {} have no tokens.", fmt::join(names, ", ")));
    }
    return selection;
}

}  // namespace moescope::text
