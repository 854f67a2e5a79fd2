// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/vocabulary_counts.h"

#include "core/figures/predicted_tokens.h"
#include "core/numerics/hypergeometric.h"
#include "core/numerics/resampling.h"

#include <algorithm>
#include <iterator>
#include <unordered_map>
#include <utility>

namespace moescope::figures {
namespace {

/// Tokens of a piece that have an id by this reading: all but a document's last one, maybe.
std::uint64_t readTokens(const TokenTable& tokens, const RoutedText::Piece& piece,
                         const Reading& reading) {
    const std::uint64_t end = tokens.documentOffsets()[tokens.documentOf(piece.firstToken) + 1] -
                              (reading.isNext ? 1 : 0);
    return std::min(piece.count, end - std::min(end, piece.firstToken));
}

/// The ids that are not too rare, each with room for its experts: most ids of a text are rare.
std::map<text::TokenId, Occurrences> frequentIds(const TokenTable& tokens, const RoutedText& text,
                                                 const Reading& reading) {
    std::unordered_map<text::TokenId, std::uint64_t> counts;
    for (const RoutedText::Piece& piece : text.pieces()) {
        const std::uint64_t count = readTokens(tokens, piece, reading);
        for (std::uint64_t i = 0; i < count; ++i) {
            ++counts[reading.ids[piece.firstToken + i]];
        }
    }
    std::map<text::TokenId, Occurrences> frequent;
    const auto experts = static_cast<std::size_t>(text.experts());
    for (const auto& [id, count] : counts) {
        if (count >= kFewestSeen) {
            frequent[id] = {count,
                            std::vector<std::uint64_t>(experts),
                            std::vector<std::uint64_t>(experts),
                            {}};
        }
    }
    return frequent;
}

/// Marks what is beyond chance.
void markBeyondChance(const BuildContext& context, Vocabulary& vocabulary) {
    const std::size_t experts = vocabulary.load.size();
    std::vector<double> chances;
    chances.reserve(vocabulary.ids.size() * experts);
    for (const auto& [id, found] : vocabulary.ids) {
        context.throwIfStopped();
        for (std::size_t e = 0; e < experts; ++e) {
            // Chances above a half or so are no discoveries: they need not be known.
            const bool isAbove =
                found.routed[e] * vocabulary.tokens > found.count * vocabulary.load[e];
            chances.push_back(
                isAbove ? numerics::chanceOfAtLeast(found.routed[e], {.total = vocabulary.tokens,
                                                                      .marked = vocabulary.load[e],
                                                                      .drawn = found.count})
                        : 1.0);
        }
    }
    const std::vector<std::uint8_t> marks = numerics::discoveries(chances);
    auto mark = marks.begin();
    for (auto& [id, found] : vocabulary.ids) {
        const auto next = mark + static_cast<std::ptrdiff_t>(experts);
        found.isBeyondChance.assign(mark, next);
        mark = next;
    }
}

}  // namespace

std::vector<Reading> readingsOf(const BuildContext& context) {
    const std::vector<text::TokenId>& ids = context.head().corpus.ids;
    std::vector<Reading> readings{{"input", false, ids}, {"next", true, {}}};
    if (!ids.empty()) {
        readings.back().ids.assign(std::next(ids.begin()), ids.end());
        readings.back().ids.push_back(0);  // behind the end of the last document: not counted
    }
    if (auto predicted = predictedIds(context)) {
        readings.push_back({"predicted", false, std::move(*predicted)});
    }
    return readings;
}

Vocabulary vocabularyOf(const BuildContext& context, const RoutedText& text,
                        const Reading& reading) {
    const TokenTable& tokens = *context.memory.tokens();
    Vocabulary vocabulary{frequentIds(tokens, text, reading), 0,
                          std::vector<std::uint64_t>(static_cast<std::size_t>(text.experts()))};
    for (const RoutedText::Piece& piece : text.pieces()) {
        context.throwIfStopped();
        const numerics::Choices choices = text.of(piece);
        const std::uint64_t count = readTokens(tokens, piece, reading);
        vocabulary.tokens += count;
        for (std::uint64_t i = 0; i < count; ++i) {
            const std::uint64_t token = piece.firstToken + i;
            const auto found = vocabulary.ids.find(reading.ids[token]);
            for (const std::uint16_t expert : choices.of(i)) {
                ++vocabulary.load[expert];
                if (found != vocabulary.ids.end() && found->second.routed[expert]++ == 0) {
                    found->second.example[expert] = token;
                }
            }
        }
    }
    markBeyondChance(context, vocabulary);
    return vocabulary;
}

}  // namespace moescope::figures
