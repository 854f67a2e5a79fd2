// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/text_split.h"

#include <algorithm>

namespace moescope::engine {
namespace {

/// Turns are as large as blocks of tokens, which a plan of memory halves until they fit.
constexpr std::uint64_t kSmallestTurn = 16;
constexpr std::uint64_t kLargestTurn = 8192;

}  // namespace

std::vector<Stretch> splitText(std::span<const std::uint64_t> offsets, std::size_t parts,
                               std::uint64_t turnTokens) {
    if (parts <= 1) {
        return {{offsets.front(), 0, offsets.back() - offsets.front(), 0}};
    }
    // The last round of turns is as large as the others, and a short text is one round.
    const std::uint64_t total = offsets.back() - offsets.front();
    const std::uint64_t round = parts * std::max<std::uint64_t>(turnTokens, 1);
    const std::uint64_t turns = parts * std::max<std::uint64_t>((total + round - 1) / round, 1);
    const std::uint64_t turn = (total + turns - 1) / turns;
    std::vector<Stretch> stretches;
    std::vector<std::uint64_t> had(parts, 0);
    std::uint64_t first = offsets.front();
    for (std::size_t d = 0; d + 1 < offsets.size(); ++d) {
        const std::uint64_t end = offsets[d + 1];
        const bool last = d + 2 == offsets.size();
        if (end - first < turn && !last) {
            continue;
        }
        const auto part =
            static_cast<std::size_t>(std::min_element(had.begin(), had.end()) - had.begin());
        stretches.push_back({first, had[part], end - first, part});
        had[part] += end - first;
        first = end;
    }
    return stretches;
}

std::vector<std::uint64_t> tokensOfParts(std::span<const Stretch> stretches, std::size_t parts) {
    std::vector<std::uint64_t> tokens(parts, 0);
    for (const Stretch& stretch : stretches) {
        tokens[stretch.part] += stretch.tokens;
    }
    return tokens;
}

std::uint64_t mostTokens(std::span<const std::uint64_t> offsets, std::size_t parts) {
    if (offsets.empty() || offsets.front() == offsets.back()) {
        return 0;
    }
    std::uint64_t most = 0;
    for (std::uint64_t turn = kSmallestTurn; turn <= kLargestTurn; turn *= 2) {
        const auto tokens = tokensOfParts(splitText(offsets, parts, turn), parts);
        most = std::max(most, *std::max_element(tokens.begin(), tokens.end()));
    }
    return most;
}

}  // namespace moescope::engine
