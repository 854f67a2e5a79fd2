// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/routing_search.h"

#include <algorithm>

namespace moescope::figures {
namespace {

constexpr std::uint64_t kBetweenLooks = 4096;  // tokens

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

std::vector<std::uint64_t> tokensOf(const Routing& routing, int expert,
                                    const std::stop_token& stop) {
    std::vector<std::uint64_t> tokens;
    const std::uint64_t count = routing.tokenCount();
    for (std::uint64_t row = 0; row < count; ++row) {
        if (row % kBetweenLooks == 0 && stop.stop_requested()) {
            break;
        }
        for (int k = 0; k < routing.topK; ++k) {
            if (routing.id(row, k) == expert) {
                tokens.push_back(routing.tokenAt(row));
                break;
            }
        }
    }
    return tokens;
}

std::size_t placeFrom(const std::vector<std::uint64_t>& tokens, std::optional<std::uint64_t> from,
                      int direction) {
    if (!from) {
        return direction < 0 ? tokens.size() - 1 : 0;
    }
    if (direction < 0) {
        const auto at = std::lower_bound(tokens.begin(), tokens.end(), *from);
        return static_cast<std::size_t>((at == tokens.begin() ? tokens.end() : at) -
                                        tokens.begin()) -
               1;
    }
    const auto at = direction == 0 ? std::lower_bound(tokens.begin(), tokens.end(), *from)
                                   : std::upper_bound(tokens.begin(), tokens.end(), *from);
    return at == tokens.end() ? 0 : static_cast<std::size_t>(at - tokens.begin());
}

std::vector<std::uint64_t> findText(const std::vector<std::string>& tokenBytes,
                                    const std::string& needle, std::size_t most,
                                    const std::stop_token& stop) {
    std::vector<std::uint64_t> found;
    std::string wanted = needle;
    std::transform(wanted.begin(), wanted.end(), wanted.begin(), lower);
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
