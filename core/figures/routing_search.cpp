// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/routing_search.h"

#include <algorithm>

namespace moescope::figures {
namespace {

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool isSpace(char c) {
    return c == ' ' || c == '\n';
}

/// True when the tokens from `token` on spell `needle` (lower case), after leading white space.
bool spellsAt(const std::vector<std::string>& tokens, const std::string& needle,
              std::uint64_t token) {
    std::size_t matched = 0;
    for (std::uint64_t at = token; at < tokens.size() && matched < needle.size(); ++at) {
        for (const char c : tokens[at]) {
            if (matched == 0 && isSpace(c) && !isSpace(needle.front())) {
                continue;
            }
            if (matched == needle.size()) {
                break;
            }
            if (lower(c) != needle[matched++]) {
                return false;
            }
        }
        if (matched == 0) {
            return false;
        }
    }
    return matched == needle.size();
}

}  // namespace

std::optional<std::uint64_t> nextTokenOf(const Routing& routing, int expert,
                                         std::optional<std::uint64_t> from, int direction) {
    const std::uint64_t count = routing.tokenCount();
    if (count == 0) {
        return std::nullopt;
    }
    // The row before the first one to look at, in the direction.
    std::uint64_t row = direction > 0 ? count - 1 : 0;
    if (from) {
        row = routing.rowFrom(*from);
        // Of a token that has no row the next one is the first to look at, forwards; the one
        // before it, backwards.
        row += direction > 0 && !routing.rowOf(*from) ? count - 1 : 0;
    }
    for (std::uint64_t i = 0; i < count; ++i) {
        row = direction > 0 ? (row + 1) % count : (row + count - 1) % count;
        if (routing.id(row, 0) == expert) {
            return routing.tokenAt(row);
        }
    }
    return std::nullopt;
}

std::vector<std::uint64_t> findText(const std::vector<std::string>& tokenBytes,
                                    const std::string& needle, std::size_t most,
                                    const std::stop_token& stop) {
    std::vector<std::uint64_t> found;
    std::string wanted = needle;
    std::transform(wanted.begin(), wanted.end(), wanted.begin(), lower);
    constexpr std::uint64_t kBetweenLooks = 4096;
    for (std::uint64_t token = 0; token < tokenBytes.size() && !wanted.empty(); ++token) {
        if (found.size() == most || (token % kBetweenLooks == 0 && stop.stop_requested())) {
            break;
        }
        if (spellsAt(tokenBytes, wanted, token)) {
            found.push_back(token);
        }
    }
    return found;
}

}  // namespace moescope::figures
