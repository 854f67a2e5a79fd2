// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/build_context.h"
#include "core/figures/routed_text.h"

#include <cstdint>
#include <map>
#include <vector>

/// How often token ids go to experts (D4). Private to the builders.
namespace moescope::figures {

/// Which id stands for a token that was routed: its own, that of the one that follows it in its
/// document, or the one that the model says will follow.
struct Reading {
    const char* name;
    bool isNext = false;
    std::vector<text::TokenId> ids{};  ///< [tokens]
};
/// Those that the session has.
[[nodiscard]] std::vector<Reading> readingsOf(const BuildContext& context);

/// How often a token id occurs, and goes to each expert.
struct Occurrences {
    std::uint64_t count = 0;
    std::vector<std::uint64_t> routed;         ///< [E]
    std::vector<std::uint64_t> example;        ///< [E] the first token that was routed there
    std::vector<std::uint8_t> isBeyondChance;  ///< [E] more often than choices dealt out anew
};

struct Vocabulary {
    std::map<text::TokenId, Occurrences> ids;  ///< seen at least kFewestSeen times
    std::uint64_t tokens = 0;                  ///< that have an id by the reading
    std::vector<std::uint64_t> load;           ///< [E] of these tokens
};
inline constexpr std::uint64_t kFewestSeen = 10;  ///< rarer ids are left out (OLMoE)

/// Of the text's pieces. An id goes to an expert beyond chance where it does so more often than if
/// the chosen sets were dealt out anew among the tokens: exact (hypergeometric), at a false
/// discovery rate of 0.05 over all ids and experts. Throws Error(Cancelled).
[[nodiscard]] Vocabulary vocabularyOf(const BuildContext& context, const RoutedText& text,
                                      const Reading& reading);

}  // namespace moescope::figures
